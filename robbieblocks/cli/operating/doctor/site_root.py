"""Looks at the site root: whose it is, its disk, its mounts, and whether writes last."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from robbieblocks import release
from robbieblocks.cli.operating.doctor.findings import Finding, broken, failed, note, ok
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.release import Room, SiteRoot
from robbieblocks.settings import Settings

_ANOTHER: Final = "name another in ROBBIEBLOCKS_SITE_ROOT"
# A build keeps what is live, and standby trees are as large.
_BUILDS_NOTED: Final = 3.0


def look(settings: Settings, identity: str | None) -> Iterator[Finding]:
    """What is found out about the site root, for the database with that id."""
    root = SiteRoot.of(settings)
    try:
        if identity:
            release.claim(root, identity, create=True, note=False)
        nodes = release.nodes(root)
        if not nodes:
            what = f"nothing was published to {root.path} yet"
            yield note("site root", what, "robbieblocks build")
        if not root.path.is_dir():
            return
        yield from _account(root)
        if os.access(root.path, os.W_OK | os.X_OK):
            release.try_writing(root)
            if nodes:
                yield ok("site root", f"{root.path}, with the nodes {', '.join(nodes)}")
        yield from _kept_by_people(root, nodes)
        yield from _mounts(root)
        yield _room(release.room(root))
    except RobbieBlocksError as error:
        yield failed("site root", error, _ANOTHER)


def _account(root: SiteRoot) -> Iterator[Finding]:
    """Whether this account may write it, and who else may."""
    status = root.path.stat()
    owner = str(status.st_uid)
    with suppress(KeyError):
        owner = pwd.getpwuid(status.st_uid).pw_name
    if not os.access(root.path, os.W_OK | os.X_OK):
        what = f"{root.path} may not be written by this account; it belongs to {owner}"
        yield broken(
            "site root", what, f"run this as {owner}, give this account the folder, or {_ANOTHER}"
        )
    elif status.st_uid != os.geteuid():
        what = f"{root.path} belongs to {owner}, and not to this account"
        why = f"what this account publishes, a worker of {owner} may not be able to replace"
        yield note(
            "site root", what, f"run commands as {owner}: sudo -u {owner} robbieblocks ...", why=why
        )
    if status.st_mode & stat.S_IWOTH:
        what = f"{root.path} may be written by everybody on this machine"
        why = "anybody can put pages before visitors"
        yield broken("site root", what, f"chmod o-w {root.path}", why=why)


def _kept_by_people(root: SiteRoot, nodes: Sequence[str]) -> Iterator[Finding]:
    """What is frozen, pinned and held, and who did that, where it can't be read."""
    looks: list[Callable[[], object]] = [partial(release.freezes, root, datetime.now(UTC))]
    for node in nodes:
        for app in release.apps(root, node):
            looks += [
                partial(release.pinned, root, node, app),
                partial(release.holds, root, node, app),
            ]
    for look_at in looks:
        try:
            look_at()
        except RobbieBlocksError as error:
            yield failed("site root", error, "correct the file, or remove it")
    for unread in release.audit(root)[1]:
        yield failed("site root", unread, "move it away; `audit` does without it then")


def _mounts(root: SiteRoot) -> Iterator[Finding]:
    apart = release.mounted_inside(root)
    if apart is not None:
        what = f"{apart} is on another file system than its node"
        why = "a release is put in place by a rename, which two file systems can't do"
        yield broken("site root", what, "mount one file system for the whole node", why=why)


def _room(room: Room) -> Finding:
    free = f"{_megabytes(room.free_bytes)} free"
    if room.free_files is not None:
        free += f" and {room.free_files:,} files"
    needed = f"a build of every page takes {_megabytes(room.needed_bytes)}"
    needed += f" and {room.needed_files:,} files"
    if room.builds >= _BUILDS_NOTED:
        return ok("disk", f"{free}; {needed}")
    found = note if room.builds >= 1 else broken
    why = "a build that finds no room fails, and what is live stays"
    return found(
        "disk", f"{free}, and {needed}", "free room on that disk, or make it larger", why=why
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"
