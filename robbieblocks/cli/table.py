"""Lines of a table for a terminal: cells of rows, made safe, below each other."""

from __future__ import annotations

from collections.abc import Sequence

from robbieblocks.messages import visible_line


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A line for each row, its cells as wide as the widest of their column."""
    safe = [tuple(map(visible_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in safe
    ]
