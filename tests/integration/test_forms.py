"""The receiver of forms: what it stores, what it refuses, and whom it tells."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import psycopg
import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from robbieblocks import database, events, forms, worker
from robbieblocks.assemble import stated_form
from robbieblocks.cli.forms.forms import as_csv
from robbieblocks.forms import store
from robbieblocks.forms.receiving import Receiver
from robbieblocks.forms.rows import Rows
from robbieblocks.forms.telling import Telling
from robbieblocks.model import CollectionSource
from robbieblocks.settings import (
    RECEIVER_PATH,
    EventSettings,
    Forms,
    FormSettings,
    Settings,
    Webhook,
)
from robbieblocks.settings.forms import ReceiverSettings
from robbieblocks.worker import Notifier
from tests import web_servers
from tests.commands import Installation
from tests.integration.test_build_kill import VICTIM
from tests.integration.test_serve_applications import SERVED_BY, serving
from tests.sites import on_port
from tests.workers import NODES, until

pytestmark = pytest.mark.postgres

_OWN = {"origin": "http://site.example", "host": "site.example"}
_FIELDS = [
    {"name": "name", "label": "Name", "required": True},
    {"name": "mail", "type": "email", "label": "Mail", "help": "To answer."},
]
_SCHEMA = {"form": {"type": "string", "format": "form"}, "fields": {"type": "array"}}
_COLLECTION = CollectionSource(
    name="goods", view=("goods",), key="slug", route="/goods/{slug}", template_page="contact"
)
_ROWS = """
    WITH page AS (
        INSERT INTO robbieblocks_pages
            (page_key, app_namespace, page_name, page_route, layout_template, status)
        VALUES ('contact', 'play', 'Contact', '/contact/', 'single-column', 'published')
        RETURNING id
    ), component AS (
        INSERT INTO robbieblocks_components
            (component_key, component_name, component_type, react_code, props_schema, is_published)
        VALUES ('contact', 'Contact', 'test', 'null', %s, true) RETURNING id
    )
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
    SELECT page.id, component.id, 1, 'main', %s FROM page, component
"""


@dataclass
class Received:
    """A receiver with a page that has a form."""

    client: httpx.Client
    settings: Settings
    now: list[float]
    rows_of_receiver: Rows

    def send(self, data: dict[str, str], form: str = "contact", **headers: str) -> Any:
        """What it answers to a form, as a browser would send it."""
        return self.client.post(
            f"/_forms/{form}", data={"_page": "contact", **data}, headers={**_OWN, **headers}
        )

    def rows(self, query: str = "SELECT fields, state FROM form_submissions") -> list[Any]:
        """What is stored."""
        with psycopg.connect(self.settings.database_url or "", autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def received(settings: Settings) -> Iterator[Received]:
    """A receiver of the forms `contact` and `away`, whose page has `contact`."""
    with _receiving(settings, ReceiverSettings().proxies) as opened:
        yield opened


@contextmanager
def _receiving(
    settings: Settings, proxies: tuple[str, ...], per_minute: int = 100
) -> Generator[Received]:
    by_name = {
        "contact": FormSettings(name="contact", tell=("name",)),
        "away": FormSettings(name="away", endpoint="https://forms.example/f"),
    }
    hook = Webhook(name="hook", url="https://hooks.example/", secret_variable="S")
    given = replace(
        settings,
        forms=Forms(
            by_name=by_name, receiver=ReceiverSettings(per_minute=per_minute, proxies=proxies)
        ),
        events=EventSettings(webhooks=(hook,)),
        collections=(_COLLECTION,),
    )
    now = [0.0]
    with psycopg.connect(given.database_url or "", autocommit=True) as connection:
        props = {"form": "contact", "fields": _FIELDS, "next": "/thanks/"}
        connection.execute(_ROWS, (Jsonb(_SCHEMA), Jsonb(props)))
    rows = Rows(given)
    receiver = Receiver(given, "day", rows, worker.open_log("json"), lambda: None, lambda: now[0])
    with (
        closing(rows),
        on_port(receiver.app()) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield Received(client, given, now, rows)


def _multipart(*parts: str, boundary: str = "b") -> bytes:
    whole = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f"{whole}--{boundary}--\r\n".encode()


def test_a_form_is_stored_and_answered_with_the_page_that_thanks(received: Received) -> None:
    """Urlencoded, multipart and JSON alike; nothing besides the fields is kept, and no address."""
    answer = received.send({"name": "Ada", "mail": "", "other": "x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/thanks/")
    head = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}'
    answer = received.client.post(
        "/_forms/contact",
        content=_multipart(head.format("_page", "contact"), head.format("name", "Bob")),
        headers={**_OWN, "content-type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 303
    answer = received.client.post(
        "/_forms/contact",
        json={"_page": "contact", "name": "Eve"},
        headers={"sec-fetch-site": "same-origin", "accept": "application/json"},
    )
    assert (answer.status_code, answer.json()) == (200, {"sent": True})
    assert received.rows() == [
        ({"name": name, "mail": ""}, "received") for name in ("Ada", "Bob", "Eve")
    ]


def test_what_does_not_fit_comes_back_with_what_was_sent(received: Received) -> None:
    """As a document with a summary that leads to the fields, escaped; or as JSON."""
    answer = received.send({"name": " ", "mail": '"><script>alert(1)</script>'})
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert '<a href="#name">Name: Fill in this field.</a>' in answer.text
    assert 'aria-describedby="mail-help mail-error"' in answer.text
    assert '<p id="mail-help">To answer.</p>' in answer.text
    assert ":root{color-scheme:light dark}" in answer.text, "the canvas is the root's"
    assert "script-src" not in answer.headers["content-security-policy"]
    answer = received.send({"name": ""}, accept="application/json")
    assert (answer.status_code, answer.json()) == (422, {"errors": {"name": "Fill in this field."}})
    assert received.rows() == []


def test_what_it_says_is_in_the_language_of_the_form_s_page(received: Received) -> None:
    """That of the page, else of its app; before the page is known, that of the visitor."""
    received.rows(
        "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
        " layout_template, status, metadata) VALUES ('frame', 'play', 'Frame', '/f/',"
        " 'single-column', 'published',"
        """ '{"frame": true, "settings": {"languages": {"default": "fr"}}}')"""
    )
    assert "Veuillez corriger ces champs" in received.send({"name": ""}).text
    received.rows("""UPDATE robbieblocks_pages SET metadata = '{"lang": "de-CH"}'
                      WHERE page_key = 'contact'""")
    answer = received.send({"name": ""}, **{"accept-language": "es"})
    assert '<html lang="de">' in answer.text
    assert '<a href="#name">Name: Bitte ausfüllen.</a>' in answer.text
    answer = received.send({"name": ""}, accept="application/json")
    assert answer.json() == {"errors": {"name": "Bitte ausfüllen."}}
    answer = received.send({}, form="none", **{"accept-language": "nl, es-MX;q=0.8"})
    assert "Este formulario no existe." in answer.text
    received.rows("UPDATE robbieblocks_page_blocks SET props = props - 'next'")
    answer = received.send({"name": "Ada"})
    assert "Vielen Dank" in received.client.get(answer.headers["location"]).text


def test_spam_is_answered_as_everything_else_is(received: Received) -> None:
    """Whoever fills in what nobody sees, or is faster than people are, is not told of it."""
    wanted = received.send({"name": "Ada", "_after": "9000"})
    for trap in ({"_website": "x"}, {"_after": "12"}):
        answer = received.send({"name": "Bot", **trap})
        assert (answer.status_code, answer.content) == (wanted.status_code, wanted.content)
        assert answer.headers["location"] == wanted.headers["location"]
    assert [state for _, state in received.rows()] == ["received", "spam", "spam"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"origin": "http://site.example.evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({}, 403),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://site.example"}, 303),
    ],
)
def test_only_pages_of_the_site_send_forms(
    received: Received, headers: dict[str, str], status: int
) -> None:
    """Whatever another site has a browser send is refused."""
    data = {"_page": "contact", "name": "Ada"}
    host = {"host": "site.example"}
    answer = received.client.post("/_forms/contact", data=data, headers={**host, **headers})
    assert answer.status_code == status
    assert len(received.rows()) == (status == 303)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"name=Ada", 415),
        ("application/x-www-form-urlencoded", b"name=%ff&x=" + b"\xff", 400),
        ("application/x-www-form-urlencoded", b"_page=contact&name=%ff", 400),
        ("application/x-www-form-urlencoded", b"name=a&name=b", 400),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 151), 400),
        ("application/x-www-form-urlencoded", b"a" * 300_000, 413),
        ("application/json", b"[" * 100_000, 400),
        ("application/json", b'{"name": {}}', 400),
        ("application/json", b"[]", 400),
        ("application/json", b'{"_page": "contact", "name": "\\ud800"}', 400),
        ("application/json", b'{"_page": "contact", "name": "\\u0000"}', 422),
        ("application/json", b'{"_page": "contact", "name": %s}' % (b"9" * 5_000), 400),
        ("application/x-www-form-urlencoded", b"_page=contact&name=a%00b", 422),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nX: y", 400),
        ("multipart/form-data; boundary=b", _multipart("X: y\r\n\r\nz"), 400),
        ("multipart/form-data; boundary=b", b"--b\r\n" * 50_000, 400),
        (
            "multipart/form-data; boundary=b",
            _multipart('Content-Disposition: form-data; name="f"; filename="a"\r\n\r\nz'),
            415,
        ),
    ],
)
def test_bodies_that_are_no_forms_are_refused(
    received: Received, content_type: str, body: bytes, status: int
) -> None:
    """Each with a status of its own, and nothing is stored."""
    answer = received.client.post(
        "/_forms/contact", content=body, headers={**_OWN, "content-type": content_type}
    )
    assert answer.status_code == status
    assert received.rows() == []


@pytest.mark.parametrize(
    ("form", "page", "status"),
    [("away", "contact", 404), ("other", "contact", 404), ("contact", "other", 409)]
    + [("contact", page, 409) for page in ("", "a\0b", "\u00e4", "x" * 100_000)],
)
def test_forms_that_are_not_there_are_not_taken(
    received: Received, form: str, page: str, status: int
) -> None:
    """Not in the settings, sent elsewhere, or not on the page."""
    answer = received.send({"name": "Ada", "_page": page}, form)
    assert answer.status_code == status
    assert received.rows() == []


_GOODS = """
    CREATE TABLE goods (slug text, title text);
    INSERT INTO goods VALUES ('mug', 'A mug'), ('bowl', 'A bowl'), ('twice', ''), ('twice', '');
    UPDATE robbieblocks_page_blocks SET props =
        jsonb_set(props, '{fields,2}',
                  '{"name": "about", "type": "hidden", "value": {"$row": "title"}}')
"""


def test_the_page_of_a_collection_s_row_has_the_form_of_its_template(received: Received) -> None:
    """With that row's values; a row that is not there, or twice, has none, and one that can't be
    read is told later."""
    received.rows(_GOODS)
    for page, status in {
        "contact--mug": 303,
        "contact--cup": 409,
        "contact--twice": 409,
        "contact--": 409,
        "other--mug": 409,
        "contact": 409,
    }.items():
        assert received.send({"name": "Ada", "_page": page}).status_code == status, page
    assert received.rows("SELECT page_key, fields FROM form_submissions") == [
        ("contact--mug", {"name": "Ada", "mail": "", "about": "A mug"})
    ]
    received.rows("ALTER TABLE goods RENAME slug TO key")
    assert received.send({"name": "Ada", "_page": "contact--mug"}).status_code == 503


@pytest.mark.parametrize(("proxy", "status"), [("127.0.0.1", 409), ("192.0.2.1", 429)])
def test_an_address_sends_so_many_and_no_more(settings: Settings, proxy: str, status: int) -> None:
    """By what a trusted proxy says, and only then; after a while again."""
    with _receiving(settings, (proxy,), per_minute=10) as received:
        first, second = ({"x-forwarded-for": f"192.0.2.{last}"} for last in (7, 8))
        gone = {"_page": ""}
        assert {received.send(gone, **first).status_code for _ in range(10)} == {409}
        answer = received.send(gone, **first)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "6")
        assert received.send(gone, **second).status_code == status
        received.now[0] += 6.0
        assert received.send(gone, **first).status_code == 409


@pytest.mark.parametrize("by", SERVED_BY)
def test_web_servers_pass_forms_on(by: str, settings: Settings, tmp_path: Path) -> None:
    """With the host that the browser asked, and the visitor's address, whatever the visitor says
    it is."""
    with (
        _receiving(settings, ReceiverSettings().proxies, per_minute=1) as received,
        serving(by, tmp_path, {RECEIVER_PATH: str(received.client.base_url)}, tmp_path) as url,
        httpx.Client(base_url=url, headers={"origin": url}) as visitor,
    ):
        sent = {"_page": "contact", "name": "Ada"}
        answer = visitor.post("/_forms/contact", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/thanks/")
        forged = {"x-forwarded-for": "192.0.2.7"}
        assert visitor.post("/_forms/contact", data=sent, headers=forged).status_code == 429
        thanks = visitor.get("/_forms/contact/thanks")
        assert (thanks.status_code, thanks.headers["cache-control"]) == (200, "no-store")
        assert len(received.rows()) == 1


def test_without_the_database_nothing_is_said_to_be_kept(received: Received) -> None:
    """503 with the time after which to try again, and unhealthy; afterwards it goes on."""
    received.rows("ALTER TABLE form_submissions RENAME TO elsewhere")
    answer = received.send({"name": "Ada"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert received.client.get("/healthz").status_code == 503
    received.rows("ALTER TABLE elsewhere RENAME TO form_submissions")
    received.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'robbieblocks forms'"
    )
    assert received.send({"name": "Ada"}).status_code == 303
    assert received.client.get("/healthz").status_code == 200


def test_a_server_that_hangs_keeps_no_visitor_waiting(received: Received) -> None:
    """The query without an answer is ended, and asked again of another session: what was sent is
    stored, and what others send meanwhile."""
    watchdog, over = worker.QueryWatchdog(0.2, worker.open_log("json")), threading.Event()
    sessions: list[Connection] = []

    def opened(connection: Connection) -> None:
        sessions.append(connection)
        watchdog.watch("forms", connection)

    def watch() -> None:
        while not over.wait(0.02):
            watchdog.check()

    received.rows_of_receiver.opened = opened
    assert received.client.get("/healthz").status_code == 200
    (session,) = sessions
    with psycopg.connect(received.settings.database_url or "", autocommit=True) as other:
        pid = session.info.backend_pid
        found = other.execute("SELECT backend_type FROM pg_stat_activity WHERE pid = %s", [pid])
        assert found.fetchall() == [("client backend",)]
        os.kill(pid, signal.SIGSTOP)
        thread = threading.Thread(target=watch)
        thread.start()
        try:
            answers = [received.send({"name": name}).status_code for name in ("Ada", "Eve")]
        finally:
            os.kill(pid, signal.SIGCONT)
            over.set()
            thread.join()
    assert answers == [303, 303]
    assert len(sessions) == 2
    assert len(received.rows()) == 2


def _waiting(settings: Settings, node: str = "day") -> list[Any]:
    folder = events.folder_of(settings.site_root, node)
    return [json.loads(file.read_text())["data"] for file in sorted(folder.glob("evt_*.json"))]


def test_submissions_are_told_at_least_once(received: Received) -> None:
    """Spam is not; the fields that the settings name are told. A kill before it is noted that one
    was told has it told again, with the same id."""
    received.send({"name": "Ada", "mail": "ada@example.org"})
    received.send({"name": "Bot", "_website": "x"})
    settings = received.settings
    rows = Rows(settings)
    telling = Telling(settings, "day", rows, worker.open_log("json"), Notifier("", None))
    with closing(rows):
        telling.do_pass()
    (told,) = _waiting(settings)
    assert (told["form"], told["page"], told["fields"]) == ("contact", "contact", ["name: Ada"])
    assert received.rows("SELECT count(*) FROM form_submissions WHERE told_at IS NULL") == [(1,)]
    received.rows("UPDATE form_submissions SET told_at = NULL")
    with closing(rows):
        telling.do_pass()
    assert _waiting(settings) == [told]


def test_one_row_stops_nobody_else_s_forms(received: Received) -> None:
    """Neither a block before it whose values Python can't hold, or a library fails over, nor a
    submission that somebody else wrote: visitors are answered, and what they sent is told."""
    received.rows(
        """
        WITH component AS (
            INSERT INTO robbieblocks_components
                (component_key, component_name, component_type, react_code, props_schema)
            VALUES ('bad', 'Bad', 'test', 'null', '{"form": {"format": "form"}}') RETURNING id)
        INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
        SELECT p.id, component.id, -n, 'main',
               CASE n WHEN 1 THEN concat('{"n": ', repeat('9', 5000), '}')
                      WHEN 2 THEN concat(repeat('[', 3000), repeat(']', 3000))
                      ELSE '{"poison": 1}' END::jsonb
          FROM robbieblocks_pages p, component, generate_series(1, 3) n
        """
    )

    def raising(schema: Any, props: Any, *rest: Any) -> Any:
        if "poison" in props:
            raise AttributeError("a stand-in")
        return stated_form(schema, props, *rest)

    with patch("robbieblocks.forms.store.stated_form", raising):
        assert received.send({"name": "Ada"}).status_code == 303
    received.rows(
        """
        INSERT INTO form_submissions (form_name, node_id, app, page_key, fields, received_at)
        VALUES ('contact', 'day', '', '', concat('{"name": ', repeat('9', 5000), '}')::jsonb,
                'infinity'),
               ('contact', 'day', '', '', '"name"', '294276-01-01')
        """
    )
    settings = received.settings
    rows = Rows(settings)
    telling = Telling(settings, "day", rows, worker.open_log("json"), Notifier("", None))
    with closing(rows):
        telling.do_pass()
    assert sorted(len("".join(told["fields"])) for told in _waiting(settings)) == [0, 9, 2_000]
    own = Installation(home=settings.home, database_url=settings.database_url)
    for command in (["list"], ["list", "--format", "json"], ["export"]):
        ran = own.run("forms", *command)
        assert ran.code == 0, ran.err


def test_no_error_ends_the_thread_that_tells(received: Received) -> None:
    """It goes on after what nobody foresaw: without its signs of life systemd ends the receiver."""
    log, said = io.StringIO(), threading.Event()
    rows = Rows(received.settings)
    notifier = Notifier("", None)
    telling = Telling(received.settings, "day", rows, worker.open_log("json", log), notifier)
    passes: list[int] = []

    def failing(_: Telling) -> None:
        passes.append(1)
        telling.wake.set()
        if len(passes) > 1:
            said.set()
        raise AttributeError("a stand-in")

    with closing(rows), patch.object(Telling, "do_pass", failing), telling.running():
        assert said.wait(20)
    assert "forms.broken" in log.getvalue()


@pytest.mark.parametrize("step", ["form stored", "form noted"])
def test_a_receiver_that_is_killed_loses_nothing(
    received: Received, step: str, tmp_path: Path
) -> None:
    """What it had stored is told once by the next one, whether it had been noted before or not."""
    port = web_servers.free_port()
    address = f"http://127.0.0.1:{port}"
    (tmp_path / "robbieblocks.toml").write_text(
        f'[forms.contact]\ntell = ["name"]\n[receiver]\nlisten = "127.0.0.1:{port}"\n'
        '[[events.webhooks]]\nname = "hook"\nurl = "https://hooks.example/"\n'
        'secret_variable = "S"\n'
    )
    settings = received.settings
    own = Installation(home=settings.home, database_url=settings.database_url)
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, "SIGKILL", step, "forms", "receive", "--node", NODES[0]],
        cwd=tmp_path,
        env=own.environment | {"ROBBIEBLOCKS_SITE_ROOT": str(settings.site_root)},
    ) as victim:
        try:
            until(lambda: _is_healthy(address), "the receiver")
            with suppress(httpx.RemoteProtocolError, httpx.ReadError):
                data = {"_page": "contact", "name": "Ada"}
                headers = {"origin": address}
                httpx.post(f"{address}/_forms/contact", data=data, headers=headers)
            assert victim.wait(60) == -signal.SIGKILL
        finally:
            victim.kill()
    assert len(_waiting(settings, NODES[0])) == (step == "form noted")
    assert received.rows("SELECT state, told_at FROM form_submissions") == [("received", None)]
    rows = Rows(settings)
    telling = Telling(settings, NODES[0], rows, worker.open_log("json"), Notifier("", None))
    with closing(rows):
        telling.do_pass()
        telling.do_pass()
    assert [told["fields"] for told in _waiting(settings, NODES[0])] == [["name: Ada"]]


def _is_healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_what_is_old_is_removed(received: Received) -> None:
    """Spam after 30 days, everything else after the days of the settings."""
    for trap in ({}, {"_website": "x"}):
        received.send({"name": "Ada", **trap})
    with database.connect(received.settings, application_name="test") as connection:
        connection.execute("UPDATE form_submissions SET received_at = now() - interval '40 days'")
        assert store.prune(connection, 365) == 1
        assert store.prune(connection, 30) == 1


def test_an_answer_of_many_lines_looks_like_no_other_field(received: Received) -> None:
    """Where `forms show` prints it for people."""
    received.rows(
        """UPDATE robbieblocks_page_blocks SET props = jsonb_set(props, '{fields,0,type}',
           '"textarea"')"""
    )
    received.send({"name": "Ada\nmail: forged"})
    settings = received.settings
    own = Installation(home=settings.home, database_url=settings.database_url)
    ((identity,),) = received.rows("SELECT id::text FROM form_submissions")
    ran = own.run("forms", "show", identity)
    assert ran.out.endswith("state: received\nmail: \nname: Ada\n    mail: forged\n"), ran.err


def test_people_see_and_delete_what_was_sent(received: Received) -> None:
    """The newest first, as CSV of which a spreadsheet runs nothing, and gone when it is deleted."""
    received.send({"name": "=cmd|' /C calc'!A0", "mail": ""})
    with database.connect(received.settings, application_name="test") as connection:
        (found,) = forms.submissions(connection, form="contact")
        header, row = as_csv([found]).splitlines()
        assert header == "id,received_at,form,node,app,page,state,mail,name"
        assert row.endswith(",contact,day,play,contact,received,,'=cmd|' /C calc'!A0")
        assert forms.submissions(connection, form="other") == []
        assert forms.delete(connection, [found.id]) == 1
        assert forms.submissions(connection, with_spam=True) == []
