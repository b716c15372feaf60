"""What an audit log tells: each act, what ended by itself, and what nobody noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from robbieblocks.release.audit.entries import Entry, is_window
from robbieblocks.release.audit.log_file import Line
from robbieblocks.release.audit.noting import GOING_BACK, InForce, outcomes

_ENDS: Final = {
    "pinned": "unpinned",
    "held": "released",
    "freeze.started": "freeze.ended",
}
_CUT_SHORT: Final = "a rollback that was cut short before the swap"
_UNKNOWN: Final = "whether it was completed is not known"
_BY_HAND: Final = "its file was altered later by something else"
_FOUND: Final = "found in its file, and not in the audit log"
_OVER: Final = UUID("5d0f1f0c-0a9e-4a1b-9a55-6a3c6fdc8d52")


def told(lines: Sequence[Line], in_force: InForce, now: datetime) -> tuple[Entry, ...]:
    """What happened, in the order in which it did. `in_force` was read before `lines`."""
    known = outcomes(lines, in_force)
    entries = [line.record for line in lines if isinstance(line.record, Entry)]
    done = [_as_it_ended(each, known[each.id]) for each in entries if known[each.id] != "void"]
    following: dict[str, Entry | None] = {}
    after: list[Entry | None] = []
    for entry in reversed(done):
        after.append(following.get(entry.subject))
        following[entry.subject] = entry
    found = [
        each
        for entry, next_ in zip(done, reversed(after), strict=True)
        for each in _with_its_end(entry, next_, in_force, now)
    ]
    return (*found, *_unnoted(entries, in_force.entries))


def _as_it_ended(entry: Entry, outcome: str) -> Entry:
    if outcome == "cut short":
        kind = "held" if entry.page else "pinned"
        return replace(entry, kind=kind, release_before="", note=_CUT_SHORT)
    return replace(entry, note=_UNKNOWN) if outcome == "unknown" else entry


def _with_its_end(
    entry: Entry, next_: Entry | None, in_force: InForce, now: datetime
) -> Iterator[Entry]:
    """An entry, and its end where that came by itself, when its time was over."""
    ended_at = next_.at if next_ else now
    kind = "held" if entry.page else "pinned"
    end = _ENDS.get(kind if entry.kind == GOING_BACK else entry.kind)
    if not (entry.now and end):
        yield entry
    elif entry.until is not None and entry.until <= ended_at:
        yield entry
        yield replace(
            entry,
            id=str(uuid5(_OVER, entry.id)),
            kind=end,
            at=entry.until,
            since=entry.at,
            until=None,
            who="",
            was=entry.now,
            now="",
            release_before="",
            note="",
        )
    elif _is_altered(entry, next_, in_force):
        yield replace(entry, note=_BY_HAND)
    else:
        yield entry


def _is_altered(entry: Entry, next_: Entry | None, in_force: InForce) -> bool:
    """Whether what an entry brought into force is so no more, though no entry ended it."""
    if is_window(entry) or not entry.subject:
        return False
    if next_ is not None:
        return next_.was != entry.now
    if in_force.unknown and entry.subject.startswith(in_force.unknown):
        return False
    return in_force.mark(entry.subject) != entry.now


def _unnoted(entries: Sequence[Entry], in_force: Mapping[str, Entry]) -> Iterator[Entry]:
    """What is in force and stands in no log: written by hand, by an earlier version, or the disk
    refused to note it.
    """
    noted = {entry.now for entry in entries}
    for subject in sorted(in_force):
        if (entry := in_force[subject]).now not in noted:
            yield replace(entry, note=_FOUND)
