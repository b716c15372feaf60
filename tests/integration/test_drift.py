"""Drift of three kinds: edited on the disk, older than the rows, not what is served."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from robbieblocks import release
from robbieblocks.pipeline import RunReport
from robbieblocks.release import Pin, SiteRoot
from robbieblocks.settings import Addresses, EventSettings, Settings, Webhook
from robbieblocks.worker import Timing
from robbieblocks.worker.agenda import Job
from robbieblocks.worker.connections import Liveness
from robbieblocks.worker.drift import Drifts, watched
from robbieblocks.worker.health import Health
from robbieblocks.worker.health.metrics import Metrics
from robbieblocks.worker.log import open_log
from tests.commands import Installation
from tests.integration.proofs import APPS, NODES, answering, assets, files_below, put, put_all
from tests.integration.releases import overwrite
from tests.sites import served
from tests.workers import until

NODE, OTHER = NODES


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong here stays wrong: nothing is waited for."""
    monkeypatch.setattr("robbieblocks.release.checking.drift._PAUSE_S", 0.0)


@pytest.fixture
def root(tmp_path: Path) -> SiteRoot:
    """Two nodes with two apps each, live in their second version."""
    site_root = SiteRoot(tmp_path / "site")
    put_all(site_root, 1)
    put_all(site_root, 2)
    return site_root


def _flip(app: Path) -> None:
    """Change one byte, and put size and time back."""
    file = app / "current" / "play" / "home" / "index.html"
    status = file.stat()
    content = file.read_bytes().replace(b"Welcome", b"Velcome")
    overwrite(file, content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _edit(app: Path) -> None:
    file = app / "current" / "play" / "about" / "index.html"
    overwrite(file, file.read_bytes() + b"<!-- mine -->")


def _remove(app: Path) -> None:
    (app / "current" / "play" / "home" / "index.html").unlink()


def _link_file(app: Path) -> None:
    file = app / "current" / "play" / "home" / "index.html"
    file.rename(app / "kept.html")
    file.symlink_to(app / "kept.html")


def _add(app: Path) -> None:
    (app / "current" / "play" / "phish.html").write_text("x")


def _add_folder(app: Path) -> None:
    (app / "current" / "wp-admin").mkdir()


def _garble(app: Path) -> None:
    (app / "current" / "manifest.json").unlink()


def _remove_asset(app: Path) -> None:
    (app.parent / "assets" / assets(NODE, 2)[1].name).unlink()


def _relink(app: Path, leads: str) -> None:
    (app / "current").unlink()
    (app / "current").symlink_to(leads)


def _link_elsewhere(app: Path) -> None:
    """To a copy outside that has the same name."""
    live = (app / "current").resolve()
    copy = app.parent.parent.parent / "elsewhere" / live.name
    shutil.copytree(live, copy)
    _relink(app, str(copy))


def _link_to_nothing(app: Path) -> None:
    _relink(app, "releases/nothing")


def _no_link(app: Path) -> None:
    live = (app / "current").resolve()
    (app / "current").unlink()
    shutil.copytree(live, app / "current")


def _unlink(app: Path) -> None:
    (app / "current").unlink()


DAMAGE: Mapping[Callable[[Path], None], str] = {
    _flip: "play/home/index.html has other bytes",
    _edit: "play/about/index.html has other bytes",
    _remove: "play/home/index.html is gone",
    _link_file: "play/home/index.html is a link",
    _add: "play/phish.html is no file of the release",
    _add_folder: "the folder wp-admin is not of the release",
    _garble: "manifest.json is gone",
    _remove_asset: "/_rb/style-",
    _link_elsewhere: "which is no release of the app",
    _link_to_nothing: "`current` leads to nothing",
    _no_link: "`current` is no link any more",
    _unlink: "the link `current` is gone",
}


@pytest.mark.parametrize("harm", DAMAGE, ids=lambda harm: harm.__name__)
def test_what_is_edited_on_the_disk_is_named(root: SiteRoot, harm: Callable[[Path], None]) -> None:
    """That app's alone, and only by reading all where size and time are as before."""
    harm(root.path / NODE / "play")
    found = release.edited_on_disk(root, NODE, "play")
    assert len(found) == 1
    assert DAMAGE[harm] in found[0]
    assert bool(release.edited_on_disk(root, NODE, "play", quick=True)) == (harm is not _flip)
    assert release.edited_on_disk(root, OTHER, "play") == ()
    if harm is not _remove_asset:
        assert release.edited_on_disk(root, NODE, "shared") == ()


def test_a_link_out_of_the_releases_is_put_right_by_the_next_publish(root: SiteRoot) -> None:
    """Though the name that it leads to is the right one."""
    _link_elsewhere(root.path / NODE / "play")
    put(root, NODE, "play", 2)
    assert release.edited_on_disk(root, NODE, "play") == ()


def test_nothing_is_edited_where_nothing_was_live(root: SiteRoot) -> None:
    """A node and an app that were never published, and names that no folder has."""
    for node, app in (("new", "play"), (NODE, "code"), ("..", "play"), (NODE, "assets")):
        assert release.edited_on_disk(root, node, app) == ()


def test_status_tells_the_kinds_apart(installation: Installation) -> None:
    """`status --check` exits with 1, names each with its kind, file or page, and what to do, which
    puts it right. Several apps of two nodes, one of which an old server serves."""
    build = ("build", "--node", NODE, "--node", OTHER)
    assert installation.run(*build).code == 0
    site, project = installation.site, installation.home.parent / "robbieblocks.toml"
    stale = installation.home / "stale"
    shutil.copytree(site / OTHER, stale / OTHER, symlinks=True)
    assert installation.database_url is not None
    with psycopg.connect(installation.database_url) as editor:
        editor.execute(
            'UPDATE robbieblocks_pages SET metadata = \'{"og_title": "Newer"}\''
            " WHERE page_key = 'robbie-code-home'"
        )
    assert installation.run(*build).code == 0
    with ExitStack() as stack:
        urls = {
            NODE: stack.enter_context(served(site, NODE)),
            OTHER: stack.enter_context(served(stale, OTHER)),
        }
        lines = "".join(f'{node} = "{url}"\n' for node, url in urls.items())
        project.write_text(f"[site.urls]\n{lines}")
        page = site / NODE / "play" / "current" / "play" / "index.html"
        status = page.stat()
        overwrite(page, page.read_bytes().replace(b"<title>", b"<TITLE>", 1))
        os.utime(page, ns=(status.st_atime_ns, status.st_mtime_ns))
        with psycopg.connect(installation.database_url) as editor:
            # As restored from a backup: nothing waits in the queue.
            editor.execute(
                "UPDATE robbieblocks_pages SET meta_title = 'Old' WHERE page_key = 'robbie-about'"
            )
            editor.execute("DELETE FROM robbieblocks_change_triggers")
        nodes = ("--node", NODE, "--node", OTHER)
        ran = installation.run("status", "--format", "json", "--check", *nodes)
        assert ran.code == 1
        findings = json.loads(ran.out)["findings"]
        kinds = {(each["node"], each["app"]): each for each in findings if each["kind"]}
        assert {place: each["kind"] for place, each in kinds.items()} == {
            (NODE, "play"): "disk",
            (NODE, "shared"): "rows",
            (OTHER, "shared"): "rows",
            (OTHER, "code"): "serving",
        }
        assert "play/index.html has other bytes" in kinds[NODE, "play"]["what"]
        assert "robbie-about" in kinds[NODE, "shared"]["what"]
        assert f"{urls[OTHER]}/code/" in kinds[OTHER, "code"]["what"]
        assert "an old server" in kinds[OTHER, "code"]["what"]
        for app in ("play", "shared"):
            assert installation.run(*kinds[NODE, app]["remedy"].split()[1:]).code == 0
        ran = installation.run("status", "--check", "--node", NODE)
    assert "disk" not in ran.out
    assert "older than the rows" not in ran.out


@pytest.fixture
def said() -> io.StringIO:
    """What the worker logs."""
    return io.StringIO()


@pytest.fixture
def drifts(root: SiteRoot, tmp_path: Path, said: io.StringIO) -> Drifts:
    """Those of a worker that works, and notes events for a webhook."""
    webhook = Webhook(name="chat", url="https://hooks.example/x")
    settings = replace(
        Settings.from_environment(),
        site_root=root.path,
        home=tmp_path,
        events=EventSettings(webhooks=(webhook,)),
    )
    health = Health(node=NODE, timing=Timing(), liveness=Liveness(), state="active")
    health.reconciled = True
    return Drifts(node=NODE, settings=settings, health=health, log=open_log("json", said))


def _asking(drifts: Drifts, url: str) -> Drifts:
    """The same with an address for the node."""
    settings = replace(drifts.settings, addresses=Addresses(urls={NODE: url}))
    return replace(drifts, settings=settings)


def _lines(said: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def _events(root: SiteRoot) -> list[dict[str, object]]:
    found = (root.path / ".events" / NODE).glob("*.json")
    data = [json.loads(each.read_bytes())["data"] for each in found]
    return sorted(data, key=lambda each: str(each["app"]))


def _gauges(health: Health, name: str) -> dict[tuple[str, ...], float]:
    (family,) = [each for each in Metrics(health).collect() if each.name == name]
    return {
        tuple(value for label, value in sample.labels.items() if label != "node"): sample.value
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_a_worker_tells_once_of_what_is_not_served_until_it_is_over(
    root: SiteRoot, drifts: Drifts, said: io.StringIO
) -> None:
    """In the findings, the metrics, the log and one event; for the app that it concerns."""
    serves = [root.path / OTHER]
    with answering(lambda path: files_below(serves[0])(path)) as url:
        asking = _asking(drifts, url)
        asking.look_at_address(root)
        asking.look_at_address(root)
        findings = asking.health.findings
        assert [(each.app, each.kind) for each in findings] == [(app, "serving") for app in APPS]
        assert all("another root" in each.what and each.remedy for each in findings)
        assert not asking.health.unready
        assert _gauges(asking.health, "robbieblocks_drift") == {
            ("disk",): 0.0,
            ("rows",): 0.0,
            ("serving",): 2.0,
        }
        assert [(each["event"], each["app"]) for each in _lines(said)] == [
            ("drift.detected", app) for app in APPS
        ]
        events = _events(root)
        assert [(each["app"], each["drift"]) for each in events] == [
            (app, "serving") for app in APPS
        ]
        serves[0] = root.path / NODE
        asking.look_at_address(root)
    assert asking.health.findings == ()
    assert [each["event"] for each in _lines(said)[2:]] == ["drift.ended", "drift.ended"]


def test_what_differs_in_headers_alone_is_told_of_once(
    root: SiteRoot, drifts: Drifts, said: io.StringIO
) -> None:
    """A stale cache's `Age` grows from look to look; the finding has the last one."""
    ages = itertools.count(1)
    with answering(lambda _path: (200, {"Age": str(next(ages))}, b"<h1>old</h1>")) as url:
        asking = _asking(drifts, url)
        asking.look_at_address(root)
        before = asking.health.not_served["play"]
        asking.look_at_address(root)
    assert asking.health.not_served["play"] != before
    assert [(each["event"], each["app"]) for each in _lines(said)] == [
        ("drift.detected", app) for app in APPS
    ]
    assert len(_events(root)) == len(APPS)


def test_an_app_that_is_gone_is_no_finding_any_more(
    root: SiteRoot, drifts: Drifts, said: io.StringIO
) -> None:
    """Though nothing answers for it."""
    with answering(files_below(root.path / OTHER)) as url:
        asking = _asking(drifts, url)
        asking.look_at_address(root)
        shutil.rmtree(root.path / NODE / "play")
        asking.look_at_address(root)
    assert [each.app for each in asking.health.findings] == ["shared"]
    assert _lines(said)[-1]["event"] == "drift.ended"


def test_a_thread_asks_while_the_worker_works_and_only_where_there_is_an_address(
    root: SiteRoot, drifts: Drifts
) -> None:
    """It ends with the block; a server that is gone is told as any other."""
    with watched(drifts, root, 0.01):
        assert not [each for each in threading.enumerate() if each.name == "serving"]
    with answering(files_below(root.path / OTHER)) as url:
        asking = _asking(drifts, url)
        with watched(asking, root, 0.01):
            until(lambda: asking.health.not_served, "the thread's first look")
    assert not [each for each in threading.enumerate() if each.name == "serving"]


def _run(outcome: str, **more: object) -> RunReport:
    return RunReport(
        node=NODE,
        app="play",
        outcome=outcome,  # type: ignore[arg-type] # of tests' own
        build_hash="b" * 64,
        hash_before="a" * 64,
        **more,  # type: ignore[arg-type] # of tests' own
    )


@pytest.mark.parametrize(
    ("reason", "run", "was_asked", "kind"),
    [
        ("reconcile", _run("published", damaged=("play/index.html",)), False, "disk"),
        ("start", _run("failed", damaged=("play/index.html",), error="disk full"), True, "disk"),
        ("reconcile", _run("published"), False, "rows"),
        ("reconcile", _run("published"), True, ""),
        ("reconcile", _run("unchanged"), False, ""),
        ("schedule", _run("published"), False, ""),
        ("start", _run("published"), False, ""),
    ],
)
def test_a_look_at_everything_tells_what_it_found(
    drifts: Drifts, said: io.StringIO, reason: str, run: RunReport, *, was_asked: bool, kind: str
) -> None:
    """Damage, and rows that no change told of; a change that waits, or a schedule, is none."""
    drifts.run_ended(Job(apps=("play",), reason=reason), run, was_asked=was_asked)  # type: ignore[arg-type] # of tests' own
    assert [each["kind"] for each in _lines(said)] == ([kind] if kind else [])
    assert _gauges(drifts.health, "robbieblocks_drifts") == ({("play", kind): 1.0} if kind else {})
    if kind:
        assert ("put right" in str(_lines(said)[0]["remedy"])) is True


def test_what_a_run_can_t_put_right_is_told_of_once_and_counts_until_it_is(
    root: SiteRoot, drifts: Drifts, said: io.StringIO
) -> None:
    """As where a pin keeps newer rows back: they are not what made the file that is edited."""
    _edit(root.path / NODE / "play")
    pin = Pin(build_hash="a" * 64, who="ann", why="judges", since=datetime.now(UTC))
    look = Job(apps=("play",), reason="reconcile")
    damaged = _run("unchanged", damaged=("play/about/index.html",), pin=pin)
    drifts.run_ended(look, damaged, was_asked=False)
    drifts.run_ended(look, damaged, was_asked=False)
    (told,) = _lines(said)
    assert told["kind"] == "disk"
    assert "a pin" in str(told["remedy"])
    assert f"robbieblocks unpin --node {NODE} --app play" in str(told["remedy"])
    assert _gauges(drifts.health, "robbieblocks_drift")["disk",] == 1.0
    put(root, NODE, "play", 2)
    drifts.run_ended(look, _run("unchanged"), was_asked=False)
    assert _lines(said)[-1]["event"] == "drift.ended"
    assert _gauges(drifts.health, "robbieblocks_drift")["disk",] == 0.0
    assert drifts.health.findings == ()
