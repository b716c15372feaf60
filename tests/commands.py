"""The real command line in a process of its own, as a person at a terminal runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import forked

# What `robbieblocks` in the environment's bin folder does; tests need no installation for it.
_ROOT = Path(__file__).resolve().parent.parent
COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path[0] = {str(_ROOT)!r}; sys.argv[0] = 'robbieblocks'; "
    "from robbieblocks.cli import main; main()",
)
PATIENCE = 100.0


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one error that it told, checked to be one and without a traceback."""
        assert "Traceback" not in self.err + self.out, self.err
        told = [line for line in self.err.splitlines() if line.lower().startswith("error: ")]
        assert len(told) == 1, self.err or self.out
        return self.err[self.err.index(told[0]) :]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A home folder, and a database that commands find there or by its address."""

    home: Path
    database_url: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        """The site root."""
        return self.home / "site"

    @property
    def environment(self) -> dict[str, str]:
        """What the commands find in their environment."""
        own = {"ROBBIEBLOCKS_HOME": str(self.home)}
        if self.database_url:
            own["ROBBIEBLOCKS_DATABASE_URL"] = self.database_url
        return {**os.environ, **own, **self.variables}

    def run(self, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> Ran:
        """Run a command to its end, in a process that had imported the program before."""
        words = [str(each) for each in arguments]
        place, environment = str(cwd or self.home.parent), self.environment | variables
        code, out, err = forked.run(words, place, environment, PATIENCE)
        return Ran(code=code, out=out.decode(), err=err.decode())

    @contextmanager
    def running(
        self, *arguments: str | Path, cwd: Path | None = None, **variables: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Lend a command that runs; it is ended with the block."""
        with subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=cwd or self.home.parent,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                try:
                    process.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise


def released(home: Path) -> None:
    """Wait until the embedded server of a home folder has ended and writes there no more."""
    import fcntl

    with (home / "postgres" / "keeper").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.fixture
def installation(tmp_path: Path, seeded_database: str, warm_cache: Path) -> Installation:
    """An installation whose database holds the seed content, with a warm cache; nothing is live."""
    import shutil

    home = tmp_path / "installation"
    shutil.copytree(warm_cache, home / "cache")
    return Installation(home=home, database_url=seeded_database)
