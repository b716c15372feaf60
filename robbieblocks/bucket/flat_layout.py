"""The layout without a router: each file at its path. It is not atomic.

Assets and stylesheets are written first, then pages, one after the other, and then removed pages
go: while that lasts, some pages are new and others old. The pointer is written before and after it,
bound to the one that was read, and each page is bound to the one that it replaces. So of two
publishers one goes on, and the other finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from robbieblocks import failpoints
from robbieblocks.bucket import pointer as pointers
from robbieblocks.bucket.pointer import FlatPointer, Held
from robbieblocks.bucket.source import Source, Wanted, asset_folder
from robbieblocks.bucket.uploading import Prepared, Uploads, each
from robbieblocks.errors import UsageError
from robbieblocks.objectstore import Bucket, Overtaken
from robbieblocks.release import Retention

_TRIES: Final = 3
# From so many new objects on it is cheaper to ask for a list than for each.
_LIST_FROM: Final = 50


@dataclass(slots=True, kw_only=True)
class FlatLayout:
    """Publishes a node's source to a bucket. `adopt` lets it write over what others put there.

    By the site root's `retention` assets stay that no page names any more.
    """

    bucket: Bucket
    writer: str
    go_on: Callable[[], bool]
    retention: Retention
    verify: bool = False
    adopt: bool = False

    def read(self) -> Held | None:
        """The pointer that counts now."""
        return pointers.read(self.bucket, "flat")

    def prepare(self, source: Source, held: Held | None) -> Prepared:
        """Claim the bucket, and write what differs.

        Raises UsageError where an object is in the way that this program did not put there.
        """
        before = held.pointer if held and isinstance(held.pointer, FlatPointer) else _NOTHING
        parts = (source.assets(asset_folder()), source.by_path(), source.leading_pages())
        wanted = {one.key: one for part in parts for one in part}
        there = self._there(held, before, wanted)
        changed = [one for one in wanted.values() if _differs(one, before, there)]
        self._refuse_foreign(changed, before, there)
        done = Uploads()
        settled = not (before.uploading or before.removing) and before.writer == self.writer
        if not changed and settled and dict(before.builds) == source.builds:
            return Prepared(done)
        tags = dict(before.objects) | {one.key: (one.digest, "") for one in changed}
        claim = replace(
            before,
            generation=before.generation + 1,
            writer=self.writer,
            uploading=True,
            objects=dict(tags),
        )
        claimed = self._write(claim, held.etag if held else None)
        failpoints.reached("bucket claimed")
        for is_first in (True, False):
            part = [one for one in changed if one.goes_first is is_first]
            each(part, self._put(claimed, tags, there, done), self.go_on)
            failpoints.reached("bucket assets" if is_first else "bucket objects")
        pointer = self._next(claim, source, set(wanted), tags)
        return Prepared(done, partial(self._swap, pointer, claimed))

    def _swap(self, pointer: FlatPointer, claimed: str) -> None:
        """Note what is there now, and remove what is to go."""
        noted = self._write(pointer, claimed)
        failpoints.reached("bucket pointer")
        if not pointer.removing:
            return
        self._check_claim(noted)
        self.bucket.delete(pointer.removing)
        failpoints.reached("bucket removed")
        self._write(replace(pointer, generation=pointer.generation + 1, removing=()), noted)

    def _write(self, pointer: FlatPointer, etag: str | None) -> str:
        """Write the pointer over the one with a tag; its own tag."""
        return self.bucket.put_bound(pointers.stored(pointer), etag)

    def _check_claim(self, claimed: str) -> None:
        """Raise Overtaken where another publisher has written the pointer since."""
        if self.bucket.etag(pointers.FLAT_KEY) != claimed:
            raise Overtaken(pointers.FLAT_KEY)

    def prune(self, _now: datetime) -> int:
        """Nothing: retired assets go with a later push."""
        return 0

    def _there(
        self, held: Held | None, before: FlatPointer, wanted: Iterable[str]
    ) -> dict[str, str]:
        """The tag of each object that is there; asked where the pointer may not know it."""
        new = [key for key in wanted if key not in before.objects]
        unknown = held is None or before.uploading or before.writer != self.writer or self.verify
        if unknown or len(new) >= _LIST_FROM:
            return {found.key: found.etag for found in self.bucket.list()}
        there = {key: tag for key, (_digest, tag) in before.objects.items()}

        def look(key: str) -> None:
            tag = self.bucket.etag(key)
            if tag is not None:
                there[key] = tag

        # Where nothing of this program was, somebody else's file may be.
        each(new, look, self.go_on)
        return there

    def _refuse_foreign(
        self, changed: list[Wanted], before: FlatPointer, there: dict[str, str]
    ) -> None:
        foreign = [one.key for one in changed if one.key in there and one.key not in before.objects]
        if foreign and not self.adopt:
            raise UsageError(
                f"{self.bucket.address}{foreign[0]} was not put there by RobbieBlocks, and a file "
                "of the site belongs there\n"
                "  -> name an empty prefix in bucket.url, or let it be written over: "
                "`robbieblocks bucket push --adopt`"
            )

    def _put(
        self,
        claimed: str,
        tags: dict[str, tuple[str, str]],
        there: Mapping[str, str],
        done: Uploads,
    ) -> Callable[[Wanted], None]:
        def put(wanted: Wanted) -> None:
            stored = wanted.stored()
            expected = there.get(wanted.key)
            for tries_left in reversed(range(_TRIES)):
                try:
                    tags[wanted.key] = (wanted.digest, self.bucket.put_bound(stored, expected))
                    break
                except Overtaken:
                    if not tries_left:
                        raise
                    # One that was overtaken wrote it, or its own answer was lost.
                    self._check_claim(claimed)
                    expected = self.bucket.etag(wanted.key)
            failpoints.reached("bucket object")
            done.objects += 1
            done.size_bytes += len(stored.data)

        return put

    def _next(
        self,
        claim: FlatPointer,
        source: Source,
        wanted: Set[str],
        tags: Mapping[str, tuple[str, str]],
    ) -> FlatPointer:
        now = datetime.now(UTC)
        kept = timedelta(days=self.retention.asset_days)
        today, long_ago = f"{now:%Y-%m-%d}", f"{now - kept:%Y-%m-%d}"
        unnamed = claim.objects.keys() - wanted
        assets = {key for key in unnamed if key.startswith(asset_folder())}
        retired = {key: claim.retired.get(key, today) for key in assets}
        over = {key for key, since in retired.items() if since < long_ago}
        gone = (unnamed - assets) | over | (set(claim.removing) - wanted)
        return FlatPointer(
            generation=claim.generation + 1,
            writer=self.writer,
            builds=source.builds,
            objects={key: tag for key, tag in tags.items() if key not in gone},
            removing=tuple(sorted(gone)),
            retired={key: since for key, since in retired.items() if key not in gone},
        )


_NOTHING: Final = FlatPointer(generation=0, writer="", builds={}, objects={})


def _differs(wanted: Wanted, before: FlatPointer, there: Mapping[str, str]) -> bool:
    """Whether what is there is not known to be what is wanted."""
    digest, tag = before.objects.get(wanted.key, ("", ""))
    return digest != wanted.digest or not tag or there.get(wanted.key) != tag
