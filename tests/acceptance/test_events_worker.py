"""A worker sends events while it builds; neither a second one nor a kill loses or doubles any."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from robbieblocks import release
from robbieblocks.events import outbox
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.commands import Installation, Ran
from tests.webhook_server import Receiver, hang, receiving, status
from tests.workers import NODES, Worker, asked, edit, running, until, until_shown

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver) -> Path:
    """A project whose events are told, and whose command notes what it is given."""
    folder = tmp_path / "project"
    folder.mkdir()
    hook = "import sys, pathlib; pathlib.Path('purged').open('a').write(sys.stdin.read() + chr(10))"
    (folder / "robbieblocks.toml").write_text(
        f"[events]\non_publish = {json.dumps([sys.executable, '-c', hook])}\n"
        f'[[events.webhooks]]\nname = "hook"\nurl = "{receiver.url}"\nsecret_variable = "HOOK"\n'
    )
    return folder


def worker_of(site: Settings, project: Path, *arguments: str) -> Worker:
    return Worker(
        site,
        NODE,
        arguments,
        prelude=f"import os; os.chdir({str(project)!r})",
        environment={"HOOK": SECRET},
    )


def command(site: Settings, project: Path, *arguments: str) -> Ran:
    own = Installation(
        home=site.home,
        database_url=site.database_url,
        variables={
            "ROBBIEBLOCKS_SITE_ROOT": str(site.site_root),
            "ROBBIEBLOCKS_CACHE": str(site.cache),
            "ROBBIEBLOCKS_TOOLCHAIN_CACHE": str(site.toolchain_cache),
            "HOOK": SECRET,
        },
    )
    return own.run(*arguments, cwd=project)


def of_play(receiver: Receiver, kind: str = "run.published") -> list[str]:
    """The ids of events of the app that came, in order."""
    return [
        each.id
        for each in list(receiver.received)
        if each.type == kind and each.payload["data"]["app"] == "play"
    ]


def of_freeze(receiver: Receiver, kind: str) -> list[dict[str, Any]]:
    """What events of freezes say."""
    return [each.payload["data"] for each in list(receiver.received) if each.type == kind]


def is_told(receiver: Receiver, times: int) -> bool:
    """Whether so many publishes of the app came."""
    return len(of_play(receiver)) >= times


def test_a_receiver_that_hangs_delays_no_edit(
    small_site: Settings, editor: psycopg.Connection, project: Path, receiver: Receiver
) -> None:
    """Edits go live while it is asked; what the command is given names each page once."""
    receiver.answers += [hang] * 3
    with running(worker := worker_of(small_site, project, "--health", "127.0.0.1:0")):
        worker.wait_until_ready()
        for version in range(1, 4):
            edit(editor, "play", version)
            until_shown(small_site.site_root, NODE, version)
        receiver.released.set()
        until((project / "purged").exists, "the command")
        worker.wait_for("event.sent", receiver="on_publish")
        metrics = asked(worker, "/metrics").text
        assert 'receiver="on_publish"' in metrics
    given = json.loads((project / "purged").read_text().splitlines()[0])
    assert given["urls"]
    assert len(set(given["urls"])) == len(given["urls"])


def test_of_two_workers_one_sends(
    small_site: Settings, editor: psycopg.Connection, project: Path, receiver: Receiver
) -> None:
    """The standby takes over when the first is killed; each publish is told, under one id."""
    first = worker_of(small_site, project)
    second = worker_of(small_site, project)
    with running(first):
        first.wait_until_ready()
        with running(second):
            second.wait_for("worker.state", state="standby")
            for version in (1, 2):
                edit(editor, "play", version)
                until_shown(small_site.site_root, NODE, version)
                until(partial(is_told, receiver, version + 1), "its being told")
            # A kill after something was sent, and before that is noted, has it sent again.
            folder = outbox.folder_of(small_site.site_root, NODE)
            until(lambda: not outbox.waiting(folder), "what was sent being noted")
            first.signal(signal.SIGKILL)
            second.wait_for("worker.state", state="active")
            edit(editor, "play", 3)
            until_shown(small_site.site_root, NODE, 3)
            until(lambda: len(set(of_play(receiver))) == 4, "the last one's being told")
    assert len(of_play(receiver)) == len(set(of_play(receiver)))


@pytest.mark.chaos
@pytest.mark.parametrize("step", ["event sent", "event noted", "event written aside"])
def test_a_killed_worker_s_events_are_sent_by_the_next(
    small_site: Settings,
    editor: psycopg.Connection,
    project: Path,
    receiver: Receiver,
    step: str,
) -> None:
    """With the id they had: each publish that visitors saw is told at least once."""
    worker = worker_of(small_site, project)
    worker.crash = step
    with running(worker):
        until(lambda: worker.dead, "its death")
    with running(second := worker_of(small_site, project)):
        second.wait_until_ready()
        until(lambda: len(set(of_play(receiver))) >= 1, "the first publish's being told")
        edit(editor, "play", 1)
        until_shown(small_site.site_root, NODE, 1)
        until(lambda: len(set(of_play(receiver))) == 2, "the second's being told")
    by_id: dict[str, set[str]] = {}
    for each in receiver.received:
        by_id.setdefault(each.id, set()).add(each.type)
    assert all(len(kinds) == 1 for kinds in by_id.values())
    assert len(set(of_play(receiver))) == 2


def test_commands_note_events_and_one_sends_them(
    small_site: Settings, editor: psycopg.Connection, project: Path, receiver: Receiver
) -> None:
    """Without a worker they wait: `events list` shows them, `events send` sends them."""
    assert command(small_site, project, "build", "--node", NODE).code == 0
    edit(editor, "play", 1)
    assert command(small_site, project, "build", "--node", NODE).code == 0
    place = ("--node", NODE, "--app", "play")
    assert command(small_site, project, "rollback", *place, "--reason", "try").code == 0
    listed = command(small_site, project, "events", "list", "--format", "json")
    (node,) = json.loads(listed.out)["nodes"]
    waiting = {(each["type"], each["receiver"]) for each in node["waiting"]}
    assert {("rolled_back", "hook"), ("run.published", "on_publish")} <= waiting
    assert receiver.received == []
    receiver.answers.append(status(500))
    sent = command(small_site, project, "events", "send")
    assert sent.code == 3
    assert "answered 500; again from " in sent.out
    again = command(small_site, project, "events", "send")
    assert again.code == 0, again.out + again.err
    assert len(of_play(receiver, "rolled_back")) == 1
    assert len(set(of_play(receiver))) == 2
    assert "nothing waits" in command(small_site, project, "events", "list").out
    assert "nothing waits" in command(small_site, project, "events", "send").out


def test_a_webhook_is_tried(small_site: Settings, project: Path, receiver: Receiver) -> None:
    """What it answers is said; a name that there is not, and no `[events]`, are usage errors."""
    assert command(small_site, project, "events", "test", "hook").code == 0
    assert [each.type for each in receiver.received] == ["test"]
    receiver.answers.append(status(401, b"who are you"))
    refused = command(small_site, project, "events", "test", "hook")
    assert refused.code == 3
    assert "answered 401: who are you" in refused.error
    unknown = command(small_site, project, "events", "test", "hok")
    assert unknown.code == 2
    assert "hook" in unknown.error
    (project / "robbieblocks.toml").write_text("")
    silent = command(small_site, project, "events", "list")
    assert silent.code == 2
    assert "no [events]" in silent.error


def test_a_freeze_whose_time_is_over_is_told(
    small_site: Settings, editor: psycopg.Connection, project: Path, receiver: Receiver
) -> None:
    """Who began it did so by a command; its end is nobody's, and what waited goes out."""
    with running(worker := worker_of(small_site, project)):
        worker.wait_until_ready()
        until_shown(small_site.site_root, NODE, 0)
        now = datetime.now(UTC)
        later = (now + timedelta(hours=1)).isoformat()
        done = command(small_site, project, "freeze", "--until", later, "--reason", "fair")
        assert done.code == 0, done.err
        soon = datetime.now(UTC) + timedelta(seconds=3)
        root = SiteRoot(small_site.site_root)
        release.freeze(root, (), who="ann", why="short", now=now, until=soon)
        edit(editor, "play", 1)
        until_shown(small_site.site_root, NODE, 1)
        until(lambda: bool(of_freeze(receiver, "freeze.ended")), "the end of the freeze", 30)
        (began,), (ended,) = (
            of_freeze(receiver, kind) for kind in ("freeze.started", "freeze.ended")
        )
        assert (began["why"], ended["why"]) == ("fair", "short")
        assert began["who"]
        assert ended["who"] == ""
        assert worker.stop() == 0
