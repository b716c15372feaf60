"""Fixtures that several files here have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from robbieblocks.database import connect
from robbieblocks.release import SiteRoot, manifest_writer
from robbieblocks.settings import Settings
from robbieblocks.snapshot import taking
from tests.integration.rows import CONTENT


@pytest.fixture
def open_connection(settings: Settings) -> Iterator[Callable[[str], Connection]]:
    """Opens connections as the worker does, and closes them after the test."""
    opened: list[Connection] = []

    def open_(name: str) -> Connection:
        opened.append(connect(settings, application_name=f"robbieblocks {name}"))
        return opened[-1]

    yield open_
    for connection in opened:
        connection.close()


@pytest.fixture
def db(database: str) -> Iterator[Connection]:
    """A connection to a database with a little content and an empty queue."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(CONTENT)
        yield connection


@pytest.fixture
def site_root(tmp_path: Path) -> SiteRoot:
    """An empty site root."""
    return SiteRoot(tmp_path / "site")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases of a few pages are told from a base, as those of thousands are."""
    monkeypatch.setattr(manifest_writer, "_TOLD_PAGES_MIN", 1)
    monkeypatch.setattr(manifest_writer, "_TOLD_PART", 1)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read whole: grows with each reading of everything."""
    read: list[str] = []
    really = taking._read_all

    def note(*asked: Any, **more: Any) -> Any:
        read.append("everything")
        return really(*asked, **more)

    monkeypatch.setattr(taking, "_read_all", note)
    return read
