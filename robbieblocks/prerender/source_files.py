"""The hash of a package's own code, as part of the cache keys of what the code makes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from robbieblocks.model import Sha256, sha256

_SUFFIXES: Final = frozenset({".py", ".js"})


def source_files(folder: Path) -> list[Path]:
    """Every Python and JavaScript file below a folder, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)


def source_hash(folder: Path) -> Sha256:
    """A hash that changes when a source file below the folder changes, is added or is removed."""
    lines = (
        f"{path.relative_to(folder).as_posix()} {sha256(path.read_bytes())}\n"
        for path in source_files(folder)
    )
    return sha256("".join(lines))
