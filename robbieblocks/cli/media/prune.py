"""`robbieblocks media prune`: removes objects of the bucket that nothing needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from psycopg import Connection

from robbieblocks import content
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.messages import counted, size, visible_line
from robbieblocks.objectstore import Original, Originals
from robbieblocks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The objects of a bucket: what is needed, what may go, the oldest first, and the others.

    `young` were written a short time ago, `foreign` are at keys that this program does not write.
    """

    needed: int
    unneeded: Sequence[Original]
    young: int
    foreign: int


def run(
    *,
    apply: bool,
    older_than_hours: int,
    limit: int,
    format_: Literal["text", "json"],
    database_url: str | None,
) -> None:
    """Print what nothing needs, and with `apply` remove it, `limit` objects at most."""
    settings = Settings.from_environment(database_url=database_url)
    originals = Originals(settings.media_bucket)
    before = datetime.now(UTC) - timedelta(hours=older_than_hours)
    with session.opened(settings) as connection:
        found = _look(connection, originals, before)
        chosen = found.unneeded[:limit]
        if apply and chosen:
            if not found.needed:
                raise UsageError(
                    "nothing of this database lies in the bucket, so every object would go\n"
                    "  -> name the database whose media these are, with --database-url"
                )
            # What somebody added meanwhile was written again, or a row names it.
            still = {each.key for each in _look(connection, originals, before).unneeded}
            chosen = [each for each in chosen if each.key in still]
            originals.remove(chosen)
    if format_ == "json":
        print_result(
            as_json(
                {
                    "version": 1,
                    "applied": apply,
                    "needed": found.needed,
                    "unneeded": len(found.unneeded),
                    "young": found.young,
                    "foreign": found.foreign,
                    "objects": [
                        {
                            "address": each.address,
                            "size_bytes": each.size,
                            "modified": each.modified.isoformat(),
                        }
                        for each in chosen
                    ],
                }
            )
        )
        return
    for each in chosen:
        done = "removed" if apply else "not needed:"
        print_result(f"{done} {visible_line(each.address)}  {each.size:,} bytes")
    if found.foreign:
        what = counted(found.foreign, "object")
        print_progress(f"{what} at other keys than files get here: they stay, needed or not")
    if found.young:
        hours = f"{older_than_hours} h"
        print_progress(f"{counted(found.young, 'object')} younger than {hours}: too young to judge")
    if left := len(found.unneeded) - len(chosen):
        print_progress(f"{left:,} more are not needed: run it again, or raise --limit")
    took = f"{counted(len(chosen), 'object')}, {size(sum(each.size for each in chosen))}"
    print_result(f"removed {took}" if apply else f"{took} can go: --apply removes them")


def _look(connection: Connection, originals: Originals, before: datetime) -> _Found:
    # Listed before the rows are read: what is put there in between is no candidate.
    objects = list(originals.listed())
    needed = content.needed_media(connection)
    used = young = foreign = 0
    unneeded: list[Original] = []
    for each in objects:
        if each.address in needed.addresses or each.hash in needed.hashes:
            used += 1
        elif not each.hash:
            foreign += 1
        elif each.modified > before:
            young += 1
        else:
            unneeded.append(each)
    unneeded.sort(key=lambda each: (each.modified, each.key))
    return _Found(needed=used, unneeded=unneeded, young=young, foreign=foreign)
