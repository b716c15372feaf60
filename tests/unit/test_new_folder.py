"""A folder that is written whole, or not at all, and never over what is there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import UserDict
from collections.abc import ItemsView
from pathlib import Path

import pytest

from robbieblocks.errors import UsageError
from robbieblocks.new_folder import write_new_folder

_KILLED = """
import os, signal, sys
from collections import UserDict
from pathlib import Path
from robbieblocks.new_folder import write_new_folder
class Files(UserDict):
    def items(self):
        yield from super().items()
        os.kill(os.getpid(), signal.SIGKILL)
write_new_folder(Path(sys.argv[1]), Files({Path("a/b.html"): b"x"}))
"""


class _WrittenMeanwhile(UserDict[Path, bytes]):
    """Files; while they are written, somebody else writes one of them into the folder."""

    def __init__(self, other: Path) -> None:
        super().__init__({Path("pages/a.html"): b"ours", Path("index.html"): b"ours"})
        self.other = other

    def items(self) -> ItemsView[Path, bytes]:
        self.other.parent.mkdir(parents=True, exist_ok=True)
        self.other.write_bytes(b"theirs")
        return super().items()


@pytest.mark.parametrize("name", ["index.html", "pages/b.html"])
def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path, name: str) -> None:
    """A file and a folder alike; nothing of ours is left."""
    with pytest.raises(UsageError, match="meanwhile: name a new folder"):
        write_new_folder(tmp_path, _WrittenMeanwhile(tmp_path / name))
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path).as_posix() for path in left] == [name]
    assert left[0].read_bytes() == b"theirs"


def test_what_a_killed_process_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    """The same folder is written by the next one, and what lay aside is gone."""
    ran = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert [*tmp_path.iterdir()]
    write_new_folder(tmp_path, {Path("a/b.html"): b"y"})
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b.html"]
