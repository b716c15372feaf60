"""What is set: each setting with its value and where it is from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from robbieblocks import database
from robbieblocks.cli import session
from robbieblocks.errors import UsageError
from robbieblocks.messages import nearest, visible_line
from robbieblocks.settings import PROJECT_FILE, SETTINGS, SHARED_CACHE_KEY, Setting, Settings

_PREFIX: Final = "ROBBIEBLOCKS_"
# Nothing but what uses such a key reads it, so no field of the settings has it.
_SECRET: Final = ("ROBBIEBLOCKS_SECRETS_KEYS", SHARED_CACHE_KEY)
_LOGIN: Final = re.compile(r"(?<=//)[^/@\s]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A setting by its key or variable, its value without a password, and its source."""

    setting: str
    value: str
    source: str

    def __str__(self) -> str:
        return visible_line(f"{self.setting:28} {self.value}  ({self.source})")


def given(settings: Settings, database_url: str | None) -> list[Given]:
    """Every setting; of the levels of checks those alone that the project's file sets."""
    return (
        [
            Given(
                setting=each.key or each.variable,
                value=_LOGIN.sub("***@", _value(each, settings)),
                source=_source(each, settings, database_url),
            )
            for each in SETTINGS
            if not each.choices or settings.in_file.get(each.key)
        ]
        + [
            Given(setting=f"applications.{path}", value=address, source=PROJECT_FILE)
            for path, address in settings.applications.items()
        ]
        + [
            Given(setting=key, value=value, source=PROJECT_FILE)
            for key, value in settings.in_file.items()
            if key.startswith(("site.urls.", "site.origins."))
        ]
        + [
            Given(setting=f"freeze.windows {number}", value=str(window), source=PROJECT_FILE)
            for number, window in enumerate(settings.freeze_windows, 1)
        ]
    )


def misspelt() -> Iterator[tuple[str, str]]:
    """Variables that are no settings but almost, and what was probably meant."""
    known = {each.variable.removeprefix(_PREFIX) for each in SETTINGS if each.variable}
    for variable in sorted(os.environ):
        name = variable.removeprefix(_PREFIX)
        if name != variable and name not in known and (meant := nearest(name, known)):
            yield variable, _PREFIX + meant[0]


def _value(setting: Setting, settings: Settings) -> str:
    field = setting.variable.removeprefix(_PREFIX).lower()
    if setting.variable in _SECRET:
        return "set, and not shown" if os.environ.get(setting.variable) else "not set"
    if field == "database_url":
        return _database(settings)
    if field == "sync_master_url":
        return _described(settings.sync.master) if settings.sync.master else "not set"
    if field == "templates":
        return ", then ".join(map(str, settings.templates))
    if field:
        return str(getattr(settings, field) or "not set")
    default = "not set" if setting.range is None else str(setting.default_number)
    return settings.in_file.get(setting.key) or default


def _database(settings: Settings) -> str:
    if not session.is_named(settings):
        return f"embedded, in {settings.home / 'postgres'}"
    return _described(settings.database_url or "")


def _described(address: str) -> str:
    try:
        database.read_address(address)
    except UsageError:
        return "an address that can't be read"
    return database.described(address)


def _source(setting: Setting, settings: Settings, database_url: str | None) -> str:
    is_database = setting.variable == f"{_PREFIX}DATABASE_URL"
    if is_database and database_url:
        return "--database-url"
    if os.environ.get(setting.variable):
        return setting.variable
    if is_database and settings.database_url is None and session.is_named(settings):
        return ", ".join(filter(os.environ.get, session.LIBPQ_VARIABLES))
    return PROJECT_FILE if settings.in_file.get(setting.key) else "default"
