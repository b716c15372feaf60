"""`content/media/`: pictures, fonts and other files, and what a TOML file beside one says of it.

    content/media/harbour.jpg           media:harbour
    content/media/harbour.jpg.toml      alt = "The harbour at dawn"

The key is the file's name without its suffix, unless the TOML states another. `alt`,
`is_decorative`, `focal_point` and `served_path` are columns of the row; `file_name` is there where
the file can't be called so here.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from robbieblocks.content.shape import Media
from robbieblocks.errors import ContentError, Problem
from robbieblocks.file_reading import read_file
from robbieblocks.media import KindProblem, kind_of
from robbieblocks.media_names import (
    KEY_REMEDY,
    focal_point_problem,
    key_problem,
    path_problem,
)
from robbieblocks.model import Sha256, sha256
from robbieblocks.source_files import ProblemCollector, Table, read_toml

MEDIA: Final = "media"
# What no setting can exceed: Postgres holds a row of it in memory several times.
MEDIA_MOST_BYTES: Final = 64 << 20


def toml_of(file: Path) -> Path:
    """The file that says something of a media file."""
    return file.with_name(f"{file.name}.toml")


def read_media(collector: ProblemCollector, paths: Iterable[Path]) -> list[Media]:
    """The rows that the files of the folder describe; what is wrong with them is collected."""
    listed = list(paths)
    files = {path for path in listed if path.suffix != ".toml"}
    found: list[Media] = []
    for path in listed:
        if path not in files:
            if path.with_suffix("") not in files:
                remedy = f"put {path.stem} beside it, or remove it"
                collector.add(path, "tells of a file that is not there", remedy)
            continue
        row = _read(collector, path)
        if row is not None:
            found.append(row)
    return found


def media_of(files: Iterable[Path]) -> tuple[Media, ...]:
    """The rows that files anywhere describe, each with the TOML beside it, sorted by key.

    Raises ContentError with every mistake.
    """
    found: list[Media] = []
    problems: list[Problem] = []
    for file in map(Path.absolute, files):
        collector = ProblemCollector(file.parent, (file.parent,))
        row = _read(collector, file)
        found += [row] if row is not None and not collector.problems else []
        problems += collector.problems
    if problems:
        raise ContentError(problems)
    return tuple(sorted(found, key=lambda row: row.key))


def media_values(table: Table) -> dict[str, Any]:
    """What the TOML beside a file says of it; what is wrong with it is collected."""
    values: dict[str, Any] = {
        "key": table.string("key", most=255),
        "file_name": table.string("file_name", most=255),
        "alt": table.string("alt"),
        "is_decorative": table.boolean("is_decorative", default=False),
        "focal_point": table.string("focal_point", most=50),
        "served_path": table.string("served_path", most=500),
    }
    table.finish()
    if values["alt"] and values["is_decorative"]:
        table.report("alt", "is there though the picture is decorative", "keep one of the two")
    point = values["focal_point"]
    if point is not None and (wrong := focal_point_problem(point)):
        remedy = "write from the left and from the top, such as 50% 20%"
        table.report("focal_point", wrong, remedy)
    if values["served_path"] is not None and (wrong := path_problem(values["served_path"])):
        table.report("served_path", wrong, "write such as /ads.txt")
    return values


def _read(collector: ProblemCollector, file: Path) -> Media | None:
    toml = toml_of(file)
    table = read_toml(collector, toml) if os.path.lexists(toml) else None
    said = media_values(table) if table else {}
    key = said.get("key") or file.stem
    if (wrong := key_problem(key)) and not file.is_dir():
        collector.add(file, f"has a key that {wrong}: {key!r}", f"{KEY_REMEDY}, or state a key")
        return None
    read = partial(read_file, file, *collector.inside, most=MEDIA_MOST_BYTES)
    try:
        measured = _measured(file, collector.inside, _stamp(file), said.get("served_path") or "")
    except IsADirectoryError:
        what = "is a folder, and media are files in one folder"
        collector.add(file, what, f"move its files into {file.parent.name}/")
        return None
    except OSError as error:
        what = f"can't be read: {error.strerror or error}"
        collector.add(file, what, "put a file of its own there, which this user may read")
        return None
    hash_, size, kind = measured
    if isinstance(kind, KindProblem):
        collector.add(file, kind.what, kind.remedy)
        return None
    return Media(
        key=key,
        file_name=said.get("file_name") or file.name,
        type=kind.type,
        hash=hash_,
        size=size,
        alt=said.get("alt"),
        is_decorative=bool(said.get("is_decorative")),
        focal_point=said.get("focal_point"),
        served_path=said.get("served_path"),
        width=kind.width,
        height=kind.height,
        read=read,
        file=file,
    )


def _stamp(file: Path) -> tuple[int, ...]:
    """What differs once a file was written again."""
    stat = file.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


@functools.lru_cache(maxsize=4096)
def _measured(
    file: Path, inside: tuple[Path, ...], _stamp: tuple[int, ...], served_path: str
) -> tuple[Sha256, int, Any]:
    """A file's hash, size and kind; a file that stayed as it is isn't read again."""
    content = read_file(file, *inside, most=MEDIA_MOST_BYTES)
    return sha256(content), len(content), kind_of(file.name, content, served_path=served_path)


def too_large(rows: Iterable[Media], most_mb: int) -> list[Problem]:
    """A problem for each file that has more than so many megabytes."""
    return [
        Problem(
            entity="media",
            key=row.key,
            field="content",
            what=f"{row.file_name} has {row.size / 2**20:.1f} MB, at most {most_mb} are allowed",
            remedy="make it smaller, or raise media.size_max_mb in robbieblocks.toml",
        )
        for row in rows
        if row.size > most_mb << 20
    ]
