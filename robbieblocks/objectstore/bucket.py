"""A bucket, by way of the obstore package, whose errors become this program's here."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from robbieblocks.errors import BucketUnavailable, UsageError
from robbieblocks.messages import visible_line
from robbieblocks.objectstore.address import Address

if TYPE_CHECKING:
    from obstore.store import S3Store

_LONGEST_REASON: Final = 300
_DELETED_AT_ONCE: Final = 1000
_LISTED_AT_ONCE: Final = 1000
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3})")
_REMEDIES: Final = {
    "AccessDenied": "let this account read, list, write and delete below the prefix",
    "ExpiredToken": "renew the credentials of the environment",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
    "InvalidToken": "renew the credentials of the environment",
    "NoSuchBucket": "make the bucket, or correct its address in robbieblocks.toml",
    "PermanentRedirect": "set the bucket's region in robbieblocks.toml",
    "AuthorizationHeaderMalformed": "set the bucket's region in robbieblocks.toml",
    "RequestTimeTooSkewed": "set this machine's clock right (timedatectl)",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "SlowDown": "nothing: it is tried again more slowly",
}


class Overtaken(Exception):
    """A bound write found another object, or none, in the place of the one that it was bound to."""


@dataclass(frozen=True, slots=True)
class Content:
    """An object that was read, with its tag."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of a list. `modified` is by the clock of the bucket."""

    key: str
    size_bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object to write: its key, its bytes, and the headers with which it is served."""

    key: str
    data: bytes
    content_type: str
    cache_control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a request may take, and how often what passes at once is tried again.

    Whoever calls tries again, too, later and later.
    """

    timeout: timedelta = timedelta(seconds=30)
    connect_timeout: timedelta = timedelta(seconds=5)
    retries: int = 2
    retry_timeout: timedelta = timedelta(seconds=20)


class Bucket:
    """The objects below a prefix. Keys are relative to it. Any thread may use it.

    Each method raises BucketUnavailable where the bucket can't be reached or refuses.
    """

    def __init__(self, address: Address, patience: Patience | None = None) -> None:
        self.address = address
        self._store = _open(address, patience or Patience())

    def get(self, key: str, *, bytes_max: int | None = None) -> Content | None:
        """An object, or None where there is none, or it has more than `bytes_max` bytes."""
        with _attempt(f"read {self._named(key)}"):
            try:
                found = self._store.get(self._path(key))
                etag = str(found.meta["e_tag"] or "")
                if bytes_max is None:
                    return Content(bytes(found.bytes()), etag)
                if found.meta["size"] > bytes_max:
                    return None
                data = bytearray()
                for part in found.stream():
                    data += part
                    if len(data) > bytes_max:
                        return None
                return Content(bytes(data), etag)
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise
                return None

    def etag(self, key: str) -> str | None:
        """The tag of an object, or None where there is none."""
        with _attempt(f"look at {self._named(key)}"):
            try:
                return str(self._store.head(self._path(key))["e_tag"] or "")
            except FileNotFoundError:
                return None

    def put(self, stored: Stored) -> str:
        """Write an object over whatever is there. Returns its tag."""
        return self._put(stored, "overwrite")

    def put_bound(self, stored: Stored, etag: str | None) -> str:
        """Write an object in place of the one with this tag, or with None of none; its tag.

        Raises Overtaken where something else is there.
        """
        return self._put(stored, "create" if etag is None else {"e_tag": etag})

    def list(self, below: str = "") -> Iterator[Listed]:
        """Every object whose key begins so, which has to end with a slash or be empty."""
        with _attempt(f"list {self.address}{below}"):
            # The type of a stream is known in part alone: that of the other kind needs arro3.
            for page in self._store.list(  # pyright: ignore[reportUnknownMemberType]
                self._path(below) or None, chunk_size=_LISTED_AT_ONCE
            ):
                for each in page:
                    yield Listed(
                        str(each["path"]).removeprefix(self.address.prefix),
                        int(each["size"]),
                        str(each["e_tag"] or ""),
                        each["last_modified"],
                    )

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            paths = [self._path(key) for key in keys[start : start + _DELETED_AT_ONCE]]
            with _attempt(f"remove {len(paths)} objects from {self.address}"):
                self._store.delete(paths)

    def _put(self, stored: Stored, mode: Any) -> str:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        attributes = {"Content-Type": stored.content_type, "Cache-Control": stored.cache_control}
        with _attempt(f"write {self._named(stored.key)}"):
            try:
                done = self._store.put(
                    self._path(stored.key),
                    stored.data,
                    attributes=attributes,
                    mode=mode,
                    use_multipart=False,
                )
            except (AlreadyExistsError, PreconditionError) as error:
                raise Overtaken(stored.key) from error
            except FileNotFoundError as error:
                # Bound to an object that was removed; a bucket that is gone is another matter.
                if mode == "overwrite" or _code(error) == "NoSuchBucket":
                    raise
                raise Overtaken(stored.key) from error
        return str(done["e_tag"] or "")

    def _path(self, key: str) -> str:
        return self.address.prefix + key

    def _named(self, key: str) -> str:
        return f"{self.address}{visible_line(key)}"


def _open(address: Address, patience: Patience) -> S3Store:
    """The store, with the credentials of the environment. Raises UsageError without the package."""
    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError as error:
        raise UsageError(
            "a bucket needs the package obstore\n  -> pip install 'robbieblocks[bucket]'"
        ) from error
    given: dict[str, Any] = {}
    if address.endpoint:
        given["endpoint"] = address.endpoint
    if address.region:
        given["region"] = address.region
    try:
        return S3Store(
            address.name,
            client_options={
                "allow_http": address.endpoint.startswith("http://"),
                "timeout": patience.timeout,
                "connect_timeout": patience.connect_timeout,
            },
            retry_config={
                "max_retries": patience.retries,
                "retry_timeout": patience.retry_timeout,
            },
            **given,
        )
    except (BaseError, ValueError, TypeError) as error:
        # Its text may quote the environment.
        raise UsageError(
            f"the bucket {address} can't be opened\n"
            "  -> correct the AWS_ variables of the environment"
        ) from error


@contextmanager
def _attempt(doing: str) -> Generator[None]:
    """Turn what the package raises into BucketUnavailable: what was attempted, and why it failed.

    What a server answers may quote a signature: only its code is told.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        code = _code(error)
        remedy = _REMEDIES.get(code, "")
        raise BucketUnavailable(
            f"could not {doing}: {_reason(error, code)}" + (f"\n  -> {remedy}" if remedy else "")
        ) from None


def _code(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _reason(error: Exception, code: str) -> str:
    text = str(error).partition("Debug source")[0]
    status = _STATUS.search(text)
    if status or code:
        return " ".join(filter(None, ("the bucket answered", status[1] if status else "", code)))
    if "169.254.169.254" in text or "metadata" in text.lower():
        return "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return visible_line(text.strip().partition("\n")[0])[:_LONGEST_REASON] or "it did not answer"
