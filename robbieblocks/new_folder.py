"""Writes a folder of files where there is nothing yet: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.process import sweep_temporary_folders, temporary_folder

_PREFIX: Final = ".robbieblocks-new-"


def check_is_new(folder: Path) -> None:
    """Raise UsageError where something is there that is no empty folder.

    What a killed process left aside is removed.
    """
    there = folder.is_dir()
    sweep_temporary_folders(folder, _PREFIX)
    if any(folder.iterdir()) if there else os.path.lexists(folder):
        what = "is not empty" if there else "is no folder"
        raise UsageError(f"{printable(str(folder))} {what}: name a new folder, or an empty one")


def write_new_folder(folder: Path, files: Mapping[Path, bytes]) -> None:
    """Write the files aside, and move them where they belong in the end.

    `files` has bytes by path in the folder, in the order in which they appear in it. Raises
    UsageError as `check_is_new`, and OSError; then nothing is left behind.
    """
    check_is_new(folder)
    there = folder.is_dir()
    near = folder if there else folder.absolute().parent
    near.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(path.parts[0] for path in files)
    moved: list[Path] = []
    with temporary_folder(near, _PREFIX) as aside:
        made = aside / "folder"
        try:
            for path, body in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_bytes(body)
            if there:
                for name in names:
                    _move(made / name, folder / name)
                    moved.append(folder / name)
            else:
                made.rename(folder)
        except BaseException:
            for each in moved:
                shutil.rmtree(each) if each.is_dir() else each.unlink(missing_ok=True)
            raise


def _move(made: Path, to: Path) -> None:
    """Move it where nothing is; somebody else may have written there since it was looked at."""
    if os.path.lexists(to):
        raise UsageError(
            f"somebody else has written {printable(str(to))} meanwhile: name a new folder"
        )
    made.rename(to)
