"""The script that an isolate runs before any component, put together from `js/`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().with_name("js")


def script() -> str:
    """The harness. Evaluated after React, it gives the functions that the child process calls."""
    return (_FOLDER / "harness.js").read_text("utf-8")
