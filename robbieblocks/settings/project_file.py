"""`robbieblocks.toml`: found, read, and described."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robbieblocks.errors import UsageError
from robbieblocks.settings.addresses import ORIGINS, TABLE, URLS, read_addresses
from robbieblocks.settings.applications import NAME, read_applications
from robbieblocks.settings.collections import COLLECTIONS_MEANING, ROWS_MAX, read_collections
from robbieblocks.settings.collections import NAME as COLLECTIONS
from robbieblocks.settings.entries import PROJECT_FILE, SETTINGS
from robbieblocks.settings.events import FORMATS, KINDS, EventSettings, read_events
from robbieblocks.settings.events import NAME as EVENTS
from robbieblocks.settings.forms import (
    FORMS_MEANING,
    RECEIVER,
    FormSettings,
    check_receiver,
    read_forms,
)
from robbieblocks.settings.forms import NAME as FORMS
from robbieblocks.settings.freeze_windows import KINDS as WINDOW_KINDS
from robbieblocks.settings.freeze_windows import NAME as FREEZE
from robbieblocks.settings.freeze_windows import (
    WINDOWS_MEANING,
    FreezeWindow,
    read_freeze_windows,
)
from robbieblocks.settings.reference import (
    APPLICATIONS_MEANING,
    EVENTS_MEANING,
    ORIGINS_MEANING,
    URLS_MEANING,
)
from robbieblocks.settings.sync import NAME as SYNC
from robbieblocks.settings.sync import TABLES_MEANING, read_sync_tables

if TYPE_CHECKING:
    from robbieblocks.model import CollectionSource
    from robbieblocks.source_files import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """What a project's file says: `values` by table and key, whom `events` are told, in which
    `freeze_windows` nothing goes out, its `collections`, and `forms` by name.
    """

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    events: EventSettings | None = None
    freeze_windows: tuple[FreezeWindow, ...] = ()
    collections: tuple[CollectionSource, ...] = ()
    forms: Mapping[str, FormSettings] = field(default_factory=dict[str, FormSettings])


def current_folder() -> Path:
    """The current folder. Raises UsageError where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current folder can't be read: {error.strerror}\n"
            "  -> change into one that is there"
        ) from error


def find_project_file() -> Path | None:
    """The project's file of the current folder, or of the nearest folder above it."""
    folder = current_folder()
    files = (each / PROJECT_FILE for each in (folder, *folder.parents))
    return next((file for file in files if os.path.lexists(file)), None)


def read_project_file(file: Path) -> ProjectFile:
    """What a project's file says. Raises UsageError for a mistake."""
    # Most commands run without such a file, and need no TOML.
    from robbieblocks.source_files import ProblemCollector, read_toml

    collector = ProblemCollector(Path(), (file.parent,))
    table = read_toml(collector, file)
    found = ProjectFile() if table is None else _read(table)
    if collector.problems:
        raise UsageError("\n".join(map(str, collector.problems)))
    return found


def _read(table: Table) -> ProjectFile:
    from robbieblocks.messages import did_you_mean, printable

    found: dict[str, str] = {}
    tables: dict[str, Table] = {}
    for setting in SETTINGS:
        name, _, key = setting.key.partition(".")
        if key:
            inner = tables.get(name) or tables.setdefault(name, table.table(name))
            if setting.range is not None:
                found[setting.key] = _number(inner, key, setting.range)
                continue
            value = found[setting.key] = inner.string(key) or ""
            if value and setting.choices and value not in setting.choices:
                inner.report(key, f'is "{printable(value)}"', did_you_mean(value, setting.choices))
    for path, address in read_applications(table).items():
        found[f"{NAME}.{path}"] = address
    events = read_events(table)
    windows = read_freeze_windows(table)
    collections = read_collections(table)
    forms = read_forms(table)
    check_receiver(tables[RECEIVER], found)
    for name, urls in read_addresses(tables[TABLE]).items():
        found |= {f"{TABLE}.{name}.{node}": url for node, url in urls.items()}
    found |= read_sync_tables(tables[SYNC])
    for each in (table, *tables.values()):
        each.finish()
    return ProjectFile(
        values=found,
        events=events,
        freeze_windows=windows,
        collections=collections,
        forms=forms,
    )


def _number(table: Table, key: str, allowed: tuple[int, int]) -> str:
    """A whole number as text; empty where it is not there."""
    value = table.integer(key)
    if value is not None and not allowed[0] <= value <= allowed[1]:
        table.report(key, f"is {value}", f"choose a whole number from {allowed[0]} to {allowed[1]}")
    return "" if value is None else str(value)


def file_schema() -> dict[str, Any]:
    """The JSON Schema of robbieblocks.toml."""
    from robbieblocks.source_files import outline

    made = outline(_read)
    for setting in SETTINGS:
        table, _, key = setting.key.partition(".")
        if key:
            entry = made["properties"][table]["properties"][key]
            entry["description"] = setting.meaning
            if setting.range is not None:
                entry["minimum"], entry["maximum"] = setting.range
            if setting.choices:
                entry["enum"] = ["", *setting.choices]
    made["properties"][NAME]["description"] = APPLICATIONS_MEANING
    made["properties"][FORMS]["description"] = FORMS_MEANING
    _describe_events(made["properties"][EVENTS])
    site = made["properties"][TABLE]["properties"]
    site[URLS]["description"], site[ORIGINS]["description"] = URLS_MEANING, ORIGINS_MEANING
    made["properties"][SYNC]["properties"]["tables"]["description"] = TABLES_MEANING
    windows = made["properties"][FREEZE]["properties"]["windows"]
    windows["description"] = WINDOWS_MEANING
    windows["items"]["properties"]["kind"]["enum"] = ["", *WINDOW_KINDS]
    collections = made["properties"][COLLECTIONS]
    collections["description"] = COLLECTIONS_MEANING
    rows_max = collections["additionalProperties"]["properties"]["rows_max"]
    rows_max["minimum"], rows_max["maximum"] = ROWS_MAX
    return made


def _describe_events(schema: dict[str, Any]) -> None:
    schema["description"] = EVENTS_MEANING
    webhook = schema["properties"]["webhooks"]["items"]["properties"]
    webhook["events"]["items"]["enum"] = list(KINDS)
    webhook["format"]["enum"] = ["", *FORMATS]
