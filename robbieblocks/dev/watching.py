"""Watches folders and the database, and says when something may have changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from watchfiles import watch

from robbieblocks import changes, database
from robbieblocks.dev.listing import Listing
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.row_faults import is_fault
from robbieblocks.settings import Settings

# An editor writes a file in several steps: what comes within this time is one change.
_STEP_MS: Final = 10
_DEBOUNCE_MS: Final = 150
# How soon a folder that was not there, or is another one now, is noticed.
_LOOK_MS: Final = 1_000
# Looking for what the watch lost takes at most this share of the time.
_SHARE: Final = 20
_PAUSE_S: Final = 1.0
# While files can't be watched they are read so often.
_UNWATCHED_S: Final = 10.0


def watch_folders(
    folders: Iterable[Path],
    changed: Callable[[set[Path]], None],
    stopped: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Call `changed` with the paths that changed, until `stopped`.

    Where a folder goes or comes, all of them count as changed, and again once they are watched: of
    what happens before, nothing is told.
    """
    wanted = tuple(dict.fromkeys(folders))
    there = _there(wanted)
    while not stopped.is_set():
        if there:
            try:
                _watch(there, wanted, changed, stopped)
            except (OSError, RuntimeError) as error:
                # As where the system's limit of watches is reached.
                say(f"the files can't be watched: {error}\n  -> try WATCHFILES_FORCE_POLLING=1")
                stopped.wait(_UNWATCHED_S)
        else:
            stopped.wait(_LOOK_MS / 1000)
        now = _there(wanted)
        if there or now:
            changed(set(wanted))
        there = now


def _watch(
    there: frozenset[Path],
    wanted: Iterable[Path],
    changed: Callable[[set[Path]], None],
    stopped: threading.Event,
) -> None:
    """Watch the folders that are there until one of them goes, or another one comes.

    The library loses what it notices while it hands over other changes, and what comes into a new
    folder before it watches that. So the folders are compared with a listing, too.
    """
    unseen = set(wanted)
    listing = Listing(there)
    pause = _LOOK_MS / 1000
    look_at = time.monotonic() + pause
    for found in watch(
        *there,
        step=_STEP_MS,
        debounce=_DEBOUNCE_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stopped,
        raise_interrupt=False,
    ):
        paths = {Path(path) for _, path in found}
        listing.note(paths)
        if (began := time.monotonic()) >= look_at:
            paths |= listing.changed()
            ended = time.monotonic()
            look_at = ended + max(pause, _SHARE * (ended - began))
        if paths or unseen:
            changed(paths | unseen)
            unseen = set[Path]()
        # A folder that was made again may have the number of the one before.
        if not there.isdisjoint(paths) or _there(wanted) != there:
            return


def _there(folders: Iterable[Path]) -> frozenset[Path]:
    """The folders that are there."""
    return frozenset(filter(_is_there, folders))


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        # As where a folder above may not be entered.
        return False


def watch_database(
    settings: Settings,
    changed: Callable[[], None],
    stopped: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Call `changed` on each notification, and whenever one may have been missed, until `stopped`.

    While the database is away it is tried again each second.
    """
    said = ""
    while not stopped.is_set():
        try:
            with database.connect(settings, application_name="robbieblocks dev") as connection:
                changes.listen(connection)
                changed()
                while not stopped.is_set():
                    if any(
                        channel == changes.CHANNEL
                        for channel, _ in changes.receive(connection, _PAUSE_S)
                    ):
                        changed()
        except RobbieBlocksError:
            # The builder's own connection says why.
            stopped.wait(_PAUSE_S)
        except BaseException as error:
            if not is_fault(error):
                raise
            if (text := f"listening to the database failed: {error}") != said:
                say(text)
            said = text
            stopped.wait(_PAUSE_S)
