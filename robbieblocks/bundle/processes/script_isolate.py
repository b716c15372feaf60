"""A V8 isolate in a child process, for scripts of the toolchain.

V8 takes tens of megabytes that a process never returns to the system, and a script that crashes
V8 ends its process. So it does not run in the process that builds.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from robbieblocks.bundle.processes.keep_alive import ChildProgram
from robbieblocks.errors import ProcessFailed
from robbieblocks.process import Child

_CHILD: Final = Path(__file__).resolve().with_name("script_isolate_child.py")
_PACKAGE_PARENT: Final = str(_CHILD.parents[3])
# Added to the scripts' own time: for starting on a busy machine, and for reporting a timeout.
_MARGIN_S: Final = 30.0

ScriptResult = str | int | float | None


class _Reply(TypedDict, total=False):
    """What the child answers: `result` of the last script, or `error`."""

    result: ScriptResult
    error: str


class ScriptIsolate(ChildProgram):
    """One isolate. Its process gets no variable of this process' environment.

    `scripts` are run at once, in the background. Each script, also those of `run`, may take
    `timeout_s` seconds.
    """

    def __init__(self, scripts: Sequence[str], timeout_s: float) -> None:
        env = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_PACKAGE_PARENT, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # Started by its path: by its name, Python would import all of this package first.
        super().__init__(Child((sys.executable, "-X", "utf8", "-P", _CHILD), env))
        self._timeout_s = timeout_s
        self._first_result = self._in_background(lambda: self._run(scripts))

    def first_result(self) -> ScriptResult:
        """The result of the last of the first scripts; waits for it. Raises as `run` does."""
        return self._first_result.result()

    def run(self, script: str) -> ScriptResult:
        """The value of a script: a text, a number, or None.

        Raises ProcessFailed where it throws, takes too long, takes all memory, or ends the process.
        """
        self.first_result()
        return self._run([script])

    def run_text(self, script: str) -> str:
        """The value of a script that gives a text. Raises as `run` does."""
        return str(self.run(script))

    def _run(self, scripts: Sequence[str]) -> ScriptResult:
        request = json.dumps({"scripts": scripts, "timeout_s": self._timeout_s}).encode()
        timeout_s = len(scripts) * self._timeout_s + _MARGIN_S
        reply: _Reply = json.loads(self._child.call(request, timeout_s))
        if "error" in reply:
            self._child.kill()
            raise ProcessFailed(f"a script failed in the isolate: {reply['error']}")
        return reply.get("result")
