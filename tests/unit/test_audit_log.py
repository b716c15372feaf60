"""What an audit log tells of its lines and of what is in force."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.audit import log_file
from robbieblocks.release.audit.entries import PIN, Ended, Entry, line_of, read_line
from robbieblocks.release.audit.noting import InForce
from robbieblocks.release.audit.telling import told

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def pin(id_: str, *, was: str = "", minutes: int = 0, until: datetime | None = None) -> Entry:
    """The entry of a pin."""
    return Entry(
        id=id_,
        kind="pinned",
        at=NOON + minutes * MINUTE,
        node="node",
        app="play",
        who="ann",
        why="fair",
        until=until,
        subject=PIN,
        was=was,
        now=id_,
    )


def unpin(id_: str, was: str, minutes: int) -> Entry:
    """The entry of the end of a pin."""
    return replace(pin(id_, was=was, minutes=minutes), kind="unpinned", now="")


def shown(
    folder: Path, standing: Entry | None = None, *, at: datetime = NOON + timedelta(days=1)
) -> list[tuple[str, str]]:
    """Kind and note of what is told, where an entry is in force or none is."""
    in_force = InForce(entries={PIN: standing} if standing else {})
    return [(each.kind, each.note) for each in told(log_file.read(folder), in_force, at)]


def write(
    folder: Path, *records: Entry | Ended, now: datetime = NOON, needed: datetime | None = None
) -> None:
    """Append records one by one."""
    for each in records:
        known = log_file.read(folder)
        log_file.append(folder, [each], known, stay=(), now=now, needed_since=lambda: needed)


def test_a_line_is_read_as_it_was_written() -> None:
    """An entry with everything, an entry with little, and an end."""
    full = replace(
        pin("a", was="b", until=NOON),
        since=NOON,
        host="web1",
        page="p",
        digest="d",
        apps=("x",),
        why="\u2028 {\n",
        release="r",
        release_before="q",
        note="odd",
    )
    for record in (full, Entry(id="a", kind="", at=NOON), Ended("a", "void")):
        line = line_of(record)
        assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
        assert read_line(line) == record


def test_an_act_of_which_nothing_is_in_force_is_not_told(tmp_path: Path) -> None:
    """It was killed before it was done; one that was killed after that is told."""
    write(tmp_path, pin("a"))
    assert shown(tmp_path) == []
    assert shown(tmp_path, pin("a")) == [("pinned", "")]
    write(tmp_path, Ended("a", "done"), unpin("b", "a", 1))
    assert shown(tmp_path, pin("a")) == [("pinned", "")]
    assert shown(tmp_path) == [("pinned", ""), ("unpinned", "")]


def test_what_is_over_ends_by_itself(tmp_path: Path) -> None:
    """At its time, and not before; not where a person ended or replaced it."""
    until = NOON + 10 * MINUTE
    first = pin("a", until=until)
    write(tmp_path, first, Ended("a", "done"))
    assert shown(tmp_path, first, at=until - MINUTE) == [("pinned", "")]
    assert shown(tmp_path, first) == [("pinned", ""), ("unpinned", "")]
    ended = told(log_file.read(tmp_path), InForce(), until)[1]
    assert (ended.at, ended.who, ended.why, ended.since) == (until, "", "fair", NOON)
    assert ended.id == told(log_file.read(tmp_path), InForce(), until + MINUTE)[1].id
    second = pin("b", was="a", minutes=5)
    write(tmp_path, second, Ended("b", "done"))
    assert shown(tmp_path, second) == [("pinned", ""), ("pinned", "")]


def test_a_file_that_is_altered_by_hand_is_told(tmp_path: Path) -> None:
    """A pin that somebody removed, or wrote, without a command."""
    write(tmp_path, pin("a"), Ended("a", "done"))
    assert [note for _, note in shown(tmp_path)] == ["its file was altered later by something else"]
    by_hand = replace(pin("by hand 1"), who="")
    assert [note for _, note in shown(tmp_path, by_hand)] == [
        "its file was altered later by something else",
        "found in its file, and not in the audit log",
    ]


@pytest.mark.parametrize(
    "torn",
    [b'{"version": 1, "id": "b", "ki', b"\x00\x00\x00", b"[1]\n", b"[" * 100_000, b"\xff\xfe\n"],
)
def test_a_torn_line_costs_no_other(tmp_path: Path, torn: bytes) -> None:
    """What comes after it is a line of its own."""
    write(tmp_path, pin("a"), Ended("a", "done"))
    with (tmp_path / log_file.FILE).open("ab") as file:
        file.write(torn)
    write(tmp_path, unpin("c", "a", 1), Ended("c", "done"))
    assert shown(tmp_path) == [("pinned", ""), ("unpinned", "")]


LATER: list[dict[str, object]] = [
    {"version": 2, "id": "x", "kind": "pinned", "at": "tomorrow"},
    {"version": 1, "kind": "praised"},
    {"id": [], "at": {}},
]


def test_lines_of_a_later_version_are_kept_and_passed_over(tmp_path: Path) -> None:
    """Also where the log is written anew; a field or kind that is not known hides no entry."""
    path = tmp_path / log_file.FILE
    known = json.loads(line_of(pin("a"))) | {"mood": "good", "kind": "praised"}
    path.write_text("".join(json.dumps(each) + "\n" for each in [*LATER, known]))
    assert [kind for kind, _ in shown(tmp_path, pin("a"))] == ["praised"]
    old = NOON - 2 * log_file.AGE
    for number in range(log_file.ENTRIES_ALWAYS + 5):
        write(tmp_path, replace(pin(str(number)), at=old), Ended(str(number), "done"))
    lines = path.read_text().splitlines()
    assert [json.loads(each) for each in lines[: len(LATER)]] == LATER


def test_the_log_is_bounded_by_number(tmp_path: Path) -> None:
    """The newest stay, each with its end, and what is in force whatever its age."""
    path = tmp_path / log_file.FILE
    records: list[Entry | Ended] = []
    for number in range(log_file.ENTRIES_MAX + 10):
        records += [pin(str(number), minutes=number), Ended(str(number), "done")]
    path.write_bytes(b"".join(map(line_of, records)))
    log_file.append(
        tmp_path,
        [Ended("more", "done")],
        log_file.read(tmp_path),
        stay=["3"],
        now=NOON,
        needed_since=lambda: None,
    )
    left = [each.record for each in log_file.read(tmp_path)]
    ids = [each.id for each in left if isinstance(each, Entry)]
    assert ids == ["3", *map(str, range(10, log_file.ENTRIES_MAX + 10))]
    assert len([each for each in left if isinstance(each, Ended)]) == len(ids) + 1


@pytest.mark.parametrize("needed", [None, NOON - 3 * log_file.AGE])
def test_the_log_is_bounded_by_age(tmp_path: Path, needed: datetime | None) -> None:
    """The last ones stay, and as long as a release is as old all do."""
    old = NOON - 2 * log_file.AGE
    count = log_file.ENTRIES_ALWAYS + 5
    for number in range(count):
        write(tmp_path, replace(pin(str(number)), at=old), needed=needed)
    assert len(log_file.read(tmp_path)) == (count if needed else log_file.ENTRIES_ALWAYS + 1)


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a link"])
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path, what: str) -> None:
    """Whoever reads or writes it hears of it."""
    path = tmp_path / log_file.FILE
    if what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SiteUnavailable, match="could not read the audit log"):
        log_file.read(tmp_path)
    with pytest.raises(SiteUnavailable, match="could not write the audit log"):
        log_file.append(tmp_path, [pin("a")], (), stay=(), now=NOON, needed_since=lambda: None)
    assert not (tmp_path / "elsewhere").exists()


def test_a_log_that_another_account_began_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a command by sudo: who may write the folder replaces the file, and loses no line."""
    write(tmp_path, pin("a"), Ended("a", "done"))
    really = os.open

    def refused(path: str | Path, flags: int, *args: int, **more: int | None) -> int:
        if Path(path).name == log_file.FILE and flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, flags, *args, **more)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr(os, "open", refused)
    log_file.append(
        tmp_path, [unpin("b", "a", 1)], (), stay=(), now=NOON, needed_since=lambda: None
    )
    monkeypatch.undo()
    assert (tmp_path / log_file.FILE).stat().st_mode & 0o777 == 0o644
    assert shown(tmp_path) == [("pinned", ""), ("unpinned", "")]
