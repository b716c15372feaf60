"""`robbieblocks preview`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from psycopg import Connection

from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import BuildContext
from robbieblocks.prerender import Prerenderer
from robbieblocks.review import Asked, Review, as_markdown, as_object, as_text, review
from robbieblocks.settings import Settings

Form = Literal["text", "json", "markdown"]


def run(asked: Asked, format_: Form, settings: Settings, prerenderer: Prerenderer) -> None:
    """Compare, and print the result."""
    with BuildContext.open(settings, print_progress, prerenderer=prerenderer) as context:
        made = review(
            asked,
            settings=settings,
            context=context,
            connect=lambda: _database(settings),
            now=datetime.now(UTC),
            progress=print_progress,
        )
    print_result(_printed(made.review, format_))


def _printed(made: Review, format_: Form) -> str:
    if format_ == "json":
        return as_json(as_object(made))
    return as_markdown(made) if format_ == "markdown" else as_text(made)


@contextmanager
def _database(settings: Settings) -> Generator[Connection]:
    """The database that is live; the embedded one where it is there already."""
    embedded = settings.home / "postgres" / "seeded"
    if not session.is_named(settings) and not embedded.exists():
        raise UsageError(
            "no database is named, so there is nothing live\n"
            "  -> set ROBBIEBLOCKS_DATABASE_URL, the PG* variables or --database-url; or name a "
            "git revision or a folder with --against"
        )
    with session.opened(settings) as connection:
        yield connection
