"""Holds pages at what is live, and ends holds; no database is needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from robbieblocks.errors import UsageError
from robbieblocks.messages import did_you_mean, printable
from robbieblocks.model import Manifest, PageEntry
from robbieblocks.release.audit.entries import Entry, new_id, page_subject, this_host
from robbieblocks.release.pinning.holds import Hold, holds_not_over, read_holds, write_holds
from robbieblocks.release.pinning.in_force import audit_log
from robbieblocks.release.pinning.kept_releases import kept_releases
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release, manifest_of


def hold_page(
    site_root: SiteRoot,
    node: str,
    app: str,
    page: str,
    *,
    who: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Hold:
    """Hold a page at what is live. Raises UsageError where it is not live, and SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        live, entry = live_page(app_folder, page)
        before = read_holds(app_folder)
        hold = Hold(
            rows=rows_of(app_folder, entry, before),
            build_hash=live.build_hash,
            taken_back=page in before and is_taken_back(app_folder, live, entry, before[page]),
            who=who,
            why=why,
            since=now,
            until=until,
            act=new_id(),
        )
        with audit_log(app_folder).noted(hold_entry(app_folder, page, hold)):
            write_holds(app_folder, {**before, page: hold})
    return hold


def end_holds(
    site_root: SiteRoot,
    node: str,
    app: str,
    pages: Collection[str],
    *,
    who: str = "",
    why: str = "",
) -> tuple[str, ...]:
    """End the holds of pages; the keys of those that were held. Raises SiteUnavailable.

    `who` and `why` are for the audit log; without `who` they end by themselves. Those whose time is
    over are removed from the file, too.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        held = read_holds(app_folder)
        standing = holds_not_over(held)
        ended = tuple(sorted(held.keys() & set(pages)))
        left = {key: hold for key, hold in standing.items() if key not in ended}
        at = datetime.fromtimestamp(site_root.clock(), UTC)
        entries = [
            replace(
                hold_entry(app_folder, key, held[key]),
                id=new_id(),
                kind="released",
                at=at,
                since=held[key].since,
                until=None,
                who=who,
                why=why or held[key].why,
                now="",
            )
            for key in ended
            if key in standing
        ]
        if left != held:
            with audit_log(app_folder).noted(*entries):
                write_holds(app_folder, left)
    return ended


def hold_entry(app_folder: AppFolder, page: str, hold: Hold) -> Entry:
    """What the audit log says of a hold."""
    return Entry(
        id=hold.act,
        kind="held",
        at=hold.since or datetime.fromtimestamp(app_folder.site_root.clock(), UTC),
        node=app_folder.node,
        app=app_folder.app,
        page=page,
        release=hold.build_hash,
        who=hold.who,
        why=hold.why,
        until=hold.until,
        host=this_host(),
        subject=page_subject(page),
        now=hold.act,
    )


def live_page(app_folder: AppFolder, page: str) -> tuple[Manifest, PageEntry]:
    """What is live, and the page in it. Raises UsageError where there is none."""
    _, live = live_release(app_folder)
    place = f"{app_folder.app} on {app_folder.node}"
    if live is None or page not in live.by_key:
        known = live.by_key if live else {}
        raise UsageError(
            f"no page {printable(page)!r} of {place} is live: {did_you_mean(page, known)}"
        )
    entry = live.by_key[page]
    if not entry.row_digests:
        raise UsageError(
            f"the page {printable(page)} of {place} was published by an earlier version: "
            "build it once, then hold it"
        )
    return live, entry


def rows_of(app_folder: AppFolder, entry: PageEntry, held: Mapping[str, Hold]) -> str:
    """The digests of the page's rows when it was built last.

    After going back, the live release has those of an earlier time: a hold with these would end
    with the next build, though nobody changed a row.
    """
    if entry.key in held:
        return held[entry.key].rows
    kept = kept_releases(app_folder.site_root, app_folder.node, app_folder.app)
    newest = manifest_of(app_folder, kept[0].build_hash) if kept else None
    built = newest.by_key.get(entry.key) if newest else None
    return (built.row_digests if built else "") or entry.row_digests


def is_taken_back(app_folder: AppFolder, live: Manifest, entry: PageEntry, hold: Hold) -> bool:
    """Whether visitors get the earlier version that a hold is of.

    A kill between the hold and the swap leaves one of which they don't, until it is completed.
    """
    if not hold.taken_back:
        return False
    earlier = manifest_of(app_folder, hold.build_hash)
    return earlier is None or earlier.files.get(entry.path) == live.files[entry.path]
