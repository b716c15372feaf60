"""Reads `settings` as one value, with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from robbieblocks.errors import Problem
from robbieblocks.messages import no_object
from robbieblocks.model import NO_SETTINGS, Json, SiteSettings
from robbieblocks.row_faults import blame
from robbieblocks.site_settings.keys import KEYS, ONLY_OF_NODES
from robbieblocks.site_settings.stated import SettingProblem, Stated

__all__ = ["SettingProblem", "read_settings"]


def read_settings(
    value: Json, *, of_node: bool = True
) -> tuple[SiteSettings, tuple[SettingProblem, ...]]:
    """The settings that an object states, and what is wrong with it.

    A key with a mistake is left out of the settings. Texts in them can stand in UTF-8. Some keys
    only a node may state.
    """
    if value == {}:
        return NO_SETTINGS, ()
    stated = Stated(value)
    if not isinstance(value, dict):
        stated.report(no_object("settings are", value), "write an object, or null")
        return NO_SETTINGS, tuple(stated.problems)
    found: dict[str, Any] = {}
    for name, inner in stated.members(KEYS).items():
        if name in ONLY_OF_NODES and not of_node:
            inner.report(f"`{name}` is a node's", "state it in the node's settings")
            continue
        before = len(stated.problems)
        # Of a fault the row's other keys, and all other rows, know nothing.
        with blame(partial(_report, inner), "settings", name):
            read = KEYS[name](inner)
            if len(stated.problems) == before:
                found[name] = read
    return replace(NO_SETTINGS, **found), tuple(stated.problems)


def _report(stated: Stated, fault: Problem) -> None:
    stated.report(fault.what, fault.remedy, passing=fault.passing)
