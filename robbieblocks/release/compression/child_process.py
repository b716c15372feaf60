"""The compressing process: `python -m ...compression.child_process FOLDER ASSET...`.

It makes the copies of these assets that are missing or wrong; an error is on stderr.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.compression.codings import SUFFIXES
from robbieblocks.release.compression.compressors import compress, is_copy
from robbieblocks.release.files import disk
from robbieblocks.release.names import hash_in_name

_FAILED: Final = 3
_LEAST_URGENT: Final = 19


def main(folder: Path, names: list[str]) -> int:
    """Make the copies, and return the exit status."""
    try:
        with disk.attempt("compress assets in", folder), disk.folder(folder) as fd:
            others = list(_other_nodes(folder))
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    make_copies(name, fd, others)
    except SiteUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


def make_copies(name: str, fd: int, others: list[Path]) -> None:
    """Make each copy of an asset that is missing or wrong.

    A copy that another node has is linked: equal assets are compressed once on a machine. The
    copies of a damaged asset stay as they are until it is repaired: they may be right.
    """
    content = disk.read_file(name, dir_fd=fd)
    if not hashlib.sha256(content).hexdigest().startswith(hash_in_name(name) or ""):
        return
    for coding, suffix in SUFFIXES.items():
        copy = name + suffix
        if _is_right(coding, copy, content, fd):
            continue
        disk.unlink(copy, dir_fd=fd)
        if not any(_link(other, coding, copy, content, fd) for other in others):
            # Synced before it has its name: half a copy would be kept for a year.
            disk.replace_file(copy, compress(coding, content), dir_fd=fd, sync=True)


def _is_right(coding: str, copy: str, content: bytes, fd: int) -> bool:
    try:
        return is_copy(coding, disk.read_file(copy, dir_fd=fd), content)
    except OSError:
        return False


def _link(folder: Path, coding: str, copy: str, content: bytes, fd: int) -> bool:
    """Whether a right copy of another node could be linked."""
    with contextlib.suppress(OSError), disk.folder(folder) as other:
        if _is_right(coding, copy, content, other):
            os.link(copy, copy, src_dir_fd=other, dst_dir_fd=fd, follow_symlinks=False)
            return True
    return False


def _other_nodes(folder: Path) -> Iterator[Path]:
    """The folders of assets of the other nodes of the site root."""
    for node in folder.parents[1].iterdir():
        assets = node / folder.name
        if assets != folder and assets.is_dir():
            yield assets


if __name__ == "__main__":
    process.die_with_parent()
    os.nice(_LEAST_URGENT)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
