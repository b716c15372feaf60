"""`robbieblocks collections`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import typer
from psycopg import Connection

from robbieblocks import changes, snapshot
from robbieblocks.assemble import CheckedRows, MadePages
from robbieblocks.changes import Capture
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.errors import Problem, UsageError
from robbieblocks.messages import counted
from robbieblocks.model import RowCollection, Snapshot
from robbieblocks.settings import PROJECT_FILE, Settings

_INSTALL = "robbieblocks collections install --apply"


@dataclass(frozen=True, slots=True)
class _Looked:
    """The content with its collections, and how changes of each reach the queue."""

    content: Snapshot
    captures: tuple[tuple[RowCollection, Capture], ...]


def list_(*, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print each collection."""
    settings = _settings(database_url)
    with session.opened(settings) as connection:
        looked = _look(connection, settings)
    if format_ == "json":
        print_result(as_json([_json(*each) for each in looked.captures]))
        return
    rows = [("name", "view", "rows", "template", "route", "changes told by")]
    for each, capture in looked.captures:
        source = each.source
        told = [str(table) for table in capture.tables if table.is_captured]
        rows.append(
            (
                source.name,
                ".".join(source.view),
                "-" if each.fault else f"{len(each.rows):,}",
                source.template_page or "-",
                source.route or "-",
                ", ".join(told) or "nothing",
            )
        )
    for line in aligned(rows):
        print_result(line)


def check(*, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print each problem; exit 1 where one is an error."""
    settings = _settings(database_url)
    with session.opened(settings) as connection:
        looked = _look(connection, settings)
    found = tuple(dict.fromkeys(_problems(looked)))
    if format_ == "json":
        print_result(as_json([problem.as_json() for problem in found]))
    else:
        for problem in found:
            print_result(str(problem))
        if not found:
            print_result(f"{counted(len(looked.captures), 'collection')} without a mistake")
    if any(problem.severity == "error" for problem in found):
        raise typer.Exit(1)


def install(*, apply: bool, database_url: str | None) -> None:
    """Print the statements that make the triggers, or run them."""
    settings = _settings(database_url)
    with session.opened(settings) as connection:
        for source in settings.collections:
            capture = changes.collection_capture(connection, source)
            for table in capture.tables:
                if not table.can_capture:
                    print_progress(f"{source.name}: {table} can have no triggers: {_LATER}")
            if apply:
                changes.install_capture(connection, capture)
                done = f"{counted(len(capture.statements), 'statement')} run"
                print_result(f"{source.name}: {done if capture.statements else 'up to date'}")
            else:
                for statement in capture.statements:
                    print_result(statement)
    if not apply:
        print_progress("nothing was changed: run the statements with psql, or with --apply")


_LATER = "a worker sees its changes when it next looks at everything"


def _settings(database_url: str | None) -> Settings:
    settings = Settings.from_environment(database_url=database_url)
    if not settings.collections:
        raise UsageError(
            f"the settings name no collection\n  -> write one into {PROJECT_FILE}: "
            '[collections.products] with view = "shop_products"'
        )
    return settings


def _look(connection: Connection, settings: Settings) -> _Looked:
    content = snapshot.take(connection, sources=settings.collections)
    captures = [
        (each, changes.collection_capture(connection, each.source))
        for each in CheckedRows().of(content.collections)
    ]
    return _Looked(content, tuple(captures))


def _problems(looked: _Looked) -> Iterator[Problem]:
    pages = {page.key for page in looked.content.pages}
    for each, capture in looked.captures:
        source = each.source
        if each.fault is not None:
            yield each.fault
        elif source.template_page and source.template_page not in pages:
            yield Problem(
                entity="collection",
                key=source.name,
                field="template_page",
                what=f"no page {source.template_page} is published, so its rows are no pages",
                remedy="publish the page, or correct template_page in the settings",
            )
        if not source.template_page:
            yield from (row.fault for row in each.rows if row.fault is not None)
        for table in capture.tables:
            if not table.is_captured:
                yield Problem(
                    entity="collection",
                    key=source.name,
                    field="view",
                    what=f"{table} tells of no changes, so they go out when a worker next looks at "
                    "everything",
                    remedy=f"run `{_INSTALL}`" if table.can_capture else "read another table",
                    severity="warning",
                )
    for page in MadePages().applied(looked.content).pages:
        if page.made is not None:
            yield from page.faults


def _json(each: RowCollection, capture: Capture) -> dict[str, object]:
    source = each.source
    return {
        "name": source.name,
        "view": ".".join(source.view),
        "key": source.key,
        "route": source.route,
        "template_page": source.template_page,
        "rows_max": source.rows_max,
        "rows": None if each.fault else len(each.rows),
        "columns": list(each.columns),
        "problem": each.fault.as_json() if each.fault else None,
        "tables": [
            {
                "table": str(table),
                "key": table.key or None,
                "can_capture": table.can_capture,
                "is_captured": table.is_captured,
            }
            for table in capture.tables
        ],
    }
