"""The receiver's connection to the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from psycopg import Connection

from robbieblocks import database
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.settings import Settings

T = TypeVar("T")


@dataclass(slots=True)
class Rows:
    """The receiver's connection, which is opened anew where it was lost.

    `opened` is told of each one.
    """

    settings: Settings
    opened: Callable[[Connection], None] = lambda _: None
    _connection: Connection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, ask: Callable[[Connection], T]) -> T:
        """What `ask` gives; it may be asked twice. Raises what it does, and DatabaseUnavailable."""
        with self._lock:
            known = self._connection
            try:
                return ask(known if known is not None else self._opened())
            except DatabaseUnavailable:
                self.close()
                if known is None:
                    raise
            # The server was started anew since the last request, perhaps.
            return ask(self._opened())

    def _opened(self) -> Connection:
        self._connection = database.connect(self.settings, application_name="robbieblocks forms")
        with database.translated("limit how long a query takes"):
            self._connection.execute("SET statement_timeout = '10s'")
        self.opened(self._connection)
        return self._connection

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
