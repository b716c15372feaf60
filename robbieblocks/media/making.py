"""Makes what pages show of media, once for each file: the result is kept in the cache."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from robbieblocks.cache import Cache, source_hash
from robbieblocks.errors import Problem, ProcessFailed, SiteUnavailable
from robbieblocks.media.kinds import PIXELS, SVG, KindProblem, kind_of
from robbieblocks.media_names import focal_point_problem, key_problem, path_problem
from robbieblocks.model import Asset, Media, MediaForm, MediaLibrary, MediaRow, sha256
from robbieblocks.process import ROWS_MEMORY_BYTES, Child

_KIND: Final = "media"
_FILE_KIND: Final = "media-file"
_FOLDER: Final = Path(__file__).parent
_PROGRAM: Final = _FOLDER / "picture_process.py"
_IMPORT_ROOT: Final = str(_FOLDER.parent.parent)
_TIMEOUT_S: Final = 60.0
_PIXELS_MAX: Final = 100_000_000
_EXTENSIONS: Final = {
    "image/avif": "avif",
    "image/webp": "webp",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/svg+xml": "svg",
}

Content = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a row, and the bytes of its forms by their names."""

    media: Media
    files: Mapping[str, bytes]


@dataclass(slots=True)
class MediaMaker:
    """Makes media in a child process, which is there only while something is made.

    `size_max_mb` is the largest file that is taken. `failures` are files of which nothing could be
    made: they are not tried again in this process.
    """

    cache: Cache
    size_max_mb: int
    failures: dict[str, Problem] = field(default_factory=dict[str, Problem])

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
            [_cache_key(row) for row in there if row.key not in known or known[row.key].row != row],
        )
        served: dict[str, str] = {}
        for row in there:
            held = known.get(row.key)
            first = served.setdefault(row.served_path, row.key) if row.served_path else row.key
            if first != row.key:
                what = f"has the address of media:{first}, {row.served_path}"
                wrong[row.key] = _problem(row, what, "give one of them another", "served_path")
            elif held is not None and held.row == row:
                made[row.key] = held
            elif (problem := _row_problem(row, self.size_max_mb)) is not None:
                wrong[row.key] = problem
            elif (entry := cached.get(_cache_key(row))) is not None:
                made[row.key] = _from_entry(row, entry)
            elif (failed := self.failures.get(_cache_key(row))) is not None:
                wrong[row.key] = failed
            else:
                missing.append(row)
        for row, found in self._make_all(missing, content):
            if isinstance(found, Problem):
                wrong[row.key] = found
            else:
                made[row.key] = found.media
        library = MediaLibrary(
            media={key: made[key] for key in sorted(made)}, wrong=wrong, keys=tuple(sorted(rows))
        )
        return before if library == before else library

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
            if isinstance(found, _Made):
                files |= {name: data for name, data in found.files.items() if name in names}
            else:
                raise SiteUnavailable(f"{found}: build again")
        if left := set(names) - files.keys():
            raise SiteUnavailable(f"media were changed meanwhile ({min(left)}): build again")
        return [Asset(name, files[name]) for name in sorted(files)]

    def _make_all(
        self, rows: Collection[MediaRow], content: Content
    ) -> Iterable[tuple[MediaRow, _Made | Problem]]:
        child: Child | None = None
        try:
            for row in rows:
                try:
                    given = content(row.key)
                except KeyError:
                    yield row, _problem(row, "was removed meanwhile", "build again")
                    continue
                kind = kind_of(row.file_name, given, served_path=row.served_path)
                if sha256(given) != row.hash:
                    yield row, _problem(row, "was changed meanwhile", "build again")
                    continue
                if isinstance(kind, KindProblem):
                    yield row, self._failed(row, kind.what, kind.remedy)
                    continue
                if kind.type not in (*PIXELS, SVG):
                    asset = Asset.of(row.key, kind.extension, given)
                    yield row, self._keep(row, [(asset, MediaForm(asset.name, kind.type))], {})
                    continue
                if kind.type != SVG and importlib.util.find_spec("PIL") is None:
                    remedy = "pip install 'robbieblocks[media]'"
                    yield row, _problem(row, "is a picture, and Pillow is not installed", remedy)
                    continue
                if child is None or not child.alive:
                    child = _start()
                yield row, self._picture(row, kind.type, given, child)
        finally:
            if child is not None:
                child.kill()

    def _picture(self, row: MediaRow, kind: str, given: bytes, child: Child) -> _Made | Problem:
        request = json.dumps({"type": kind, "pixels_max": _PIXELS_MAX}).encode()
        try:
            answer = child.call(request + b"\n" + given, _TIMEOUT_S)
        except ProcessFailed as error:
            why = str(error).splitlines()[0]
            remedy = "save it again with another program, or smaller"
            return self._failed(row, f"can't be read as a picture: {why}", remedy)
        head, _, body = answer.partition(b"\n")
        told = json.loads(head)
        if "error" in told:
            remedy = "save it again with another program, or smaller"
            return self._failed(row, told["error"], remedy)
        forms: list[tuple[Asset, MediaForm]] = []
        at = 0
        for each in told["made"]:
            data = body[at : at + each["size"]]
            at += each["size"]
            asset = Asset.of(row.key, _EXTENSIONS[each["type"]], data)
            size = each["width"], each["height"]
            forms.append((asset, MediaForm(asset.name, each["type"], *size)))
        return self._keep(row, forms, told)

    def _keep(
        self, row: MediaRow, forms: list[tuple[Asset, MediaForm]], told: Mapping[str, Any]
    ) -> _Made:
        media = Media(
            row=row,
            forms=tuple(form for _, form in forms),
            width=told.get("width", 0),
            height=told.get("height", 0),
            placeholder=told.get("placeholder", ""),
        )
        entry = [media.width, media.height, media.placeholder, *media.forms]
        files = {asset.name: asset.content for asset, _ in forms}
        # The files first: an entry must not name what is not there.
        self.cache.put_many(_FILE_KIND, files)
        self.cache.put_many(_KIND, {_cache_key(row): json.dumps(entry).encode()})
        return _Made(media, files)

    def _failed(self, row: MediaRow, what: str, remedy: str) -> Problem:
        found = _problem(row, what, remedy)
        self.failures[_cache_key(row)] = found
        return found


def _from_entry(row: MediaRow, entry: bytes) -> Media:
    width, height, placeholder, *forms = json.loads(entry)
    return Media(
        row=row,
        forms=tuple(MediaForm(*form) for form in forms),
        width=width,
        height=height,
        placeholder=placeholder,
    )


def _cache_key(row: MediaRow) -> str:
    """The hash of what decides the forms: the bytes, how they are read, and how names begin."""
    return sha256("\0".join((source_hash(_FOLDER), row.hash, row.key, row.file_name)))


def _row_problem(row: MediaRow, most_mb: int) -> Problem | None:
    if row.size > most_mb << 20:
        return _problem(
            row,
            f"has {row.size / 2**20:.1f} MB, at most {most_mb} are allowed",
            "make it smaller, or raise media.size_max_mb in robbieblocks.toml",
        )
    if wrong := key_problem(row.key):
        return _problem(row, f"has a key that {wrong}", "give it another media_key")
    if row.served_path and (wrong := path_problem(row.served_path)):
        return _problem(row, f"its address {wrong}", "write such as /ads.txt", "served_path")
    if row.focal_point and (wrong := focal_point_problem(row.focal_point)):
        return _problem(row, f"its focal point {wrong}", "write such as 50% 20%", "focal_point")
    return None


def _problem(row: MediaRow, what: str, remedy: str, field: str = "content") -> Problem:
    return Problem(entity="media", key=row.key, field=field, what=what, remedy=remedy)


def _start() -> Child:
    """A child that inherits nothing of the environment, and works on one thread."""
    return Child(
        (sys.executable, "-X", "utf8", "-P", _PROGRAM),
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_IMPORT_ROOT, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        },
        memory_bytes=ROWS_MEMORY_BYTES,
    )
