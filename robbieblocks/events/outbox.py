"""The outbox: what is to be told, as files in the site root, until it is told or given up.

    <site root>/.events/<node>/<id>.json       an event, never written over
    <site root>/.events/<node>/<id>.state      how far each receiver of it is; none before a failure
    <site root>/.events/<node>/told/<name>     what was told last, so that it is not told again
    <site root>/.events/<node>/receivers.json  which webhooks are gone, and which wait
    <site root>/.events/<node>/given-up.jsonl  what was given up last
    <site root>/.events/<node>/.lock           held by the process that sends

Files are written aside, synced and renamed. Who works as root leaves them to the owner of the site
root, whose worker sends them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.events.event import Event
from robbieblocks.messages import visible_line
from robbieblocks.model import Json
from robbieblocks.settings import Settings

FOLDER: Final = ".events"
EVENT: Final = ".json"
TOLD: Final = "told"
LOCK: Final = ".lock"
_ALL_NODES: Final = "_all"
_TEMPORARY: Final = ".tmp-"
_FOLDER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_ID: Final = re.compile(r"evt_[0-9a-f]{32}")
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def forget(settings: Settings, kind: type[Event], node: str, app: str = "") -> None:
    """Let the next event of this kind be noted, whatever its key: the state it told of is over.

    Raises SiteUnavailable.
    """
    if settings.events is not None:
        remove(folder_of(settings.site_root, node) / TOLD / told_name(kind.kind, app))


def id_of(event: Event) -> str:
    """The event's id, which receivers know it by: without a key another one each time."""
    if not event.key:
        return f"evt_{uuid4().hex}"
    parts = orjson.dumps((event.kind, event.node, event.app, event.key))
    return f"evt_{hashlib.sha256(parts).hexdigest()[:32]}"


def is_id(text: str) -> bool:
    """Whether a file's stem is an event's id."""
    return _ID.fullmatch(text) is not None


def folder_of(site_root: Path, node: str) -> Path:
    """The outbox of a node; of an empty one, that of events which concern all."""
    if not node:
        name = _ALL_NODES
    elif _FOLDER_NAME.fullmatch(node):
        name = node
    else:
        # Rows may hold any name.
        name = f"_{hashlib.sha256(node.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
    return site_root / FOLDER / name


def folders(site_root: Path) -> tuple[Path, ...]:
    """The outboxes there are. Raises SiteUnavailable."""
    parent = site_root / FOLDER
    with attempt("read", parent):
        try:
            return tuple(sorted(each for each in parent.iterdir() if each.is_dir()))
        except FileNotFoundError:
            return ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits in an outbox, and how much it takes on the disk, in bytes."""

    id: str
    noted: float
    size: int


def waiting(folder: Path) -> tuple[Waiting, ...]:
    """What waits in an outbox, the oldest first. Raises SiteUnavailable."""
    found: list[Waiting] = []
    with attempt("read", folder):
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            return ()
        for entry in entries:
            stem = entry.name.removesuffix(EVENT)
            if stem != entry.name and is_id(stem):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found.append(Waiting(stem, status.st_mtime, status.st_size))
    return tuple(sorted(found, key=lambda each: (each.noted, each.id)))


def read(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none. Raises SiteUnavailable."""
    with attempt("read", path):
        try:
            fd = os.open(path, _READ)
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb") as file:
            return file.read()


def read_object(path: Path) -> Mapping[str, object]:
    """A JSON object that was written here; empty where there is none, or it is damaged."""
    try:
        value: Json = orjson.loads(read(path) or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def write(path: Path, content: bytes) -> None:
    """Put a file in place of another or none, durably; its folder is made. Raises SiteUnavailable.

    It comes to be with one rename, when its bytes are on the disk.
    """
    with attempt("write", path):
        for folder in (path.parent.parent, path.parent):
            _make_folder(folder)
        temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{os.urandom(4).hex()}")
        fd = os.open(temporary, _CREATE, 0o640)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                _leave_to_owner(fd, path.parent)
                os.fsync(fd)
            failpoints.reached("event written aside")
            temporary.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync(path.parent)


def remove(*paths: Path) -> None:
    """Remove files, durably; what is missing is no error. Raises SiteUnavailable."""
    for path in paths:
        with attempt("remove", path):
            path.unlink(missing_ok=True)
    with attempt("remove", paths[0]), contextlib.suppress(FileNotFoundError):
        _sync(paths[0].parent)


def sweep(folder: Path, now: float, older_s: float = 3600.0) -> None:
    """Remove what killed processes left in an outbox: files that never got their name."""
    with attempt("read", folder), contextlib.suppress(FileNotFoundError):
        for path in (*folder.glob(f"{_TEMPORARY}*"), *folder.glob(f"{TOLD}/{_TEMPORARY}*")):
            with contextlib.suppress(FileNotFoundError):
                if now - path.lstat().st_mtime > older_s:
                    path.unlink()
        for path in folder.glob("evt_*.state"):
            if not path.with_suffix(EVENT).exists():
                path.unlink(missing_ok=True)


def told_name(kind: str, app: str) -> str:
    """The file that has the key of the last event of a kind and app."""
    return hashlib.sha256(orjson.dumps((kind, app))).hexdigest()[:32]


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o750)
    except FileExistsError:
        return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o750, exist_ok=True)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _leave_to_owner(fd: int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def attempt(doing: str, path: Path) -> Generator[None]:
    """Name what is done and where, should the disk refuse it: raises SiteUnavailable."""
    try:
        yield
    except OSError as error:
        raise SiteUnavailable(
            f"could not {doing} {visible_line(str(path))} of the outbox of events: "
            f"{error.strerror or error}\n"
            "  -> see that the disk has room and lets this account write there"
        ) from error
