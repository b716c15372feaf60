"""A day of edits, pins, holds, freezes and kills, and what the history says of it afterwards."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from robbieblocks import history, release
from robbieblocks.history import Asked, AskedRuns, Run
from robbieblocks.pipeline import RunReport
from tests.building import Builder, run_of
from tests.integration.test_build_kill import STEPS, commands, strike
from tests.victims import Victims

__all__ = ["commands"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.chaos, pytest.mark.timeout(300)]

HOURS = int(os.environ.get("CHAOS_HOURS", "12"))
SEED = int(os.environ.get("CHAOS_SEED", "20261129"))
NODE, APP = "vengeance-local", "play"
PLACE = ("--node", NODE, "--app", APP)
PATHS = {
    "robbie-play-home": "play/index.html",
    "robbie-play-blackjack": "play/blackjack/index.html",
}
SWAPPING = ("fenced", "previous", "swapped", "checked", "verified")
NOTING = ("entry written", "acted")
POINTS = {
    "build": STEPS,
    "pin": NOTING,
    "hold": NOTING,
    "freeze": (*NOTING, "frozen"),
    "rollback": (*NOTING, "pinned", *SWAPPING),
    "rollback --only": (*NOTING, "held", "written", "synced", *SWAPPING),
}
"""The steps of each command at which it may be killed; the others act, and then build."""
CUT_SHORT = "a rollback that was cut short before the swap"
_PLAY_ALONE = "UPDATE robbieblocks_node_branding SET enabled_apps = '{play}' WHERE node_id = %s"
_TITLE = "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = %s"
_NOT_HANDLED = """
    SELECT id FROM robbieblocks_change_triggers
     WHERE processed_at IS NULL AND %s <> ALL (handled_nodes)
"""


DONE = {
    "pin": "pinned",
    "hold": "held",
    "freeze": "freeze.started",
    "rollback": "rolled_back",
}


@dataclass
class Day:
    """What people did, and what has to be true because of it.

    `pinned` and `frozen` are the reasons that were given, `held` the bytes of the pages that are
    held, `titles` what the rows say. `out` is the release with which each edit went out, by title.
    """

    builder: Builder
    commands: Victims
    choice: random.Random
    pinned: str = ""
    frozen: str = ""
    held: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    out: dict[str, str] = field(default_factory=dict)
    kills: int = 0
    did: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    broken_glass: list[str] = field(default_factory=list)

    @property
    def live_hash(self) -> str:
        live = self.builder.live(NODE, APP)
        assert live is not None
        return live.build_hash

    def shown(self, page: str) -> str:
        """What visitors get."""
        return self.builder.html(NODE, APP, PATHS[page])

    def runs(self) -> tuple[Run, ...]:
        """The runs that the history has, the newest first."""
        return history.runs(self.builder.connection, AskedRuns(node=NODE, app=APP, limit=1000))

    def edit(self, hour: int) -> None:
        """Change the title of a page."""
        page = self.choice.choice(sorted(PATHS))
        title = f"Edit {hour}"
        self.builder.sql(_TITLE, title, page)
        self.titles[page] = title
        self.waiting.append(title)
        self.did.append(f"{title} of {page}")

    def command(self, *arguments: str) -> None:
        """Run a command, most times first one that is killed at some step."""
        self.did.append(" ".join(arguments))
        was_killed = False
        points = POINTS.get(
            " ".join(arguments[: 2 if "--only" in arguments else 1]), (*NOTING, *STEPS)
        )
        if self.choice.random() < 0.6:
            step = self.choice.choice(points)
            done = strike(self.commands, self.builder, "SIGKILL", step, *arguments)
            was_killed = done.code == -signal.SIGKILL
            self.kills += was_killed
            self.did.append(f"killed at {step}: {was_killed}")
            if not was_killed:
                assert done.code == 0, (done.err, self.did)
                return
        ran = strike(self.commands, self.builder, "nothing", "nowhere", *arguments)
        # Who ended something and was killed then, finds it ended.
        ended = was_killed and arguments[0] in ("unpin", "release", "unfreeze")
        assert ran.code == 0 or (ended and ran.code == 2), (ran.err, self.did)

    def do_something(self, hour: int) -> None:
        """One thing that a person may do now."""
        reason = f"reason {hour}"
        self.reasons.append(reason)
        page = self.choice.choice(sorted(PATHS))
        can: list[Callable[[str, str], None]]
        can = [self._back, self._back_with_page, self._unpin if self.pinned else self._pin]
        can.append(self._release if page in self.held else self._hold)
        can += [self._unfreeze, self._break_glass] if self.frozen else [self._freeze]
        self.choice.choice(can)(reason, page)

    def _pin(self, reason: str, _page: str) -> None:
        self.command("pin", *PLACE, "--reason", reason)
        self.pinned = reason

    def _unpin(self, _reason: str, _page: str) -> None:
        self.command("unpin", *PLACE)
        self.pinned = ""

    def _hold(self, reason: str, page: str) -> None:
        self.command("hold", page, *PLACE, "--reason", reason)
        self.held[page] = self.shown(page)

    def _release(self, _reason: str, page: str) -> None:
        self.command("release", page, *PLACE)
        del self.held[page]

    def _freeze(self, reason: str, _page: str) -> None:
        until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        self.command("freeze", "--node", NODE, "--until", until, "--reason", reason)
        self.frozen = reason

    def _unfreeze(self, _reason: str, _page: str) -> None:
        self.command("unfreeze", "--node", NODE)
        self.frozen = ""

    def _break_glass(self, reason: str, _page: str) -> None:
        before = self.live_hash
        self.command("build", *PLACE, "--during-freeze", "--reason", reason)
        if self.live_hash != before:
            self.broken_glass.append(reason)

    def _back(self, reason: str, _page: str) -> None:
        kept = [each for each in self._kept() if not each.is_live]
        if kept:
            target = self.choice.choice(kept).build_hash
            self.command("rollback", *PLACE, "--to", target, "--reason", reason)
            assert self.live_hash == target
            self._compare_rollback(reason)
            self.pinned = reason
            # What is held is from then on held as it is in that release.
            self.held = {page: self.shown(page) for page in self.held}

    def _back_with_page(self, reason: str, page: str) -> None:
        target = self.choice.choice(self._kept()).build_hash
        file = self.builder.settings.site_root / NODE / APP / "releases" / target / PATHS[page]
        wanted = file.read_text()
        self.command("rollback", "--only", page, *PLACE, "--to", target, "--reason", reason)
        self.held[page] = self.shown(page)
        assert self.held[page] == wanted
        self._compare_rollback(reason)

    def _compare_rollback(self, reason: str) -> None:
        """The history has it, with its reason and what is live since."""
        told = [run for run in self.runs() if run.triggered_by == "rollback" and reason in run.log]
        assert self.live_hash in {run.build_hash for run in told}, self.did

    def _kept(self) -> tuple[release.KeptRelease, ...]:
        return release.kept_releases(self.builder.site_root, NODE, APP)

    def build(self) -> None:
        """Build as a worker would, and compare what is live and what is told with what was done."""
        before = self.builder.files(NODE, APP)
        run = run_of(self.builder.build(nodes=[NODE], apps=[APP]), NODE, APP)
        said = (self.did, run.error)
        assert run.outcome in ("published", "unchanged"), said
        if self.pinned or self.frozen:
            assert self.builder.files(NODE, APP) == before, said
        if run.waits:
            assert len(self.builder.sql(_NOT_HANDLED, NODE)) >= len(self.waiting), said
            self._compare_reason(run)
        else:
            assert not self.builder.sql(_NOT_HANDLED, NODE), said
            self.out |= dict.fromkeys(self.waiting, run.build_hash)
            self.waiting = []
        self._compare_pages()
        self.compare_audit()
        told = self.runs()[0]
        assert (told.status, told.build_hash) == ("success", self.live_hash), said

    def compare_audit(self) -> None:
        """The audit log says of each pin, hold and freeze what was done last."""
        now = max(self.builder.now, datetime.now(UTC))
        root = replace(self.builder.site_root, clock=now.timestamp)
        entries, errors = release.audit(root, NODE, APP)
        assert errors == ()
        last = {entry.subject: entry for entry in reversed(entries)}
        pins = [last["pin"].why] if last.get("pin") and last["pin"].now else []
        frozen = last.get(f"freeze {NODE}")
        said = ([(e.kind, e.why, e.page, e.note) for e in entries], self.did)
        assert pins == ([self.pinned] if self.pinned else []), said
        assert bool(frozen and frozen.now) == bool(self.frozen), said
        assert not (frozen and frozen.now) or frozen.why == self.frozen, said
        held = {entry.page for entry in last.values() if entry.page and entry.now}
        assert held == set(release.holds(self.builder.site_root, NODE, APP)), said
        given = set(self.reasons) | {"the page's rows changed"}
        assert {entry.why for entry in entries} <= given, said
        assert {entry.note for entry in entries} <= {"", CUT_SHORT}, said

    def _compare_reason(self, run: RunReport) -> None:
        """Who keeps changes back is named, with the reason that was given."""
        assert run.pin or run.freeze, self.did
        assert (run.pin.why if run.pin else "") in ("", self.pinned), self.did
        assert (run.freeze.why if run.freeze else "") in ("", self.frozen), self.did
        assert bool(run.pin) <= bool(self.pinned), self.did
        reason = run.pin.why if run.pin else self.frozen
        assert reason in self.runs()[0].log, self.did

    def _compare_pages(self) -> None:
        """A page that is held, and one that is free, where nothing keeps the app back."""
        held = release.holds(self.builder.site_root, NODE, APP)
        for page in PATHS:
            if page in held:
                assert self.shown(page) == self.held[page], (page, self.did)
            elif not (self.pinned or self.frozen):
                self.held.pop(page, None)
                if page in self.titles:
                    assert f"<title>{self.titles[page]}" in self.shown(page), (page, self.did)
        # A hold ends with an edit of the page; what waits ends none.
        for page in self.held.keys() - held.keys():
            del self.held[page]


def test_history_tells_the_truth_about_a_day(seeded: Builder, commands: Victims) -> None:
    """After a day of simulated editing with pins, holds, freezes and kills at every step, history
    tells the truth about each: which release an edit went out with, what kept it back and why."""
    seeded.sql(_PLAY_ALONE, NODE)
    seeded.now = datetime.now(UTC)
    seeded.build(apps=[APP], nodes=[NODE])
    seeded.sql("DELETE FROM robbieblocks_change_triggers")
    day = Day(seeded, commands, random.Random(SEED))
    for hour in range(HOURS):
        day.edit(hour)
        if day.choice.random() < 0.5:
            day.build()
        day.do_something(hour)
        day.build()
    if day.pinned:
        day.command("unpin", *PLACE)
        day.pinned = ""
        day.build()
    if day.held:
        day.command("release", *sorted(day.held), *PLACE)
        day.held = {}
    # What freezes is over the next day, by itself.
    seeded.now = datetime.now(UTC) + timedelta(days=2)
    day.frozen = ""
    day.build()
    assert day.waiting == []
    _compare_history(day)


def _compare_history(day: Day) -> None:
    runs = day.runs()
    assert all(run.status in ("success", "failed") and run.completed for run in runs)
    failed = [run for run in runs if run.status == "failed"]
    assert len(failed) <= day.kills
    assert all("ended without finishing" in run.error for run in failed), [r.error for r in failed]
    by_run: dict[UUID, Run] = {run.id: run for run in runs}
    changes = history.changes(day.builder.connection, Asked(entity="page", limit=1000))
    assert len(changes) == HOURS
    for change in changes:
        assert change.after is not None
        title = str(change.after["meta_title"])
        assert NODE in change.handled_nodes, title
        ends = [by_run[each.run] for each in change.runs]
        assert day.out[title] in {run.build_hash for run in ends if run.status == "success"}, title
    entries, _ = release.audit(day.builder.site_root, NODE, APP)
    for did in day.did:
        kind, reason = DONE.get(did.split(" ", 1)[0]), did.partition("--reason ")[2]
        if kind and reason:
            # What was killed and done again may be there twice: both were done.
            kinds = {entry.kind for entry in entries if entry.why == reason}
            # Of one page that is in what is live as it was there, nothing but the hold is new.
            assert kind in kinds or ("--only" in did and "held" in kinds), did
    glass = [run.log for run in runs if run.triggered_by == "during-freeze"]
    assert all(any(reason in log for log in glass) for reason in day.broken_glass)
