"""Locks on files, which other accounts may have made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from robbieblocks import file_locks
from tests.workers import without_root_s_rights

_TAKE = """
import sys
from pathlib import Path
from robbieblocks import file_locks
print(file_locks.try_lock(file_locks.open_lock_file(Path(sys.argv[1]))))
"""


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """Files are made for their owner alone."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_lock_that_can_only_be_read_is_taken(tmp_path: Path, is_taken: bool) -> None:
    """As that of another account; and it excludes as any other."""
    path = tmp_path / "lock"
    with file_locks.lock_file(path) as descriptor:
        if is_taken:
            assert file_locks.try_lock(descriptor)
        path.chmod(0o444)
        done = subprocess.run(
            [*without_root_s_rights(), sys.executable, "-c", _TAKE, path],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.strip() == str(not is_taken)


@pytest.mark.usefixtures("strict_umask")
@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_lock_is_made_for_whom_it_is_meant(tmp_path: Path, mode: int) -> None:
    """Whatever the umask of the account that is first."""
    with file_locks.lock_file(tmp_path / "lock", mode=mode):
        pass
    assert (tmp_path / "lock").stat().st_mode & 0o777 == mode


def test_a_lock_is_not_looked_for_behind_a_link(tmp_path: Path) -> None:
    """Whether it leads to a file or to nothing: that may be another's."""
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(OSError, match="symbolic links"):
            file_locks.open_lock_file(tmp_path / "lock")
        (tmp_path / "elsewhere").touch()
