"""Failpoints: named points between two steps that touch the disk, where tests kill the process.

Only a test assigns `hook`; no setting or environment variable reaches it.
"""

from __future__ import annotations

from collections.abc import Callable


def _nothing(_step: str) -> None:
    return None


hook: Callable[[str], None] = _nothing


def reached(step: str) -> None:
    """Tell the hook that `step` is done."""
    hook(step)
