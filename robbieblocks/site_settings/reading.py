"""Reads `settings` as one value, with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from robbieblocks.messages import no_object
from robbieblocks.model import NO_SETTINGS, Json, SiteSettings
from robbieblocks.site_settings.keys import KEYS
from robbieblocks.site_settings.stated import SettingProblem, Stated

__all__ = ["SettingProblem", "read_settings"]


def read_settings(value: Json) -> tuple[SiteSettings, tuple[SettingProblem, ...]]:
    """The settings that an object states, and what is wrong with it.

    A key with a mistake is left out of the settings. Texts in them can stand in UTF-8.
    """
    if value == {}:
        return NO_SETTINGS, ()
    stated = Stated(value)
    if not isinstance(value, dict):
        stated.report(no_object("settings are", value), "write an object, or null")
        return NO_SETTINGS, tuple(stated.problems)
    found: dict[str, Any] = {}
    for name, inner in stated.members(KEYS).items():
        before = len(stated.problems)
        read = KEYS[name](inner)
        if len(stated.problems) == before:
            found[name] = read
    return replace(NO_SETTINGS, **found), tuple(stated.problems)
