"""What is wrong with a row before its bytes are read, and the key by which its forms are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.media_names import focal_point_problem, key_problem, path_problem
from robbieblocks.model import MediaRow, sha256
from robbieblocks.source_hash import source_hash

_CODE: Final = source_hash(Path(__file__).parent)
# What to do where the machine is at fault, and not the picture.
AGAIN: Final = (
    "see what this machine is short of, mostly memory; a worker tries again by itself, or build "
    "again"
)


def cache_key(row: MediaRow) -> str:
    """The hash of what decides the forms: the bytes, how they are read, and how names begin.

    Code is taken only with an address, so that counts, too.
    """
    stated = row.hash, row.key, row.file_name, row.served_path
    return sha256("\0".join((_CODE, *stated)))


def row_problem(row: MediaRow, most_mb: int) -> Problem | None:
    """Why a row can't be shown; None where its columns say nothing against it."""
    if row.size > most_mb << 20:
        return problem(
            row,
            f"has {row.size / 2**20:.1f} MB, at most {most_mb} are allowed",
            "make it smaller, or raise media.size_max_mb in robbieblocks.toml",
        )
    if wrong := key_problem(row.key):
        return problem(row, f"has a key that {wrong}", "give it another media_key")
    if row.served_path and (wrong := path_problem(row.served_path)):
        return problem(row, f"its address {wrong}", "write such as /ads.txt", "served_path")
    if row.focal_point and (wrong := focal_point_problem(row.focal_point)):
        return problem(row, f"its focal point {wrong}", "write such as 50% 20%", "focal_point")
    return None


def problem(row: MediaRow, what: str, remedy: str, field: str = "content") -> Problem:
    """A problem of a row's field."""
    return Problem(entity="media", key=row.key, field=field, what=what, remedy=remedy)


def in_the_way(path: str, served: Iterable[str]) -> str:
    """The address that is the same, or the folder of the other one; "" where there is none."""
    return next(
        (
            other
            for other in served
            if path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")
        ),
        "",
    )
