"""`robbieblocks media`: lists files, puts them where the settings say, and moves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import typer

from robbieblocks import content
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.content import Content, Media
from robbieblocks.errors import ContentError, Problem, UsageError
from robbieblocks.media_names import KEY_REMEDY, key_problem
from robbieblocks.messages import counted, did_you_mean, printable
from robbieblocks.model import MediaObject
from robbieblocks.objectstore import Originals
from robbieblocks.settings import Settings

_DATABASE = "database"
# Of an import from elsewhere than the content folder.
_SOURCE = "media add"


def list_(*, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print each file, its size, and where it lies."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        rows = content.stored_media(connection)
        objects = content.media_objects(connection)
    places = {row.key: objects[row.key].address if row.key in objects else "" for row in rows}
    if format_ == "json":
        listed = [
            {
                "key": row.key,
                "file_name": row.file_name,
                "type": row.type,
                "size_bytes": row.size,
                "hash": row.hash,
                "address": places[row.key] or None,
            }
            for row in rows
        ]
        print_result(as_json({"version": 1, "media": listed}))
    elif not rows:
        print_result("no media")
    else:
        lines = [
            (row.key, row.type, f"{row.size:,} bytes", places[row.key] or _DATABASE) for row in rows
        ]
        print_result("\n".join(aligned(lines)))


def add(
    files: Sequence[Path], *, key: str | None, alt: str | None, database_url: str | None
) -> None:
    """Put files into the media; an older row with the key becomes this one."""
    settings = Settings.from_environment(database_url=database_url)
    if len(files) > 1 and (key is not None or alt is not None):
        raise UsageError("--key and --alt are for one file: name one, or write a TOML beside each")
    if key is not None and (wrong := key_problem(key)):
        raise UsageError(f"--key {printable(key)} {wrong}: {KEY_REMEDY}")
    rows = content.media_of(files)
    if problems := content.too_large(rows, settings.media_size_max_mb):
        raise ContentError(problems)
    rows = tuple(replace(row, key=key or row.key, alt=alt or row.alt) for row in rows)
    twice = sorted({row.key for row in rows if [r.key for r in rows].count(row.key) > 1})
    if twice:
        raise UsageError(f"two of the files have the key {twice[0]}: add one of them with --key")
    originals = Originals(settings.media_bucket) if settings.media_bucket else None
    with session.opened(settings) as connection:
        merged = content.import_(
            connection,
            Content(media=rows),
            side=lambda _: "theirs",
            source=_SOURCE,
            originals=originals,
        )
        held = content.media_objects(connection)
    added = {row.name.key for row in merged if row.action in ("add", "update")}
    for row in rows if originals else ():
        given = row.read() if row.key in held and row.key not in added else None
        if isinstance(given, bytes) and originals:
            # An object that was lost: its row says the same as ever.
            originals.put(given)
    for row in rows:
        done = "put" if row.key in added else "already there:"
        print_result(f"{done} media:{row.key}  {row.file_name}, {row.size:,} bytes")


def move(
    keys: Sequence[str], *, to: Literal["bucket", "database"], database_url: str | None
) -> None:
    """Move the bytes of files; exit 1 where one could not be moved."""
    settings = Settings.from_environment(database_url=database_url)
    originals = Originals(settings.media_bucket)
    if settings.media_bucket is None:
        raise UsageError(
            "no bucket for media is named\n"
            '  -> write bucket = "s3://name/prefix" below [media] in robbieblocks.toml'
        )
    moved, wrong = 0, list[Problem]()
    with session.opened(settings) as connection:
        rows = {row.key: row for row in content.stored_media(connection)}
        for key in keys:
            if key not in rows:
                raise UsageError(f"there is no media:{printable(key)}: {did_you_mean(key, rows)}")
        objects = content.media_objects(connection)
        for key in sorted(set(keys) or rows):
            if (key in objects) is (to == "bucket"):
                continue
            found = _elsewhere(rows[key], objects.get(key), originals)
            if isinstance(found, Problem):
                wrong.append(found)
            elif content.move_media(connection, rows[key], found):
                moved += 1
                place = found.address if isinstance(found, MediaObject) else "the database"
                print_result(f"moved media:{key} to {place}")
            else:
                print_progress(f"media:{key} was changed meanwhile, and stays where it is")
    for problem in wrong:
        print_progress(str(problem))
    print_result(f"{counted(moved, 'file')} moved")
    if wrong:
        raise typer.Exit(1)


def _elsewhere(
    row: Media, held: MediaObject | None, originals: Originals
) -> bytes | MediaObject | Problem:
    """Of a row in the bucket its bytes, of one in the database the object that they have become."""
    if held is None:
        given = row.read()
        return originals.put(given) if isinstance(given, bytes) else given
    found = originals.read(held)
    if isinstance(found, bytes):
        return found
    return Problem(
        entity="media",
        key=row.key,
        field="content_address",
        what=found.what,
        remedy=found.remedy,
    )
