"""Calls to the file system: durable, atomic, and with errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Sha256
from robbieblocks.release.names import TEMPORARY

FileStat = tuple[int, int]
"""Size in bytes, and time of last modification in ns."""

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READ_ONLY: Final = 0o444
KEPT_BY_PEOPLE: Final = 0o444
"""The rights of what people pin, hold and freeze: root may do it, and the worker has to read it."""
# Why a hard link is refused where a copy can be made.
_NO_LINK: Final = frozenset(
    {errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS}
)
_REMEDIES: Final = {
    errno.ENOSPC: "free space on that file system, or prune old releases",
    errno.EDQUOT: "raise the quota of this user, or prune old releases",
    errno.EROFS: "mount the file system writable, or set ROBBIEBLOCKS_SITE_ROOT to another",
    errno.EACCES: "give this user read and write permission there",
    errno.EPERM: "give this user read and write permission there",
    errno.ENOTDIR: "move the file that is in the way, or set ROBBIEBLOCKS_SITE_ROOT to another",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.EIO: "check the disk; the last good release stays live",
    errno.ENAMETOOLONG: "shorten the page's route",
}


@contextlib.contextmanager
def attempt(doing: str, path: Path) -> Generator[None]:
    """Turn any OSError into SiteUnavailable: what was attempted, the path, why, and the remedy."""
    try:
        yield
    except OSError as error:
        raise unavailable(f"could not {doing}", path, error) from error


def unavailable(what: str, path: Path, error: OSError) -> SiteUnavailable:
    """A SiteUnavailable for an OSError, naming the file that the system named where it did."""
    # Of a folder where a file belongs, Python names the descriptor.
    named = "" if isinstance(error.filename, int) else os.fsdecode(error.filename or "")
    inner = f" ({named})" if named and named != str(path) else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    hint = f"\n  -> {remedy}" if remedy else ""
    return SiteUnavailable(f"{what} {path}{inner}: {error.strerror or error}{hint}")


def real(path: Path) -> Path:
    """Where a path leads, links followed. A circle of links fails when it is opened.

    `Path.resolve` raises RuntimeError for one, up to Python 3.12.
    """
    return Path(os.path.realpath(path))


@contextlib.contextmanager
def folder(path: str | Path, *, dir_fd: int | None = None) -> Generator[int]:
    """A descriptor of a folder that is not a symlink."""
    fd = os.open(path, _READ | os.O_DIRECTORY, dir_fd=dir_fd)
    try:
        yield fd
    finally:
        os.close(fd)


def write_new(
    name: str,
    content: bytes,
    *,
    dir_fd: int,
    modified_ns: int | None = None,
    mode: int | None = None,
) -> FileStat:
    """Write a file that must not exist, readable only (so that no editor saves over it).

    `modified_ns` is its time of modification, where that is not to be now. `mode` are its rights
    whatever the umask, where other accounts have to read it.
    """
    fd = os.open(name, _CREATE, _READ_ONLY, dir_fd=dir_fd)
    try:
        written = os.write(fd, content)
        while written < len(content):
            written += os.write(fd, memoryview(content)[written:])
        if mode is not None:
            os.fchmod(fd, mode)
        if modified_ns is not None:
            os.utime(fd, ns=(modified_ns, modified_ns))
        status = os.fstat(fd)
    finally:
        os.close(fd)
    return status.st_size, status.st_mtime_ns


def time_of(digest: Sha256) -> int:
    """The time of modification that stands for a file's content, in ns, between 1970 and 2004.

    nginx makes an ETag of a file's size and its time in whole seconds. By the clock, two versions
    of a page that are equally long and written within a second would have one ETag, and a browser
    that holds the first would be told 304. So the seconds are 30 bits of the content's hash. None
    is to come, which tools would warn of.
    """
    return (1 + (int(digest[:8], 16) >> 2)) * 10**9 + int(digest[8:16], 16) % 10**9


def replace_file(
    name: str, content: bytes, *, dir_fd: int, sync: bool = False, mode: int | None = None
) -> FileStat:
    """Put a file in place of another (or none) with one rename, in one folder.

    With `sync` its bytes are durable before it has its name. `mode` is as for `write_new`.
    """
    parent, _, last = name.rpartition("/")
    temporary = temporary_name(last)
    temporary = f"{parent}/{temporary}" if parent else temporary
    try:
        stat_ = write_new(temporary, content, dir_fd=dir_fd, mode=mode)
        if sync:
            sync_file(temporary, dir_fd=dir_fd)
        os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=dir_fd)
        raise
    return stat_


def read_file(name: str | Path, *, dir_fd: int | None = None) -> bytes:
    """The bytes of a regular file that is not a symlink."""
    # Without O_NONBLOCK a pipe of that name would hang the reader.
    fd = os.open(name, _READ | os.O_NONBLOCK, dir_fd=dir_fd)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(name))
        return file.read()


def stat_of(name: str, *, dir_fd: int) -> FileStat | None:
    """The stat of a regular file; None where there is none, or something else."""
    try:
        status = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns


def is_folder(path: str, *, dir_fd: int | None = None) -> bool:
    """Whether it is a folder itself: a symlink would lead elsewhere."""
    try:
        return stat.S_ISDIR(os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode)
    except OSError:
        return False


def hash_of(name: str, *, dir_fd: int) -> Sha256 | None:
    """The SHA-256 of a regular file's bytes; None where it can't be read."""
    try:
        content = read_file(name, dir_fd=dir_fd)
    except OSError:
        return None
    return Sha256(hashlib.sha256(content).hexdigest())


def link_or_copy(
    name: str, *, source: int, target: int, modified_ns: int | None = None
) -> FileStat | None:
    """Hard-link a file of the same name from one folder into another; its stat if it was copied.

    A copy has the time of modification `modified_ns`, where that is given.
    """
    try:
        os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        content = read_file(name, dir_fd=source)
        return write_new(name, content, dir_fd=target, modified_ns=modified_ns)
    return None


def point(link: Path, target: str) -> None:
    """Make a symlink lead to `target` with one rename(2): no moment without it.

    Replacing a link with symlink(2) or `ln -sf` would unlink it first.
    """
    temporary = link.with_name(temporary_name(link.name))
    temporary.symlink_to(target)
    try:
        temporary.replace(link)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def target_of(link: Path) -> str | None:
    """The last name of what a symlink leads to; None where there is no symlink."""
    try:
        return link.readlink().name
    except OSError:
        return None


def target_in(link: Path, folder: str) -> str | None:
    """The name in a folder beside the symlink that it leads to; None where it leads elsewhere."""
    try:
        target = link.readlink()
    except OSError:
        return None
    return target.name if target.parts == (folder, target.name) else None


def temporary_name(stem: str) -> str:
    """A name that no other writer uses and that a sweep recognises."""
    return f"{TEMPORARY}{os.getpid()}-{os.urandom(4).hex()}-{stem[:60]}"


class TemporaryPaths:
    """The temporary paths that threads of this process use without holding the app's lock."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    @contextlib.contextmanager
    def reserve(self, parent: Path, stem: str) -> Generator[Path]:
        """A temporary path that sweeps of this process leave alone until the block ends.

        What is there in the end is removed, where that can be done.
        """
        path = parent / temporary_name(stem)
        self._names.add(path.name)
        try:
            yield path
        finally:
            with contextlib.suppress(OSError):
                remove_tree(path)
            self._names.discard(path.name)

    def is_reserved(self, name: str) -> bool:
        """Whether a thread of this process uses a path of this name now."""
        return name in self._names


def unlink(path: str, *, dir_fd: int) -> None:
    """Remove a file, or a folder with all in it; what is missing already is no error."""
    try:
        os.unlink(path, dir_fd=dir_fd)
    except FileNotFoundError:
        pass
    except OSError:  # EISDIR on Linux, EPERM on macOS
        if not is_folder(path, dir_fd=dir_fd):
            raise
        shutil.rmtree(path, dir_fd=dir_fd)


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, or what has its name; what is missing already is no error.

    Nothing is followed: of a link that leads elsewhere the link alone goes. Another process may
    remove the same.
    """
    while os.path.lexists(path):
        # What another process has just removed is missing; the rest may still be there.
        with contextlib.suppress(FileNotFoundError):
            if is_folder(str(path)):
                shutil.rmtree(path)
            else:
                path.unlink()


def sync_file(name: str, *, dir_fd: int) -> None:
    """Make a file's bytes durable."""
    fd = os.open(name, _READ, dir_fd=dir_fd)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    with folder(path) as fd:
        os.fsync(fd)
