"""Fixtures for tests of the worker's parts against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import Connection

from robbieblocks.database import connect
from robbieblocks.settings import Settings
from tests.workers import fill


@pytest.fixture
def editor(database: str) -> Iterator[Connection]:
    """The editor's connection to the small site of tests/workers.py."""
    with psycopg.connect(database, autocommit=True) as connection:
        fill(connection)
        yield connection


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
