"""Makes what pages show of media, once for each file: the result is kept in the cache."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from robbieblocks.cache import Cache
from robbieblocks.errors import Problem, ProcessFailed, SiteUnavailable
from robbieblocks.media.ahead import AT_ONCE, AheadThread
from robbieblocks.media.child import PictureChild
from robbieblocks.media.failures import Failures
from robbieblocks.media.fonts import as_given, can_be_cut, made_font
from robbieblocks.media.judging import AGAIN, cache_key, in_the_way, problem, row_problem
from robbieblocks.media.kinds import FONTS, PIXELS, SVG, KindProblem, MediaKind, kind_of
from robbieblocks.media.made import Made, entry_of, from_entry, packed, unpacked
from robbieblocks.media.pictures import made_picture
from robbieblocks.media.row_bytes import bytes_of
from robbieblocks.model import (
    Asset,
    Media,
    MediaBytes,
    MediaLibrary,
    MediaRow,
    same,
    sha256,
)
from robbieblocks.objectstore import Originals
from robbieblocks.process import Child, Killed, NotStarted
from robbieblocks.row_faults import blame
from robbieblocks.settings import Settings

_KIND: Final = "media"
_FILE_KIND: Final = "media-file"
_SHARED_KIND: Final = "picture"
# What the forms of a picture of 1600 x 900 take; larger ones take longer (docs/sync.md).
_MS_EACH: Final = 8_000.0
Content = Callable[[str], MediaBytes]


@dataclass(slots=True)
class MediaMaker:
    """Makes media in a child process, which is there only while something is made.

    `size_max_mb` is the largest file that is taken, `originals` the bucket in which files may lie:
    what can't be read there is tried again. `failures` are files of which nothing could be made:
    in this process those alone are tried again whose child was killed.
    """

    cache: Cache
    size_max_mb: int
    originals: Originals = field(default_factory=lambda: Originals(None))
    failures: Failures[Problem] = field(default_factory=Failures[Problem])
    _seen: Mapping[str, MediaRow] = field(default_factory=dict[str, MediaRow])
    _ahead: AheadThread = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = AheadThread(self._work_ahead)

    @classmethod
    def of(cls, cache: Cache, settings: Settings) -> Self:
        """With what settings say of media."""
        return cls(cache, settings.media_size_max_mb, Originals(settings.media_bucket))

    @property
    def is_troubled(self) -> bool:
        """Whether another try may give more than the last one did."""
        return self.originals.is_troubled or self.failures.again_in_s is not None

    def make(
        self,
        rows: Mapping[str, MediaRow],
        wanted: Iterable[str],
        content: Content,
        before: MediaLibrary,
    ) -> MediaLibrary:
        """What pages show of the wanted rows; `before` itself where nothing has changed.

        `content` gives a row's bytes: it is called for what is not in the cache. Raises what it
        raises, but for KeyError.
        """
        there = [rows[key] for key in sorted(set(wanted)) if key in rows]
        made: dict[str, Media] = {}
        wrong: dict[str, Problem] = {}
        missing: list[MediaRow] = []
        known = before.media
        cached = self.cache.get_many(
            _KIND,
            [cache_key(row) for row in there if row.key not in known or known[row.key].row != row],
        )
        served: dict[str, str] = {}
        for row in there:
            held = known.get(row.key)
            first = in_the_way(row.served_path, served) if row.served_path else ""
            served.setdefault(row.served_path, row.key)
            if first:
                what = f"{row.served_path} is in the way of media:{served[first]}, at {first}"
                wrong[row.key] = problem(row, what, "give one of them another", "served_path")
            elif held is not None and held.row == row:
                made[row.key] = held
            elif (refused := row_problem(row, self.size_max_mb)) is not None:
                wrong[row.key] = refused
            elif (entry := cached.get(cache_key(row))) is not None:
                made[row.key] = from_entry(row, entry)
            elif (failed := self.failures.get(cache_key(row))) is not None:
                wrong[row.key] = failed
            else:
                missing.append(row)
        if self._ahead.wait_for(row.key for row in missing):
            ready = self.cache.get_many(_KIND, map(cache_key, missing))
            made |= {
                row.key: from_entry(row, ready[cache_key(row)])
                for row in missing
                if cache_key(row) in ready
            }
            failures = {row.key: self.failures.get(cache_key(row)) for row in missing}
            wrong |= {key: failed for key, failed in failures.items() if failed is not None}
            missing = [row for row in missing if row.key not in {*made, *wrong}]
        for row, found in self._make_all(missing, content):
            if isinstance(found, Problem):
                wrong[row.key] = found
            else:
                made[row.key] = found.media
        library = MediaLibrary(
            media={key: made[key] for key in sorted(made)}, wrong=wrong, keys=tuple(sorted(rows))
        )
        return before if library == before else library

    def ahead(self, rows: Mapping[str, MediaRow], content: Content) -> None:
        """Begin to make some of those that nothing shows yet, in a thread; return at once.

        Raises what `content` raises, but for KeyError.
        """
        if self._ahead.busy or same(self._seen, rows):
            return
        keys = {cache_key(row): row for row in rows.values()}
        done = self.cache.get_many(_KIND, keys).keys()
        left = [
            row
            for key, row in sorted(keys.items())
            if key not in done
            and self.failures.get(key) is None
            and row_problem(row, self.size_max_mb) is None
        ]
        if len(left) <= AT_ONCE:
            self._seen = rows
        self._ahead.start(left, content)

    def close(self) -> None:
        """End what is being made."""
        self._ahead.close()

    def _work_ahead(
        self, given: Mapping[str, tuple[MediaRow, MediaBytes]], started: Callable[[Child], None]
    ) -> None:
        rows = [row for row, _ in given.values()]
        # What went wrong is told by the build that needs it.
        with contextlib.suppress(ProcessFailed):
            for _ in self._make_all(rows, lambda key: given[key][1], started):
                pass

    def assets(
        self, media: Collection[Media], names: Collection[str], content: Content
    ) -> list[Asset]:
        """The assets of these names, from the cache; what is not there any more is made again.

        Raises SiteUnavailable where that gives other bytes.
        """
        if not names:
            return []
        files = self.cache.get_many(_FILE_KIND, names)
        gone = set(names) - files.keys()
        lost = [each.row for each in media if not gone.isdisjoint(each.names)]
        for _, found in self._make_all(lost, content):
            if isinstance(found, Made):
                files |= {name: data for name, data in found.files.items() if name in names}
            else:
                raise SiteUnavailable(f"{found}: build again")
        if left := set(names) - files.keys():
            raise SiteUnavailable(f"media were changed meanwhile ({min(left)}): build again")
        return [Asset(name, files[name]) for name in sorted(files)]

    def _make_all(
        self,
        rows: Collection[MediaRow],
        content: Content,
        started: Callable[[Child], None] = lambda _: None,
    ) -> Iterable[tuple[MediaRow, Made | Problem]]:
        child = PictureChild(started)
        try:
            for row, fetched in self._fetched(rows):
                if fetched is not None:
                    yield row, fetched
                    continue
                try:
                    given = bytes_of(row, content(row.key), self.originals)
                except KeyError:
                    yield row, problem(row, "was removed meanwhile", "build again")
                    continue
                if isinstance(given, Problem):
                    yield row, given
                    continue
                faults: list[Problem] = []
                found: Made | Problem | MediaKind | None = None
                with blame(faults.append, "media", row.key, "content"):
                    found = self._judged(row, given)
                    if isinstance(found, MediaKind):
                        found = self._of_child(row, found, given, child)
                if faults:
                    # Where memory was short, the next build looks at once.
                    found = faults[0] if faults[0].passing else self._noted(row, faults[0])
                if found is not None and not isinstance(found, MediaKind):
                    yield row, found
        finally:
            child.close()

    def _judged(self, row: MediaRow, given: bytes) -> Made | Problem | MediaKind:
        """What becomes of a file; its kind where a picture is to be made of it."""
        kind = kind_of(row.file_name, given, served_path=row.served_path)
        if sha256(given) != row.hash:
            return problem(row, "was changed meanwhile", "build again")
        if isinstance(kind, KindProblem):
            return self._noted(row, problem(row, kind.what, kind.remedy))
        if kind.type not in (*PIXELS, SVG) and not (kind.type in FONTS and can_be_cut()):
            made = as_given(row, kind, given)
            self._store(made)
            return made
        if kind.type in PIXELS and importlib.util.find_spec("PIL") is None:
            remedy = "pip install 'robbieblocks[media]'"
            return problem(row, "is a picture, and Pillow is not installed", remedy)
        return kind

    def _of_child(
        self, row: MediaRow, kind: MediaKind, given: bytes, child: PictureChild
    ) -> Made | Problem:
        is_font = kind.type in FONTS
        try:
            made = (made_font if is_font else made_picture)(row, kind, given, child)
        except (Killed, NotStarted) as error:
            why = str(error).splitlines()[0]
            passing = replace(problem(row, f"could not be read: {why}", AGAIN), passing=True)
            return self._noted(row, passing)
        except ProcessFailed as error:
            why = str(error).splitlines()[0]
            made = f"can't be read as a {'font' if is_font else 'picture'}: {why}"
        if isinstance(made, str):
            remedy = "save it again with another program, or smaller"
            return self._noted(row, problem(row, made, remedy))
        self._store(made)
        if kind.type in PIXELS:
            self.cache.share(_SHARED_KIND, {cache_key(row): packed(made)})
        return made

    def _fetched(self, rows: Collection[MediaRow]) -> Iterable[tuple[MediaRow, Made | None]]:
        """The rows, each with what another node made of it."""
        by_key = {cache_key(row): row for row in rows}
        for key, entry in self.cache.turns(_SHARED_KIND, by_key, _MS_EACH):
            row = by_key[key]
            made = None if entry is None else unpacked(row, entry)
            if made is not None:
                self._store(made)
            yield row, made

    def _store(self, made: Made) -> None:
        # The files first: an entry must not name what is not there.
        self.cache.put_many(_FILE_KIND, made.files)
        key = cache_key(made.media.row)
        self.cache.put_many(_KIND, {key: entry_of(made.media)})
        self.failures.made(key)

    def _noted(self, row: MediaRow, found: Problem) -> Problem:
        self.failures.put(cache_key(row), found, passing=found.passing)
        return found
