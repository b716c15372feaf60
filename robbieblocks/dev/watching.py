"""Watches folders and the database, and says when something may have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from watchfiles import DefaultFilter, watch

from robbieblocks import changes, database
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.settings import Settings

# An editor writes a file in several steps: what comes within this time is one change.
_STEP_MS: Final = 15
_DEBOUNCE_MS: Final = 150
# How soon a folder that was not there, or is another one now, is noticed.
_LOOK_MS: Final = 1_000
_PAUSE_S: Final = 1.0


def watch_folders(
    folders: Iterable[Path], changed: Callable[[set[Path]], None], stopped: threading.Event
) -> None:
    """Call `changed` with the paths that changed, until `stopped`.

    A folder that goes or comes counts as changed itself.
    """
    wanted = tuple(dict.fromkeys(folders))
    seen = _there(wanted)
    while not stopped.is_set():
        there = _there(wanted)
        if there != seen:
            changed({folder for folder in wanted if there.get(folder) != seen.get(folder)})
        seen = there
        if not there:
            stopped.wait(_LOOK_MS / 1000)
            continue
        for found in watch(
            *there,
            watch_filter=DefaultFilter(ignore_paths=[]),
            step=_STEP_MS,
            debounce=_DEBOUNCE_MS,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            stop_event=stopped,
            raise_interrupt=False,
        ):
            if found:
                changed({Path(path) for _, path in found})
            if _there(wanted) != seen:
                break


def _there(folders: Iterable[Path]) -> dict[Path, int]:
    """The folders that are there, each with its inode."""
    found: dict[Path, int] = {}
    for folder in folders:
        try:
            if folder.is_dir():
                found[folder] = folder.stat().st_ino
        except OSError:
            continue
    return found


def watch_database(
    settings: Settings, changed: Callable[[], None], stopped: threading.Event
) -> None:
    """Call `changed` on each notification, and whenever one may have been missed, until `stopped`.

    While the database is away it is tried again each second.
    """
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
