"""`robbieblocks db analyze`."""

from __future__ import annotations

from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_result
from robbieblocks.database import maintenance
from robbieblocks.settings import Settings


def analyze(database_url: str | None, format_: str) -> None:
    """Print what may make the database slow, as text or as JSON."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        analysis = maintenance.analyze(connection)
    if format_ == "json":
        print_result(as_json(analysis.as_json()))
        return
    for found in (analysis.database, *analysis.findings):
        print_result(str(found))
