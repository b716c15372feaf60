"""What `robbieblocks doctor` finds on a machine: disk, clocks, workers, units, web servers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from robbieblocks import events, release
from robbieblocks.cli.operating import systemd
from robbieblocks.cli.operating.doctor import machine, site_root, stored, web_server
from robbieblocks.cli.operating.doctor.findings import Finding
from robbieblocks.release import Reader, Room, SiteRoot
from robbieblocks.serve import WebSite, render
from robbieblocks.settings import Addresses, EventSettings, Settings, Webhook
from tests.integration.releases import NODE, pages, put_version
from tests.webhook_server import receiving, status

COMMAND = systemd.UnitCommand(node=NODE, user="nobody", options=("--create-root",))


@pytest.fixture
def settings(make_settings: object, tmp_path: Path) -> Settings:
    """Settings of an installation with a live release and no database."""
    made: Settings = make_settings()  # type: ignore[operator]  # conftest names its type
    put_version(SiteRoot(made.site_root), 1)
    return made


def test_who_is_told_no_more_is_named(settings: Settings) -> None:
    """A webhook that answered 410, and events that were given up; without [events] nothing is."""
    assert list(machine.told(settings)) == []
    with receiving() as receiver:
        hook = Webhook(name="chat", url=receiver.url, format="slack")
        settings = replace(settings, events=EventSettings(webhooks=(hook,)))
        assert settings.events is not None
        event = events.RunFailed(
            node=NODE, app="play", at=datetime.now(UTC), release="a", error="x"
        )
        assert events.note(settings, event)
        assert "1 event to be told" in told(machine.told(settings))
        receiver.answers.append(status(410))
        folder = events.folder_of(settings.site_root, NODE)
        events.Sender(folder=folder, settings=settings.events, told=Quiet()).send()
    said = told(machine.told(settings))
    assert "the webhook chat answered 410" in said
    assert "1 event given up within a week, the last: run.failed to chat" in said


class Quiet:
    """Is told how sending goes, and says nothing."""

    def sent(self, *_told: object) -> None: ...
    def failed(self, *_told: object) -> None: ...
    def given_up(self, *_told: object) -> None: ...
    def hook_output(self, _output: str) -> None: ...


@contextmanager
def answering(answers: Mapping[str, tuple[int, bytes]]) -> Iterator[str]:
    """A server that gives these answers by path; yields HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b"no such page"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def told(found: Iterator[Finding]) -> str:
    """All findings as a person reads them; each that is not ok has a remedy."""
    all_ = list(found)
    assert all(each.state == "ok" or each.remedy for each in all_)
    return "\n".join(map(str, all_))


def test_a_full_disk_is_told_before_a_build_finds_out(settings: Settings) -> None:
    """Less than one build of every page is broken, less than three a note; inodes count, too."""
    room = release.room(SiteRoot(settings.site_root))
    assert room.needed_files > len(pages(1))
    assert room.needed_bytes >= sum(map(len, pages(1).values()))
    states = {}
    for builds in (0.5, 2, 5):
        for files in (None, int(100 * builds)):
            full = Room(
                free_bytes=int(1000 * builds), free_files=files, needed_bytes=1000, needed_files=100
            )
            states[builds, files is None] = site_root._room(full).state
    assert [*states.values()] == ["broken", "broken", "note", "note", "ok", "ok"]
    few = Room(free_bytes=10**9, free_files=3, needed_bytes=1000, needed_files=100)
    assert site_root._room(few).state == "broken"


def test_a_site_root_that_everybody_may_write_is_broken(settings: Settings) -> None:
    """And it is tried by writing, which leaves nothing."""
    before = sorted(settings.site_root.rglob("*"))
    assert "broken" not in told(site_root.look(settings, None))
    assert sorted(settings.site_root.rglob("*")) == before
    settings.site_root.chmod(0o777)
    assert "chmod o-w" in told(site_root.look(settings, None))


@pytest.mark.parametrize(
    "name", ["freezes.json", f"{NODE}/play/pinned", f"{NODE}/play/held.json", "audit.jsonl"]
)
def test_what_people_keep_and_nobody_can_read_is_named(settings: Settings, name: str) -> None:
    """With its path: nothing goes out meanwhile, or nobody knows what was done."""
    file = settings.site_root / name
    assert str(file) not in told(site_root.look(settings, None))
    if name == "audit.jsonl":
        file.mkdir()
    else:
        file.write_text("{")
    said = told(site_root.look(settings, None))
    assert str(file) in said
    assert "broken" in said


def test_a_disk_that_takes_no_write_is_broken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says why, and what to do."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said = told(site_root.look(settings, None))
    assert "broken  site root  could not write to" in said
    assert "-> free space on that file system" in said
    monkeypatch.undo()
    assert not [path for path in settings.site_root.iterdir() if path.name != NODE]


def test_a_folder_is_entered_by_owner_group_or_all(settings: Settings) -> None:
    """The first part of its mode that fits an account decides, as the kernel has it."""
    mode = os.stat_result((0o750, 0, 0, 0, 1, 2, 0, 0, 0, 0))
    assert Reader(1).may_enter(mode)
    assert Reader(9, frozenset({2})).may_enter(mode)
    assert not Reader(9, frozenset({3})).may_enter(mode)
    assert not Reader().may_enter(mode)
    assert not Reader(1).may_enter(os.stat_result((0o055, 0, 0, 0, 1, 2, 0, 0, 0, 0)))


@pytest.mark.postgres
def test_a_database_that_takes_no_writes_is_broken(
    database: str, monkeypatch: pytest.MonkeyPatch, make_settings: object
) -> None:
    """As a standby is; the rights alone would not tell."""
    made: Settings = make_settings(database_url=database)  # type: ignore[operator]  # conftest names its type
    assert "no writes" not in told(stored.look(made, stored.Identity()))
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    said = told(stored.look(made, stored.Identity()))
    assert "broken  database   it takes no writes" in said
    assert "target_session_attrs=read-write" in said


@pytest.mark.postgres
def test_a_clock_that_differs_from_the_database_is_told(database: str) -> None:
    """Ahead or behind, by how much; from half a minute on it is broken."""
    from robbieblocks.database import clock_ahead_s

    with psycopg.connect(database, autocommit=True) as connection:
        assert stored._skew(clock_ahead_s(connection, lambda: datetime.now(UTC))).state == "ok"
        for seconds, state in ((10, "note"), (-10, "note"), (90, "broken"), (-90, "broken")):
            skew = timedelta(seconds=seconds)
            ahead = clock_ahead_s(connection, partial(_earlier, skew))
            assert abs(ahead - seconds) < 5
            assert stored._skew(ahead).state == state


def _earlier(by: timedelta) -> datetime:
    return datetime.now(UTC) - by


def test_the_kernel_is_asked_whether_the_clock_is_kept() -> None:
    """One finding, or none where the kernel does not say."""
    assert {each.about for each in machine.clock()} <= {"clock"}


@pytest.mark.parametrize(
    ("healthz", "readyz", "said"),
    [
        (200, 200, "ok      health     the worker of vengeance-local is active"),
        (
            200,
            503,
            "broken  health     the worker of vengeance-local is active, and not ready: deaf",
        ),
        (503, 503, "broken  health     the worker of vengeance-local is stuck: build for 900 s"),
    ],
)
def test_the_worker_is_asked_how_it_is(
    settings: Settings, healthz: int, readyz: int, said: str
) -> None:
    """By /healthz and /readyz of the configured address."""
    state = {"node": NODE, "state": "active", "stuck": "build for 900 s", "unready": "deaf"}
    body = json.dumps(state).encode()
    with answering({"/healthz": (healthz, body), "/readyz": (readyz, body)}) as address:
        asked = _with(settings, health=address)
        assert said in told(machine.health(asked))


def test_what_is_no_worker_and_what_does_not_answer(settings: Settings) -> None:
    """Another program at the address, nobody at it; with `off` nothing is asked."""
    with answering({"/healthz": (200, b"[1]"), "/readyz": (200, b"")}) as address:
        asked = _with(settings, health=address)
        assert "is no worker of RobbieBlocks" in told(machine.health(asked))
    assert "no worker answers at" in told(machine.health(asked))
    assert told(machine.health(_with(settings, health="off"))) == ""


def test_a_unit_that_is_not_what_would_be_printed_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line that differs and the command that prints it anew; another program's is none of
    ours. A variable that only one side has is named, and must be set before it is printed anew."""
    monkeypatch.setattr(machine, "_UNITS", tmp_path)
    printed = systemd.unit(settings, COMMAND)
    assert systemd.command_of(printed) == COMMAND
    path = tmp_path / f"robbieblocks-{NODE}.service"
    (tmp_path / "robbieblocks-maintain.service").write_text(
        "[Service]\nExecStart=robbieblocks db maintain\n"
    )
    (tmp_path / "robbieblocks-old.service").write_bytes(b"# von J\xf6rg\n[Service]\n")
    path.write_text(printed.replace("[Service]", "[Service]\n# by hand"))
    assert told(machine.units(settings)).startswith("ok ")
    path.write_text(printed.replace("[Service]", '[Service]\nEnvironment="PGHOST=/run"'))
    said = told(machine.units(settings))
    assert "it has PGHOST, which this shell lacks" in said
    assert f"-> with PGHOST set as the unit does: {COMMAND} | sudo tee {path}" in said
    path.write_text(printed)
    with monkeypatch.context() as patch:
        patch.setenv("ROBBIEBLOCKS_SMOKE_URL", "https://play.example.org")
        assert "it lacks ROBBIEBLOCKS_SMOKE_URL, which this shell has" in told(
            machine.units(settings)
        )
    path.write_text(printed.replace("MemoryMax=2G", "MemoryMax=8G"))
    said = told(machine.units(settings))
    assert "it has MemoryMax=8G; it lacks MemoryMax=2G" in said
    assert f"-> {COMMAND} | sudo tee {path}" in said
    moved = _with(settings, site_root=settings.site_root.parent / "elsewhere")
    path.write_text(printed)
    assert "elsewhere" in told(machine.units(moved))


@pytest.mark.parametrize("server", ["nginx", "caddy"])
def test_a_configuration_that_is_not_current_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    """What was printed is; with a certificate's lines, too; not once an application was added."""
    monkeypatch.setattr(web_server, "_ETC", tmp_path)
    path = tmp_path / {"nginx": "nginx/conf.d/site.conf", "caddy": "caddy/Caddyfile"}[server]
    path.parent.mkdir(parents=True)
    site = WebSite.of(
        node=NODE,
        site_root=settings.site_root,
        apps=["play"],
        applications={},
        name="play.example.org",
        listen="127.0.0.1:8080",
        brotli=server == "nginx",
    )
    text = render(server, site)  # type: ignore[arg-type]  # one of the two
    path.write_text(
        text.replace("listen 127.0.0.1:8080;", "listen 443 ssl;\n    ssl_certificate x;")
    )

    def said(asked: Settings) -> str:
        return told(web_server._configurations(SiteRoot(asked.site_root), asked))

    assert said(settings) == f"ok      web server {path} is what is printed for {NODE} now"
    found = said(_with(settings, applications={"/api": "http://127.0.0.1:8001"}))
    assert "is not what is printed" in found
    assert f"-> {site.command(server)} | sudo tee {path}" in found  # type: ignore[arg-type]  # as above
    path.write_text("# robbieblocks webserver 'a\n")
    assert said(settings) == ""


def test_what_the_address_answers_is_compared_with_what_is_live(settings: Settings) -> None:
    """The live page, another page, no server: who answered, and what to compare."""
    body = pages(1)["play/index.html"]

    def said(address: str) -> str:
        asked = _with(settings, addresses=Addresses(urls={NODE: f"http://{address}/"}))
        return told(web_server._answered(SiteRoot(asked.site_root), asked))

    with answering({"/play/": (200, body)}) as address:
        assert "answers with the live pages of vengeance-local" in said(address)
    with answering({"/play/": (200, b"Welcome to nginx!")}) as address:
        assert "/play/ answers 200, by BaseHTTP" in said(address)
    assert "ConnectError" in said(address)


def _with(settings: Settings, **changes: object) -> Settings:
    from dataclasses import replace

    return replace(settings, **changes)  # type: ignore[arg-type]  # fields of Settings
