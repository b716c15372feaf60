"""What rows say of a site besides its pages: `settings` of a node, and of an app's frames."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal, Self

from robbieblocks.model.languages import DEFAULT_LANGUAGES, Languages
from robbieblocks.model.values import canonical_json

TrustedTypes = Literal["auto", "on", "off"]


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """One field for each key of `settings`; its default is what holds where no row states it.

    `languages` are an app's, so no node states them. `schemes` are tokens for those who prefer the
    other theme than the node's: the theme, and a JSON object with the values. `trusted_types` says
    whether browsers refuse to make HTML of texts; auto: where no script of the page does so.
    """

    languages: Languages = DEFAULT_LANGUAGES
    schemes: tuple[tuple[str, str], ...] = ()
    trusted_types: TrustedTypes = "auto"

    @cached_property
    def text(self) -> str:
        """All that is stated, of which fingerprints are made; "" for nothing."""
        stated = {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
        return canonical_json(stated) if stated else ""

    def over(self, others: Self) -> Self:
        """These settings, and those of `others` where these state nothing."""
        missing = {
            field.name: getattr(others, field.name)
            for field in fields(self)
            if getattr(self, field.name) == field.default
        }
        return replace(self, **missing)


NO_SETTINGS = SiteSettings()
