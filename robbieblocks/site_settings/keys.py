"""Every key of `settings`, with the function that reads its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, get_args

from robbieblocks.model import ConsentTexts, TrustedTypes
from robbieblocks.site_settings import headers
from robbieblocks.site_settings.head import read_head
from robbieblocks.site_settings.hosts import read_hosts, read_scripts
from robbieblocks.site_settings.icons import icons, manifest
from robbieblocks.site_settings.languages import read_languages
from robbieblocks.site_settings.schemes import schemes
from robbieblocks.site_settings.stated import Stated

_BANNER_LENGTH: Final = 1_000


def _consent(stated: Stated) -> ConsentTexts:
    texts = stated.members(ConsentTexts._fields)
    return ConsentTexts(**{name: inner.text(_BANNER_LENGTH) for name, inner in texts.items()})


# A function reports what is wrong with a value, and gives the field of SiteSettings. It must be
# total: rows may hold any JSON.
KEYS: Final[Mapping[str, Callable[[Stated], object]]] = {
    "consent": _consent,
    "framed_by": headers.framed_by,
    "head": read_head,
    "hosts": read_hosts,
    "languages": read_languages,
    "icons": icons,
    "manifest": manifest,
    "permissions": headers.permissions,
    "referrer": lambda stated: stated.choice(headers.REFERRER),
    "report_only": headers.report_only,
    "reports": headers.reports,
    "schemes": schemes,
    "scripts": read_scripts,
    "social_card": Stated.flag,
    "trusted_types": lambda stated: stated.choice(get_args(TrustedTypes)),
}

ONLY_OF_NODES: Final = frozenset({"icons", "manifest", "schemes", "social_card"})
