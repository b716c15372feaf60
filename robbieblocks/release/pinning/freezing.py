"""Freezes nodes, and ends freezes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import did_you_mean, printable
from robbieblocks.release.audit.entries import new_id, this_host
from robbieblocks.release.pinning.freeze_log import ENDED, audit_log_of_freezes, freeze_entry
from robbieblocks.release.pinning.freezes import (
    ALL_NODES,
    Freeze,
    freezes_not_over,
    read_freezes,
    write_freezes,
)
from robbieblocks.release.places.layout import apps, nodes
from robbieblocks.release.places.lock import freezes_lock, lock
from robbieblocks.release.places.site_root import SiteRoot


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
    wanted = sorted(_checked(site_root, chosen))
    new = {key: Freeze(who=who, why=why, since=now, until=until, act=new_id()) for key in wanted}
    entries = [freeze_entry(key, each, now) for key, each in new.items()]
    with freezes_lock(site_root):
        given = {**freezes_not_over(read_freezes(site_root), now), **new}
        with audit_log_of_freezes(site_root).noted(*entries):
            write_freezes(site_root, given)
    failpoints.reached("frozen")
    for node in nodes(site_root):
        if ALL_NODES in wanted or node in wanted:
            _wait_for_publishers(site_root, node)
    return new[wanted[0]]


def end_freezes(
    site_root: SiteRoot, chosen: Collection[str], now: datetime, *, who: str = ""
) -> Mapping[str, Freeze]:
    """End what people froze: of nodes, or without any everything; what was ended, by node.

    `who` is for the audit log. Raises UsageError for a node that is frozen with all others, or is
    none, and SiteUnavailable.
    """
    with freezes_lock(site_root):
        try:
            given = freezes_not_over(read_freezes(site_root), now)
        except SiteUnavailable:
            if chosen:
                raise
            # A file that can't be read holds everything: it is removed, too.
            given = {ALL_NODES: Freeze(who="?", why="it could not be read", until=None)}
        ended = _chosen(site_root, given, chosen)
        entries = [
            replace(
                freeze_entry(key, was, now),
                id=new_id(),
                kind=ENDED,
                since=was.since,
                until=None,
                who=who,
                host=this_host(),
                now="",
            )
            for key, was in ended.items()
        ]
        with audit_log_of_freezes(site_root).noted(*entries):
            write_freezes(site_root, {key: given[key] for key in given.keys() - ended.keys()})
    return ended


def _chosen(
    site_root: SiteRoot, given: Mapping[str, Freeze], chosen: Collection[str]
) -> dict[str, Freeze]:
    """Those of the freezes that are to end. Raises UsageError."""
    if not chosen:
        return dict(sorted(given.items()))
    # A freeze outlives a node that was removed.
    wanted = _checked(site_root, chosen, also=given.keys())
    if ALL_NODES in given and (whole := sorted(wanted - given.keys())):
        raise UsageError(
            f"{printable(whole[0])} is frozen together with all nodes: {given[ALL_NODES]}\n"
            "  -> `robbieblocks unfreeze` without --node ends that"
        )
    return {key: given[key] for key in sorted(wanted & given.keys())}


def forget_freezes_over(site_root: SiteRoot, now: datetime) -> None:
    """Remove those whose time is over from the file. Raises SiteUnavailable."""
    with freezes_lock(site_root):
        given = read_freezes(site_root)
        left = freezes_not_over(given, now)
        if left.keys() != given.keys():
            with audit_log_of_freezes(site_root).noted():
                write_freezes(site_root, left)


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
