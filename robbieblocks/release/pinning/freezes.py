"""Freezes: until when nothing new goes out on a node, or on all of them, and who wants that.

They stand in the file `freezes.json` of the site root; windows of the settings freeze, too. A
freeze is for content: damage to what is live is mended where no change waits, and going back is
always possible.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import did_you_mean, printable, visible_line
from robbieblocks.release.files import disk
from robbieblocks.release.pinning.pins import instant, minute, text_of
from robbieblocks.release.places.layout import apps, has_place, nodes
from robbieblocks.release.places.lock import freezes_lock, lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.settings import FreezeWindow

_FILE: Final = "freezes.json"
_VERSION: Final = 1
ALL_NODES: Final = ""
"""The key of a freeze of all nodes; no node has an empty id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """What keeps changes back until a time. Without `who` it is a window of the settings.

    `until` is None where windows follow each other for more than a year, `since` where it is not
    known.
    """

    who: str = ""
    why: str
    since: datetime | None = None
    until: datetime | None

    def __str__(self) -> str:
        by = self.who or "a window of robbieblocks.toml"
        since = f" since {minute(self.since)}" if self.since else ""
        until = f" until {minute(self.until)}" if self.until else ""
        return visible_line(f"frozen by {by}{since}{until}: {self.why}")

    def as_json(self) -> dict[str, str | None]:
        """The stable form: `who` (empty for a window), `why`, RFC 3339 `since` and `until`."""
        return {
            "who": self.who,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }


def frozen(
    site_root: SiteRoot, windows: Sequence[FreezeWindow], node: str, app: str, now: datetime
) -> Freeze | None:
    """What freezes an app of a node, or None; of several what ends last. Raises SiteUnavailable."""
    if not has_place(node, app):
        return None
    given = _not_over(_read(site_root), now)
    found = [given[key] for key in (ALL_NODES, node) if key in given]
    if windows:
        # Without windows neither cron nor zones are loaded.
        from robbieblocks.release.pinning.freeze_windows import freezing_window

        if window := freezing_window(windows, node, app, now):
            why, since, until = window
            found.append(Freeze(why=_reason_of(why), since=since, until=until))
    return max(found, key=lambda each: (each.until is None, each.until), default=None)


def freezes(site_root: SiteRoot, now: datetime) -> Mapping[str, Freeze]:
    """What people froze, by node, and under `ALL_NODES` all of them. Raises SiteUnavailable."""
    return _not_over(_read(site_root), now)


def freezes_over(site_root: SiteRoot, now: datetime) -> Mapping[str, Freeze]:
    """What people froze whose time is over, until `forget_freezes_over`. Raises SiteUnavailable."""
    given = _read(site_root)
    return {key: given[key] for key in given.keys() - _not_over(given, now).keys()}


def forget_freezes_over(site_root: SiteRoot, now: datetime) -> None:
    """Remove those whose time is over from the file. Raises SiteUnavailable."""
    with freezes_lock(site_root):
        given = _read(site_root)
        left = _not_over(given, now)
        if left.keys() != given.keys():
            _write(site_root, left)


def window_freezes(
    windows: Sequence[FreezeWindow], node: str, chosen: Collection[str], now: datetime
) -> Mapping[str, Freeze]:
    """What windows of the settings freeze of these apps of a node."""
    if not windows:
        return {}
    from robbieblocks.release.pinning.freeze_windows import freezing_window

    found = {app: freezing_window(windows, node, app, now) for app in chosen}
    return {
        app: Freeze(why=_reason_of(each[0]), since=each[1], until=each[2])
        for app, each in found.items()
        if each is not None
    }


def freeze(
    site_root: SiteRoot,
    chosen: Collection[str],
    *,
    who: str,
    why: str,
    now: datetime,
    until: datetime,
) -> Freeze:
    """Freeze nodes, or without any all of them, in place of what froze the same before.

    Returns once no build that began before can publish any more. Raises UsageError for a node of
    which nothing is live, then nothing is frozen, and SiteUnavailable.
    """
    wanted = _checked(site_root, chosen)
    made = Freeze(who=who, why=why, since=now, until=until)
    with freezes_lock(site_root):
        given = {**_not_over(_read(site_root), now), **dict.fromkeys(wanted, made)}
        _write(site_root, given)
    failpoints.reached("frozen")
    for node in nodes(site_root):
        if ALL_NODES in wanted or node in wanted:
            _wait_for_publishers(site_root, node)
    return made


def end_freezes(
    site_root: SiteRoot, chosen: Collection[str], now: datetime
) -> Mapping[str, Freeze]:
    """End what people froze: of nodes, or without any everything; what was ended, by node.

    Raises UsageError for a node that is frozen with all others, or is none, and SiteUnavailable.
    """
    with freezes_lock(site_root):
        if not chosen:
            try:
                ended = _not_over(_read(site_root), now)
            except SiteUnavailable:
                # A file that can't be read holds everything: it is removed, too.
                ended = {ALL_NODES: Freeze(who="?", why="it could not be read", until=None)}
            _write(site_root, {})
            return ended
        given = _not_over(_read(site_root), now)
        # A freeze outlives a node that was removed.
        wanted = _checked(site_root, chosen, also=given.keys())
        if ALL_NODES in given and (whole := sorted(wanted - given.keys())):
            raise UsageError(
                f"{printable(whole[0])} is frozen together with all nodes: {given[ALL_NODES]}\n"
                "  -> `robbieblocks unfreeze` without --node ends that"
            )
        _write(site_root, {key: each for key, each in given.items() if key not in wanted})
    return {key: given[key] for key in sorted(wanted & given.keys())}


def _checked(
    site_root: SiteRoot, chosen: Collection[str], also: Collection[str] = ()
) -> frozenset[str]:
    """The keys that are meant. Raises UsageError."""
    if not site_root.path.is_dir():
        raise UsageError(
            f"there is no site root {site_root.path}, so there is nothing to freeze\n"
            "  -> name it with ROBBIEBLOCKS_SITE_ROOT or in robbieblocks.toml, or build first"
        )
    known = nodes(site_root)
    for node in chosen:
        if node not in known and node not in also:
            raise UsageError(
                f"no node {node!r} is live under {site_root.path}: {did_you_mean(node, known)}"
            )
    return frozenset(chosen) or frozenset((ALL_NODES,))


def _wait_for_publishers(site_root: SiteRoot, node: str) -> None:
    """Return once nobody publishes to a node who may not have seen that it is frozen."""
    for app in apps(site_root, node):
        try:
            with lock(site_root, node, app):
                pass
        except SiteUnavailable as error:
            raise SiteUnavailable(
                "it is frozen from now on, but a build that began before may still publish: "
                f"{error}"
            ) from error


def _reason_of(window: FreezeWindow) -> str:
    return window.reason if window.kind == "deny" else f"outside of its windows: {window.reason}"


def _not_over(given: Mapping[str, Freeze], now: datetime) -> dict[str, Freeze]:
    return {key: each for key, each in given.items() if each.until is None or each.until > now}


def _read(site_root: SiteRoot) -> dict[str, Freeze]:
    """The file's freezes, those whose time is over too. Raises SiteUnavailable."""
    path = site_root.path / _FILE
    with disk.attempt("read what is frozen", path):
        try:
            text = disk.read_file(path)
        except FileNotFoundError:
            return {}
    try:
        given = json.loads(text)
        found = {str(key): _freeze_of(each) for key, each in given["nodes"].items()}
        return found | ({ALL_NODES: _freeze_of(given["all"])} if given["all"] else {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SiteUnavailable(
            f"could not read what is frozen, {path}: {error!r}\n"
            "  -> `robbieblocks unfreeze` removes the file; then freeze again what has to be"
        ) from error


def _freeze_of(given: Mapping[str, object]) -> Freeze:
    until = instant(given["until"])
    if until is None:
        raise ValueError("a freeze has no end")
    return Freeze(
        who=text_of(given, "who") or "?",
        why=text_of(given, "why"),
        since=instant(given.get("since")),
        until=until,
    )


def _write(site_root: SiteRoot, given: Mapping[str, Freeze]) -> None:
    """Put freezes in place of those there are, durably. Raises SiteUnavailable."""
    path = site_root.path / _FILE
    every = given.get(ALL_NODES)
    text = json.dumps(
        {
            "version": _VERSION,
            "all": every.as_json() if every else None,
            "nodes": {key: each.as_json() for key, each in sorted(given.items()) if key},
        },
        indent=2,
    )
    with disk.attempt("write what is frozen", path):
        if given:
            with disk.folder(disk.real(site_root.path)) as fd:
                disk.replace_file(_FILE, f"{text}\n".encode(), dir_fd=fd, sync=True)
        else:
            Path(path).unlink(missing_ok=True)
        disk.sync_folder(disk.real(site_root.path))
