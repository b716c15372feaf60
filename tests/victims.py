"""Programs that come to grief in processes of their own, forked from one that has imported all.

A test that kills at each step of something starts a process for each step. Starting Python and
importing is most of what such a process costs, so it is done once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands import Ran

# A line asks for one process, and is answered with how it ended. The child leaves the loop and runs
# the program as `python -c` does, to its own end.
_FORKING = """
import json, os, sys
program, imports = sys.argv[1:]
program = compile(program, "<victim>", "exec")
exec(imports)
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if not child:
        break
    print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])), flush=True)
else:
    sys.exit()
for number, name, flags in (
    (0, os.devnull, os.O_RDONLY),
    (1, asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    (2, asked["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
):
    opened = os.open(name, flags)
    os.dup2(opened, number)
    os.close(opened)
os.environ.clear()
os.environ.update(asked["environment"])
sys.argv = ["-c", *asked["arguments"]]
exec(program, {"__name__": "__main__"})
"""


@dataclass(frozen=True)
class Victims:
    """What runs one program again and again, and where its output goes."""

    process: subprocess.Popen[str]
    folder: Path

    def run(self, *arguments: str, environment: Mapping[str, str] = os.environ) -> Ran:
        """Run it to its end in a process of its own; the code is negative for a signal."""
        out, err = self.folder / "out", self.folder / "err"
        asked: dict[str, Any] = {
            "arguments": arguments,
            "environment": dict(environment),
            "out": str(out),
            "err": str(err),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        code = json.loads(self.process.stdout.readline())
        return Ran(code=code, out=out.read_text(), err=err.read_text())


@contextmanager
def victims(program: str, imports: str, folder: Path) -> Generator[Victims]:
    """Lend what runs a program after these imports, which start no thread and open nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", _FORKING, program, imports],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Victims(process, folder)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
