"""A hash of code: part of the keys of what it makes."""

from __future__ import annotations

import functools
from pathlib import Path

from robbieblocks.model import Sha256, sha256


@functools.cache
def source_hash(*paths: Path) -> Sha256:
    """A hash of the code in these files and folders.

    It changes when a Python or JavaScript file changes, is added, renamed or removed. Take it while
    a module is imported: an upgrade may exchange files under a process that runs, and what that
    makes must not be kept as the work of code that it never read.
    """
    lines = (
        f"{file.relative_to(path.parent).as_posix()} {sha256(file.read_bytes())}\n"
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.suffix in (".py", ".js")
    )
    return sha256("".join(lines))
