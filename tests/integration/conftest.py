"""Fixtures for tests of the worker's parts against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from psycopg import Connection

from robbieblocks.database import connect
from robbieblocks.settings import Settings


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
