"""Every key of `settings`, with the function that reads its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, get_args

from robbieblocks.model import TrustedTypes
from robbieblocks.site_settings.icons import icons, manifest
from robbieblocks.site_settings.languages import read_languages
from robbieblocks.site_settings.schemes import schemes
from robbieblocks.site_settings.stated import Stated

# A function reports what is wrong with a value, and gives the field of SiteSettings. It must be
# total: rows may hold any JSON.
KEYS: Final[Mapping[str, Callable[[Stated], object]]] = {
    "languages": read_languages,
    "icons": icons,
    "manifest": manifest,
    "schemes": schemes,
    "trusted_types": lambda stated: stated.choice(get_args(TrustedTypes)),
}

ONLY_OF_NODES: Final = frozenset({"icons", "manifest", "schemes"})
