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

_PACKAGE: Final = str(Path(__file__).resolve().parent.parent.parent)
# To start on a busy machine, and to be told that a script was stopped.
_SLACK_S: Final = 30.0


class Isolate(Program):
    """One isolate; it inherits nothing of the environment."""

    def __init__(self) -> None:
        env = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_PACKAGE, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = (sys.executable, "-X", "utf8", "-m", "robbieblocks.bundle.child")
        super().__init__(Child(argv, env))

    def run(self, scripts: Sequence[str], seconds: float) -> Any:
        """What the last of the scripts gives: a text, a number, or None.

        Each may take `seconds`. Raises ProcessFailed where one throws, takes longer, takes all
        memory, or kills the process.
        """
        request = json.dumps({"run": scripts, "seconds": seconds}).encode()
        reply = json.loads(self._child.call(request, len(scripts) * seconds + _SLACK_S))
        if "failed" in reply:
            self._child.kill()
            raise ProcessFailed(f"a script failed in the isolate: {reply['failed']}")
        return reply["gives"]
