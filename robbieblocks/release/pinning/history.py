"""The audit logs of a site root, read together; no database is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.audit import log_file
from robbieblocks.release.audit.entries import Entry
from robbieblocks.release.audit.noting import InForce
from robbieblocks.release.audit.telling import told
from robbieblocks.release.files import disk
from robbieblocks.release.pinning.freeze_log import freezes_in_force
from robbieblocks.release.pinning.in_force import in_force_of
from robbieblocks.release.places.layout import AppFolder, app_folders, node_folders
from robbieblocks.release.places.site_root import SiteRoot

_TRIES: Final = 5


def audit(
    site_root: SiteRoot, node: str | None = None, app: str | None = None
) -> tuple[tuple[Entry, ...], tuple[SiteUnavailable, ...]]:
    """What people did to what is live, and what ended by itself, the newest first.

    Of one node and app, or of all; a freeze of all is one of each. The second are errors of what
    can't be read, whose entries are missing.
    """
    now = datetime.fromtimestamp(site_root.clock(), UTC)
    found: list[Entry] = []
    errors: list[SiteUnavailable] = []
    for read in _logs(site_root, node, app, errors):
        try:
            # What is in force first: what is done meanwhile is then not yet told.
            in_force, lines = _at_one_time(read)
            found += told(lines, in_force, now)
        except SiteUnavailable as error:
            errors.append(error)
    chosen = [each for each in found if _concerns(each, node, app)]
    # Of what has one time the later entry comes first.
    chosen.sort(key=lambda each: each.at)
    return tuple(reversed(chosen)), tuple(errors)


def _logs(
    site_root: SiteRoot, node: str | None, app: str | None, errors: list[SiteUnavailable]
) -> Iterator[Callable[[], tuple[InForce, Path]]]:
    """For each log that is asked for a function that reads what is in force, and its folder."""
    yield lambda: (freezes_in_force(site_root), disk.real(site_root.path))
    for each in _read(lambda: node_folders(site_root), errors):
        if node in (None, each):
            for other in _read(partial(app_folders, site_root, each), errors):
                if app in (None, other):
                    folder = AppFolder.of(site_root, each, other)
                    yield partial(_of_app, folder)


def _at_one_time(
    read: Callable[[], tuple[InForce, Path]],
) -> tuple[InForce, tuple[log_file.Line, ...]]:
    """What is in force, and the lines of the log, with no whole act in between: what that brought
    into force would seem to be removed by hand.
    """
    in_force, folder = read()
    lines = log_file.read(folder)
    for _ in range(_TRIES):
        after, _folder = read()
        if after.entries == in_force.entries:
            break
        in_force, lines = after, log_file.read(folder)
    return in_force, lines


def _of_app(app_folder: AppFolder) -> tuple[InForce, Path]:
    return in_force_of(app_folder), app_folder.path


def _read(read: Callable[[], tuple[str, ...]], errors: list[SiteUnavailable]) -> tuple[str, ...]:
    try:
        return read()
    except SiteUnavailable as error:
        errors.append(error)
        return ()


def _concerns(entry: Entry, node: str | None, app: str | None) -> bool:
    if node is not None and entry.node not in ("", node):
        return False
    concerned = entry.apps or ((entry.app,) if entry.app else ())
    return app is None or not concerned or app in concerned
