"""The file of an audit log: appended to, synced, and kept within bounds of number and age.

Whoever writes holds the lock of what the log is about; readers need none. What is torn, as by a
full disk or a crash, is passed over, and so is what a later version wrote.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from robbieblocks.release.audit.entries import Ended, Entry, line_of, read_line
from robbieblocks.release.files import disk

FILE: Final = "audit.jsonl"
ENTRIES_MAX: Final = 1_000
"""Of more than these the oldest go, but for what is in force."""
ENTRIES_ALWAYS: Final = 50
"""These stay, however old."""
AGE: Final = timedelta(days=90)
"""Older ones go, where no release needs them."""
_BYTES_MAX: Final = 8 << 20
_END_BYTES: Final = 512
_MODE: Final = 0o644
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_OPEN: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is, and what it says: an object of another version, or None for no object."""

    raw: bytes
    record: Entry | Ended | dict[str, object] | None


def read(folder: Path) -> tuple[Line, ...]:
    """The lines of a folder's log, the oldest first; of one that is far too large the last.

    Raises SiteUnavailable for one that can't be read.
    """
    path = folder / FILE
    with disk.attempt("read the audit log", path):
        try:
            text = disk.read_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return ()
    lines = text[-_BYTES_MAX:].split(b"\n")
    return tuple(Line(raw, read_line(raw)) for raw in lines if raw.strip())


def ends_settled(folder: Path) -> bool:
    """Whether the last line says how an act ended, or there is none: then all of that is known."""
    try:
        descriptor = os.open(folder / FILE, _READ)
        try:
            start = max(0, os.fstat(descriptor).st_size - _END_BYTES)
            lines = os.pread(descriptor, _END_BYTES, start).split(b"\n")
        finally:
            os.close(descriptor)
    except OSError:
        return True
    return isinstance(read_line(next((each for each in reversed(lines) if each), b"")), Ended)


def append(
    folder: Path,
    records: Sequence[Entry | Ended],
    known: Sequence[Line],
    *,
    stay: Collection[str],
    now: datetime,
    needed_since: Callable[[], datetime | None],
) -> None:
    """Append records durably to a log that has the lines `known`, and keep it within its bounds.

    `stay` are the ids of entries that never go, `needed_since` is asked where some are old: since
    when the history is needed. Raises SiteUnavailable; then the log is as it was.
    """
    path = folder / FILE
    added = b"".join(map(line_of, records))
    with disk.attempt("write the audit log", path):
        left = _kept(known, stay, now - AGE, needed_since)
        if len(left) < len(known):
            _write_anew(folder, left, added)
            return
        is_new = not os.path.lexists(path)
        try:
            descriptor = os.open(path, _OPEN, _MODE)
        except PermissionError:
            # Another account began it, as by sudo; whoever publishes may replace it.
            _write_anew(folder, read(folder), added)
            return
        try:
            if is_new:
                # Whatever the umask of who began it: other accounts go on with it.
                os.fchmod(descriptor, _MODE)
            _append(descriptor, added, path)
        finally:
            os.close(descriptor)
        if is_new:
            disk.sync_folder(disk.real(folder))


def _write_anew(folder: Path, lines: Sequence[Line], added: bytes) -> None:
    text = b"".join(line.raw + b"\n" for line in lines) + added
    with disk.folder(disk.real(folder)) as fd:
        disk.replace_file(FILE, text, dir_fd=fd, sync=True, mode=_MODE)
        os.fsync(fd)


def _append(descriptor: int, added: bytes, path: Path) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
        # A line that was torn is one of its own.
        added = b"\n" + added
    try:
        written = os.write(descriptor, added)
        while written < len(added):
            written += os.write(descriptor, memoryview(added)[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, status.st_size)
        raise


def _kept(
    lines: Sequence[Line],
    always: Collection[str],
    age_limit: datetime,
    needed_since: Callable[[], datetime | None],
) -> Sequence[Line]:
    """The lines that stay; of the others the ends go along with their entries."""
    entries = [line.record for line in lines if isinstance(line.record, Entry)]
    foreign = [line for line in lines if isinstance(line.record, dict)]
    if any(entry.at < age_limit for entry in entries[:-ENTRIES_ALWAYS]):
        age_limit = min(age_limit, needed_since() or age_limit)
    young = {entry.id for entry in entries if entry.at >= age_limit}
    last = {entry.id for entry in entries[-ENTRIES_ALWAYS:]}
    recent = {entry.id for entry in entries[-ENTRIES_MAX:]}
    stay = (young & recent) | last | set(always)
    gone = {entry.id for entry in entries} - stay
    if not gone and len(foreign) <= ENTRIES_MAX:
        return lines
    passed_over = set(map(id, foreign[:-ENTRIES_MAX]))
    return [line for line in lines if _stays(line, gone) and id(line) not in passed_over]


def _stays(line: Line, gone: Collection[str]) -> bool:
    match line.record:
        case Entry(id=id_) | Ended(of=id_):
            return id_ not in gone
        case None:
            return False
        case _:
            return True
