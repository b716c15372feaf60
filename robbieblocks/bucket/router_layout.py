"""The layout with a router in front: objects by their content, a table, and then the pointer.

Nothing that is visible changes before the pointer does, and that is one write, bound to the one
that was read: two publishers can't both win, and one that slept can't bring back what is older.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import Final

from robbieblocks import failpoints
from robbieblocks.bucket import pointer as pointers
from robbieblocks.bucket.pointer import Held, RouterPointer
from robbieblocks.bucket.source import Source, Wanted
from robbieblocks.bucket.uploading import Prepared, Uploads, each
from robbieblocks.errors import UsageError
from robbieblocks.objectstore import Bucket, Overtaken
from robbieblocks.release import Retention, is_asset_name

PAGES: Final = "pages/"
ASSETS: Final = "assets/"
TABLES: Final = "releases/"
# Routers read the pointer once a second: its lists must stay short.
_LISTED_MAX: Final = 100
# From so many objects on it is cheaper to ask which are there than to write them all.
_LIST_FROM: Final = 50
# What nobody names is removed once it is so old. A push counts what is half as old as missing, so
# nothing that it relies on is removed while it goes on.
_UNUSED: Final = timedelta(hours=24)
_BY_CONTENT: Final = re.compile(r"(?:pages|releases)/[0-9a-f]{64}(?:\.[A-Za-z0-9]+)?")


@dataclass(slots=True, kw_only=True)
class RouterLayout:
    """Publishes a node's source to a bucket. `verify` looks for each object, not only new ones.

    `retention` is the site root's: as many tables stay as releases and as days, the last of each.
    """

    bucket: Bucket
    writer: str
    go_on: Callable[[], bool]
    retention: Retention
    verify: bool = False

    def read(self) -> Held | None:
        """The pointer that counts now."""
        return pointers.read(self.bucket, "router")

    def prepare(self, source: Source, held: Held | None) -> Prepared:
        """Write every object that is missing. What is visible stays as it is."""
        files, table = source.by_content(PAGES, ASSETS)
        before = held.pointer if held and isinstance(held.pointer, RouterPointer) else None
        done = Uploads()
        counts = before is not None and before.table == table.key
        if not counts or self.verify:
            wanted = [*source.assets(ASSETS), *files, table]
            each(self._missing(wanted, before), self._put(done), self.go_on)
        failpoints.reached("bucket objects")
        if counts and before is not None and before.writer == self.writer:
            return Prepared(done)
        pointer = self._next(before, source, table.key)
        return Prepared(done, partial(self._swap, pointer, held))

    def prune(self, now: datetime) -> int:
        """Remove what no kept table names, once it is a day old; how many objects.

        An asset stays as long as the retention says of assets: open pages may ask for it.

        Raises UsageError where it can't be told what the table that counts names.
        """
        held = self.read()
        if held is None or not isinstance(held.pointer, RouterPointer):
            return 0
        kept = self._keys_of(held.pointer.table)
        if not kept:
            raise UsageError(
                f"{self.bucket.address}{held.pointer.table}, the table that counts, is gone or "
                "damaged, so nothing is removed\n"
                "  -> write it again: `robbieblocks bucket push --verify`"
            )
        kept |= held.pointer.kept_tables
        for key in held.pointer.kept_tables:
            kept |= self._keys_of(key)
        assets = max(_UNUSED, timedelta(days=self.retention.asset_days))
        unused = [
            found.key
            for folder in (PAGES, ASSETS, TABLES)
            for found in self.bucket.list(folder)
            if found.key not in kept
            and now - found.modified > (assets if folder == ASSETS else _UNUSED)
            and _is_own(found.key)
        ]
        failpoints.reached("bucket listed")
        # Whatever was swapped in meanwhile uses what was kept, or wrote anew what was as old.
        self.bucket.delete(unused)
        return len(unused)

    def _swap(self, pointer: RouterPointer, held: Held | None) -> None:
        try:
            self.bucket.put_bound(pointers.stored(pointer), held.etag if held else None)
        except Overtaken:
            # Or the answer was lost, and the write was tried twice.
            now = self.read()
            if now is None or now.pointer != pointer:
                raise
        failpoints.reached("bucket pointer")

    def _put(self, done: Uploads) -> Callable[[Wanted], None]:
        def put(wanted: Wanted) -> None:
            stored = wanted.stored()
            self.bucket.put(stored)
            failpoints.reached("bucket object")
            done.objects += 1
            done.size_bytes += len(stored.data)

        return put

    def _missing(self, wanted: list[Wanted], before: RouterPointer | None) -> list[Wanted]:
        """What has to be written: with `verify` everything is looked for."""
        known: set[str] = set() if before is None or self.verify else self._keys_of(before.table)
        missing = [each for each in wanted if each.key not in known]
        if len(missing) < _LIST_FROM and not self.verify:
            return missing
        in_use = self._keys_of(before.table) | {before.table} if before else set[str]()
        there = {
            found.key: found for name in (PAGES, ASSETS, TABLES) for found in self.bucket.list(name)
        }
        now = datetime.now(UTC)

        def is_there(one: Wanted) -> bool:
            found = there.get(one.key)
            if found is None:
                return False
            if one.key in in_use:
                # It can only be damaged by others; its size tells as much as a list does.
                return not self.verify or found.size_bytes == len(one.read())
            return now - found.modified < _UNUSED / 2

        return [one for one in missing if not is_there(one)]

    def _keys_of(self, table: str) -> set[str]:
        """The objects that a table names; none where it is gone, so they are written again."""
        found = self.bucket.get(table)
        if found is None:
            return set()
        try:
            given = json.loads(found.data)
            keys = {key for key, _app in given["files"].values()} | set(given["assets"])
            return keys | ({given["notFound"][0]} if given["notFound"] else set())
        except (ValueError, TypeError, KeyError, AttributeError):
            return set()

    def _next(self, before: RouterPointer | None, source: Source, table: str) -> RouterPointer:
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        if before is None:
            return RouterPointer(
                generation=1,
                writer=self.writer,
                builds=source.builds,
                table=table,
                history=(table,),
                days={today: table},
            )
        history = dict.fromkeys((table, *before.history))
        days = {**before.days, today: table}
        # An asset that went within a day is named by the table with which the day before ended.
        count = max(self.retention.days, ceil(self.retention.asset_days), 1)
        return RouterPointer(
            generation=before.generation + 1,
            writer=self.writer,
            builds=source.builds,
            table=table,
            history=tuple(history)[: min(self.retention.releases, _LISTED_MAX)],
            days=dict(sorted(days.items())[-min(count, _LISTED_MAX) :]),
        )


def _is_own(key: str) -> bool:
    """Whether this layout names objects so; another node's prefix may be within this one's."""
    folder, _, name = key.rpartition("/")
    if f"{folder}/" == ASSETS:
        return is_asset_name(name) and name != pointers.ROUTER_KEY
    return _BY_CONTENT.fullmatch(key) is not None
