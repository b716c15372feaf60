"""How much a node asks its master for at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from psycopg import Connection

from robbieblocks.sync.link import MasterLink


class Line:
    """A connection to a master with rows without end, over a line of so many rows a second."""

    def __init__(self, rows_a_second: float) -> None:
        self.rows_a_second = rows_a_second
        self.now = 0.0
        self.asked: list[int] = []

    def execute(self, _query: str, values: tuple[Any, ...]) -> SimpleNamespace:
        rows = values[-1]
        self.asked.append(rows)
        self.now += rows / self.rows_a_second
        entries = "x" * 50_000 * rows
        return SimpleNamespace(
            fetchone=lambda: (entries, rows, "last"),
            fetchall=lambda: [(entries, rows, "{}", True, False)],
        )


def _asked(rows_a_second: float, *, copies: bool) -> list[int]:
    line = Line(rows_a_second)
    link = MasterLink(cast("Connection", line), "aurora", monotonic=lambda: line.now)
    for _ in range(8):
        if copies:
            link.copy("robbieblocks_pages", None, None, 200)
        else:
            link.changes(None, 200)
    return line.asked


def test_a_slow_line_brings_few_rows_at_once() -> None:
    """What breaks midway is asked for again: so a page takes seconds, whatever it has. Where all
    comes at once, pages become as large as they may."""
    for copies in (True, False):
        assert _asked(10_000, copies=copies) == [25, 50, 100, 200, 200, 200, 200, 200]
        assert _asked(0.5, copies=copies) == [25, 12, 6, 3, 1, 1, 1, 1]
        assert _asked(10, copies=copies)[-1] == 25
