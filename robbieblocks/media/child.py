"""The child process that reads and draws pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from robbieblocks.process import ROWS_MEMORY_BYTES, Child, Killed

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


class PictureChild:
    """A child that is started when it is first asked, and anew where it has ended.

    `started` is told of each, before it is asked. Close it to end the child.
    """

    def __init__(self, started: Callable[[Child], None] = lambda _: None) -> None:
        self._started = started
        self._child: Child | None = None

    def call(self, payload: bytes, timeout: float) -> bytes:
        """The answer to one frame, of a second child where others ended the first one.

        Raises as `Child.call` does.
        """
        try:
            return self._running().call(payload, timeout)
        except Killed:
            return self._running().call(payload, timeout)

    def close(self) -> None:
        """End the child if there is one."""
        if self._child is not None:
            self._child.kill()

    def _running(self) -> Child:
        if self._child is None or not self._child.alive:
            self._child = start_child()
            self._started(self._child)
        return self._child
