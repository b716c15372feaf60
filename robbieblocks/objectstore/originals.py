"""Files of media as they were given, in a bucket: each below the hash of its bytes, or at any other
key that a row names. They are written once; of those below their hash `media prune` removes what
nothing needs.

A row may name what it likes, so nothing is read outside of the bucket and the prefix of the
settings, and nothing is believed whose hash is not the row's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from robbieblocks.errors import BucketUnavailable, UsageError
from robbieblocks.messages import printable, visible_line
from robbieblocks.model import MediaObject, sha256
from robbieblocks.objectstore.address import Address
from robbieblocks.objectstore.bucket import Bucket, Overtaken, Patience, Stored
from robbieblocks.settings import MediaBucketSettings

# As large as a file of media can be (media.size_max_mb).
_MOST_BYTES: Final = 64 << 20
_KEY: Final = re.compile(
    r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}/){0,20}[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"
)
# A builder waits for it, and other edits with it.
_PATIENCE: Final = Patience(
    timeout=timedelta(seconds=30),
    connect_timeout=timedelta(seconds=2),
    retries=2,
    retry_timeout=timedelta(seconds=10),
)
_FIRST_PAUSE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 300.0
# What `put` writes: another object is somebody else's.
_OWN_KEY: Final = re.compile(r"([0-9a-f]{2})/([0-9a-f]{62})")
_TRIAL_KEY: Final = "robbieblocks-doctor"
_TRIAL: Final = b"written by robbieblocks doctor, to see whether it may\n"
_SETTING_REMEDY: Final = "set media.bucket in robbieblocks.toml to the bucket in which it lies"


Right: TypeAlias = Literal["list", "read", "write", "remove"]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an object can't be the bytes of its row, and what to do. `what` continues a sentence."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """An object of the bucket. `hash` is that of its bytes by its key, empty where `put` did not
    write it; `modified` is by the clock of the bucket.
    """

    key: str
    address: str
    hash: str
    size: int
    modified: datetime


@dataclass(slots=True)
class Originals:
    """The bucket that settings name, opened when it is first needed. Any thread may use it.

    One that failed is left alone for ten seconds, then for twice as long each time, up to five
    minutes; an object that was found wrong is not looked at again for five minutes. `monotonic` is
    the clock, in seconds.
    """

    settings: MediaBucketSettings | None
    monotonic: Callable[[], float] = time.monotonic
    _bucket: Bucket | None = None
    _away: str = ""
    _pause_s: float = 0.0
    _until: float = 0.0
    _wrong: dict[MediaObject, tuple[Unreadable, float]] = field(
        default_factory=dict[MediaObject, tuple[Unreadable, float]]
    )

    @property
    def again_in_s(self) -> float | None:
        """How long a bucket that failed is left alone yet; None where none failed."""
        return max(0.0, self._until - self.monotonic()) if self._away else None

    @property
    def is_troubled(self) -> bool:
        """Whether something could not be read lately, so that another try may give more."""
        return bool(self._away or self._wrong)

    def read(self, wanted: MediaObject) -> bytes | Unreadable:
        """The bytes of an object, or why it can't be them.

        Raises BucketUnavailable, without a request while a bucket that failed is left alone.
        """
        known = self._wrong.get(wanted)
        if known is not None and self.monotonic() < known[1]:
            return known[0]
        key = self._key_of(wanted.address)
        if isinstance(key, Unreadable):
            return key
        if self._away and self.monotonic() < self._until:
            raise BucketUnavailable(self._away)
        try:
            found = self._read(key, wanted)
        except BucketUnavailable as error:
            self._pause_s = min(2 * self._pause_s or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            self._away, self._until = str(error), self.monotonic() + self._pause_s
            raise
        except UsageError as error:
            what, _, remedy = str(error).partition("\n  -> ")
            return Unreadable(f"can't be read: {what}", remedy or _SETTING_REMEDY)
        self._away, self._pause_s = "", 0.0
        self._wrong.pop(wanted, None)
        if isinstance(found, Unreadable):
            self._wrong[wanted] = found, self.monotonic() + _LONGEST_PAUSE_S
        return found

    def put(self, content: bytes) -> MediaObject:
        """Write a file, where it is not there yet, and say where.

        Raises BucketUnavailable, and UsageError where no bucket is named or it can't be opened.
        """
        digest = sha256(content)
        key = f"{digest[:2]}/{digest[2:]}"
        bucket = self._opened()
        stored = Stored(
            key=key,
            data=content,
            content_type="application/octet-stream",
            cache_control="no-store",
        )
        try:
            bucket.put_bound(stored, None)
        except Overtaken:
            # Whoever was first wrote the same, and all of it. Written again it is a young one, and
            # nobody removes it before a row names it.
            bucket.put(stored)
        written = MediaObject(f"{bucket.address}{key}", digest, len(content))
        self._wrong.pop(written, None)
        return written

    def listed(self) -> Iterator[Original]:
        """Every object below the prefix. Raises as `put` does."""
        bucket = self._opened()
        for each in bucket.list():
            named = _OWN_KEY.fullmatch(each.key)
            yield Original(
                key=each.key,
                address=f"{bucket.address}{each.key}",
                hash=named[1] + named[2] if named else "",
                size=each.size_bytes,
                modified=each.modified,
            )

    def remove(self, originals: Sequence[Original]) -> None:
        """Remove objects; one that is gone already is no error. Raises as `put` does."""
        self._opened().delete([each.key for each in originals])

    def rights(self) -> Iterator[tuple[Right, str]]:
        """Try each thing that is done with the bucket, with why it failed, empty where it didn't.

        What is written for that is removed again. Raises UsageError where the bucket can't be
        opened.
        """
        bucket = self._opened()
        trial = Stored(
            key=_TRIAL_KEY,
            data=_TRIAL,
            content_type="text/plain",
            cache_control="no-store",
        )
        tries: tuple[tuple[Right, Callable[[], object]], ...] = (
            ("list", lambda: next(bucket.list(), None)),
            ("write", lambda: bucket.put(trial)),
            ("read", lambda: bucket.get(_TRIAL_KEY, bytes_max=len(_TRIAL))),
            ("remove", lambda: bucket.delete([_TRIAL_KEY])),
        )
        for right, do in tries:
            try:
                do()
            except BucketUnavailable as error:
                yield right, str(error)
            else:
                yield right, ""

    def sizes(self) -> Mapping[str, int]:
        """The size of every object in bytes, by its address. Raises as `put` does."""
        bucket = self._opened()
        return {f"{bucket.address}{each.key}": each.size_bytes for each in bucket.list()}

    def _read(self, key: str, wanted: MediaObject) -> bytes | Unreadable:
        bucket = self._opened()
        shown = visible_line(wanted.address)
        # Whoever writes an object anew may be in the middle of naming it in the row.
        for _ in range(2):
            found = bucket.get(key, bytes_max=min(wanted.size, _MOST_BYTES))
            if found is not None and sha256(found.data) == wanted.hash:
                return found.data
            if found is None and bucket.etag(key) is None:
                return Unreadable(
                    f"lies at {shown}, and there is no such object",
                    "put it there again: `robbieblocks media add` does, of its file",
                )
        return Unreadable(
            f"lies at {shown}, and the object has other bytes than the row's hash and size say",
            "correct content_hash and size_bytes, or add its file with `robbieblocks media add`",
        )

    def _key_of(self, address: str) -> str | Unreadable:
        """The key of an object below the prefix; nothing else is ever read."""
        shown = printable(address)
        if self.settings is None:
            return Unreadable(f"lies at {shown}, and no bucket is named", _SETTING_REMEDY)
        try:
            base = str(_address(self.settings))
        except UsageError as error:
            return Unreadable(
                f"lies at {shown}: {str(error).partition(chr(10))[0]}", _SETTING_REMEDY
            )
        key = address.removeprefix(base)
        if not address.startswith(base):
            return Unreadable(f"lies at {shown}, which is not in {base}", _SETTING_REMEDY)
        if not _KEY.fullmatch(key):
            return Unreadable(
                f"lies at {shown}, which is no key that media have",
                "name an object whose key has A-Z a-z 0-9 . _ - and / alone",
            )
        return key

    def _opened(self) -> Bucket:
        if self.settings is None:
            raise UsageError(f"no bucket for media is named\n  -> {_SETTING_REMEDY}")
        if self._bucket is None:
            self._bucket = Bucket(_address(self.settings), _PATIENCE)
        return self._bucket


def _address(settings: MediaBucketSettings) -> Address:
    return Address.parse(settings.url, endpoint=settings.endpoint, region=settings.region)
