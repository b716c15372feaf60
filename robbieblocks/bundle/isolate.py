"""A bare V8 isolate in a process of its own, for scripts of the toolchain.

V8 takes tens of megabytes that a process never gives back, and a word that kills it takes the
process along.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from robbieblocks.bundle.kept import Program
from robbieblocks.errors import ProcessFailed
from robbieblocks.process import Child

_CHILD: Final = Path(__file__).resolve().with_name("child.py")
_PACKAGE: Final = str(_CHILD.parent.parent.parent)
# To start on a busy machine, and to be told that a script was stopped.
_SLACK_S: Final = 30.0


class Isolate(Program):
    """One isolate; it inherits nothing of the environment.

    It is started with scripts, and gets ready while other work is done; each may take `seconds`,
    these and those of `run`.
    """

    def __init__(self, scripts: Sequence[str], seconds: float) -> None:
        env = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_PACKAGE, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # By its path and not its name: it needs nothing of this package.
        super().__init__(Child((sys.executable, "-X", "utf8", "-P", _CHILD), env))
        self._seconds = seconds
        self._begun = self._aside(lambda: self._run(scripts))

    def begun(self) -> Any:
        """What the last of the first scripts gave, once it did. Raises as `run` does."""
        return self._begun.result()

    def run(self, script: str) -> Any:
        """What the script gives: a text, a number, or None.

        Raises ProcessFailed where it throws, takes too long, takes all memory, or kills the
        process.
        """
        self.begun()
        return self._run([script])

    def _run(self, scripts: Sequence[str]) -> Any:
        request = json.dumps({"run": scripts, "seconds": self._seconds}).encode()
        patience = len(scripts) * self._seconds + _SLACK_S
        reply = json.loads(self._child.call(request, patience))
        if "failed" in reply:
            self._child.kill()
            raise ProcessFailed(f"a script failed in the isolate: {reply['failed']}")
        return reply["gives"]
