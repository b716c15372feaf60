"""Temporary folders: removed after use, and by the next process where theirs was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from robbieblocks import process
from robbieblocks.process import folders

_KILLED = """
import os, signal
from robbieblocks.process import temporary_folder
with temporary_folder() as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("left")
    os.kill(os.getpid(), signal.SIGKILL)
"""

_NEXT = """
from robbieblocks.process import temporary_folder
with temporary_folder():
    pass
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_a_folder_goes_with_its_block(place: Path) -> None:
    """It is there, empty and nobody else's, until the block ends."""
    with process.temporary_folder() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
    assert names(place) == set()


def test_a_folder_may_belong_to_another_user(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server of files gives it to somebody else, it is used and removed all the same."""
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    with process.temporary_folder() as folder:
        assert names(place) == {folder.name}
    assert names(place) == set()


def test_the_next_process_removes_what_a_killed_one_left(place: Path) -> None:
    """A folder of a killed process goes when another makes one; a living one's stays."""
    subprocess.run([sys.executable, "-c", _KILLED], check=False)
    assert len(names(place)) == 1
    with process.temporary_folder() as mine:
        subprocess.run([sys.executable, "-c", _NEXT], check=True)
        assert names(place) == {mine.name}


def test_what_is_not_ours_stays(place: Path) -> None:
    """Links and what they lead to, files, and folders with other names are left alone."""
    kept = place / "elsewhere"
    kept.mkdir()
    (kept / "file").touch()
    (place / "robbieblocks-work-link").symlink_to(kept)
    (place / "robbieblocks-work-file").touch()
    (place / "robbieblocks-0123456789abcdef").mkdir()
    inner = place / "robbieblocks-work-left"
    inner.mkdir()
    (inner / "link").symlink_to(kept)
    process.sweep_temporary_folders()
    assert names(place) == {
        "elsewhere",
        "robbieblocks-work-link",
        "robbieblocks-work-file",
        "robbieblocks-0123456789abcdef",
    }
    assert names(kept) == {"file"}


def test_another_users_folder_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose owner is somebody else is left to them."""
    (place / "robbieblocks-work-theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    process.sweep_temporary_folders()
    assert names(place) == {"robbieblocks-work-theirs"}


def test_a_sweep_between_making_and_locking_costs_another_try(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new folder that a sweep took for left over is made again."""
    taken = folders._taken
    swept: list[Path] = []

    def sweeping(folder: Path, **given: bool) -> int | None:
        if not swept:
            swept.append(folder)
            folder.rmdir()
        return taken(folder, **given)

    monkeypatch.setattr(folders, "_taken", sweeping)
    with process.temporary_folder() as folder:
        assert folder.is_dir()
        assert folder not in swept
    assert names(place) == set()
