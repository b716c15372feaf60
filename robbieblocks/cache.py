"""A cache of build results; losing it costs time, never correctness.

It is one SQLite file that any number of processes share. Every entry has a checksum over its kind,
key and bytes; a damaged entry counts as missing. A file that SQLite can't read is replaced. In a
folder that can't be written, or on a full disk, nothing is cached. Only this user may enter the
folder; nothing is read from one that another user owns or could write.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, Self, TypeVar

from robbieblocks.ownership import distrust

Turns = Iterator[tuple[str, bytes | None]]

_T = TypeVar("_T")

# The name holds the version of the table's layout: another layout uses another file.
_FILE: Final = "cache-2.sqlite3"
_ANY_FILE: Final = "cache-[0-9].sqlite3"
_DAY: Final = 86_400
_BATCH: Final = 500  # SQLite before 3.32 takes 999 parameters
_BUSY_TIMEOUT_S: Final = 5.0
# Beyond this, what was used longest ago goes. A page of the demo takes 27 kB.
_LIMIT_BYTES: Final = 2 << 30
# So few are deleted at once: who writes meanwhile waits for less than its timeout.
_DELETED_AT_ONCE: Final = 5_000
_PAGES_AT_ONCE: Final = 5_000
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

# With synchronous=OFF, a power failure may corrupt the file, which is then replaced; a kill can't.
_OPEN: Final = """
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA journal_size_limit = 16777216;
PRAGMA temp_store = MEMORY;
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    name BLOB NOT NULL UNIQUE,
    checksum INTEGER NOT NULL,
    size INTEGER NOT NULL,
    used INTEGER NOT NULL,
    content BLOB NOT NULL
);
"""
_GET: Final = "SELECT id, name, checksum, used, content FROM entries WHERE name IN ({})"
_TOUCH: Final = "UPDATE entries SET used = ? WHERE id = ?"
_DELETE: Final = "DELETE FROM entries WHERE id = ?"
_PUT: Final = """
INSERT INTO entries (name, checksum, size, used, content) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    checksum = excluded.checksum, size = excluded.size,
    used = excluded.used, content = excluded.content
"""
_BY_LAST_USE: Final = "SELECT id, size FROM entries ORDER BY used DESC, id DESC"


def bound(folder: Path, limit_bytes: int = _LIMIT_BYTES) -> None:
    """Have the cache in a folder take no more than that; else a quarter of it is made free.

    Where it takes less, no file is opened. Other processes may use it meanwhile. Files of
    another layout go once nobody has written them for thirty days. What fails is left as it is.
    """
    with contextlib.suppress(OSError):
        # What was written last may stand in the log alone.
        if sum(file.stat().st_size for file in folder.glob(f"{_FILE}*")) > limit_bytes:
            with Cache(folder) as cache:
                cache.prune(limit_bytes * 3 // 4)
        for file in folder.glob(f"{_ANY_FILE}*"):
            if file.name.startswith(_FILE) or file.stat().st_mtime > time.time() - 30 * _DAY:
                continue
            file.unlink(missing_ok=True)


class SharedEntries(Protocol):
    """Entries that other machines made, too. All return within seconds, and raise nothing."""

    def get_many(self, kind: str, keys: Iterable[str], made_in_ms: float) -> dict[str, bytes]:
        """The entries that could be had, by key. To make all of them takes so long here."""
        ...

    def turns(self, kind: str, keys: Iterable[str], made_in_ms: float) -> Turns:
        """Each entry that could be had; None for one to make, and put, before the next is taken."""
        ...

    def is_worth(self, made_in_ms: float, requests: int) -> bool:
        """Whether entries that take so long to make are worth so many requests."""
        ...

    def put_many(self, kind: str, items: Mapping[str, bytes]) -> None:
        """Have entries kept for others, where that is possible."""
        ...


class Cache:
    """Bytes by kind and key, in a folder. Errors of the disk are never raised.

    A key must be a hash of everything that decides the bytes, so that no entry becomes outdated.
    Threads may share one Cache; processes may share one folder. Behind it may stand `shared` ones.
    """

    def __init__(self, path: Path, shared: SharedEntries | None = None) -> None:
        self._path = path
        self._shared = shared
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        with self._lock:
            self._run(lambda _connection: None)

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The entries that exist, by key."""
        wanted = {_name(kind, key): key for key in keys}
        if not wanted:
            return {}
        with self._lock:
            return self._run(lambda connection: _read(connection, wanted)) or {}

    def put_many(self, kind: str, items: Mapping[str, bytes]) -> None:
        """Store all items in one transaction, or none where the disk fails."""
        if not items:
            return
        now = _today()
        named = [(_name(kind, key), content) for key, content in items.items()]
        rows = [
            (name, _checksum(name, content), len(content), now, content) for name, content in named
        ]
        with self._lock:
            self._run(lambda connection: _write(connection, rows))

    def fetch(self, kind: str, keys: Iterable[str], made_in_ms: float) -> dict[str, bytes]:
        """What other machines made, by key; `made_in_ms` is what making all of it takes here."""
        return {} if self._shared is None else self._shared.get_many(kind, keys, made_in_ms)

    def turns(self, kind: str, keys: Iterable[str], made_in_ms: float) -> Turns:
        """Each key with what another machine made, or with None: then it is to be made here, and
        shared, before the next is taken. Making one takes `made_in_ms` here.
        """
        if self._shared is None:
            return ((key, None) for key in keys)
        return self._shared.turns(kind, keys, made_in_ms)

    def is_shared(self, made_in_ms: float, requests: int) -> bool:
        """Whether other machines ask for entries that take so long to make."""
        return self._shared is not None and self._shared.is_worth(made_in_ms, requests)

    def share(self, kind: str, items: Mapping[str, bytes]) -> None:
        """Have other machines find entries that were made here."""
        if self._shared is not None:
            self._shared.put_many(kind, items)

    def prune(self, max_bytes: int) -> None:
        """Delete the least recently used entries, until the rest fits into `max_bytes`."""
        with self._lock:
            self._run(lambda connection: _shrink(connection, max_bytes))

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Run `work` on the open file; None where SQLite or the disk fails.

        A corrupt file is replaced, and `work` is run once more.
        """
        for _attempt in range(2):
            try:
                if self._connection is None:
                    self._connection = _open(self._path)
                return work(self._connection)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _CORRUPT:
                    return None  # busy, full or read-only
                self._drop()
                self._replace()
            except OSError:
                return None
        return None

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _replace(self) -> None:
        """Remove a corrupt file. A process that has it open keeps the removed file."""
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                (self._path / (_FILE + suffix)).unlink()


def _open(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    doubt = distrust(folder)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)
        # What others could write is not believed.
        for file in folder.glob(f"{_FILE}*") if doubt else ():
            file.unlink()
    elif doubt:
        raise PermissionError(doubt)
    connection = sqlite3.connect(
        folder / _FILE, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.executescript(_OPEN)
    except BaseException:
        connection.close()
        raise
    return connection


def _read(connection: sqlite3.Connection, wanted: Mapping[bytes, str]) -> dict[str, bytes]:
    """The entries that exist, by the keys that `wanted` has for their names."""
    found: dict[str, bytes] = {}
    stale: list[tuple[int, int]] = []
    broken: list[tuple[int]] = []
    today = _today()
    names = list(wanted)
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        query = _GET.format(",".join("?" * len(batch)))
        for row, name, checksum, used, content in connection.execute(query, batch):
            # In a damaged row, any column may hold anything.
            sound = name in wanted and isinstance(content, bytes)
            if not sound or _checksum(name, content) != checksum:
                broken.append((row,))
                continue
            found[wanted[name]] = content
            if used != today:
                stale.append((today, row))
    if stale or broken:
        # The entries were read, whether or not their use can be recorded.
        with contextlib.suppress(sqlite3.OperationalError), _transaction(connection):
            connection.executemany(_TOUCH, stale)
            connection.executemany(_DELETE, broken)
    return found


def _write(connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    with _transaction(connection):
        connection.executemany(_PUT, rows)


def _shrink(connection: sqlite3.Connection, max_bytes: int) -> None:
    total = 0
    unneeded: list[tuple[int]] = []
    for row, size in connection.execute(_BY_LAST_USE):
        total += size
        if total > max_bytes:
            unneeded.append((row,))
    if not unneeded:
        return
    for start in range(0, len(unneeded), _DELETED_AT_ONCE):
        with _transaction(connection):
            connection.executemany(_DELETE, unneeded[start : start + _DELETED_AT_ONCE])
    for _ in range(0, connection.execute("PRAGMA freelist_count").fetchone()[0], _PAGES_AT_ONCE):
        # Each step frees one page; execute() would take only the first.
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
    connection.executescript("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # commits, or rolls back
        yield


def _today() -> int:
    return int(time.time()) // _DAY


def _name(kind: str, key: str) -> bytes:
    """An entry's name in the file: 16 bytes, since an index over long keys would be slow."""
    return hashlib.sha256(f"{kind}\0{key}".encode()).digest()[:16]


def _checksum(name: bytes, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(name))
