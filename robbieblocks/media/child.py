"""Starts the child process that reads and draws pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from robbieblocks.process import ROWS_MEMORY_BYTES, Child

_FOLDER: Final = Path(__file__).parent
_PROGRAM: Final = _FOLDER / "picture_process.py"
_IMPORT_ROOT: Final = str(_FOLDER.parent.parent)


def start_child() -> Child:
    """A child that inherits nothing of the environment, and works on one thread."""
    return Child(
        (sys.executable, "-X", "utf8", "-P", _PROGRAM),
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_IMPORT_ROOT, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        },
        memory_bytes=ROWS_MEMORY_BYTES,
    )
