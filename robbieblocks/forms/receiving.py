"""The receiver: takes forms of a node's pages, and stores what was sent.

    main      the ASGI server; what asks the database runs in threads
    telling   `Telling`: notes events of what was stored, removes what is old, tells systemd
    watching  ends queries to which a server that hangs gives no answer: all others wait for them

A submission is answered once it is stored. Its event is noted afterwards, from the table, so that
a kill in between loses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from robbieblocks import failpoints, serve, worker
from robbieblocks.assemble import checked_answers
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.forms import answers, store
from robbieblocks.forms.bodies import BODY_MAX_BYTES, BodyRefused, read_body
from robbieblocks.forms.limits import Rates, is_own_origin
from robbieblocks.forms.rows import Rows
from robbieblocks.forms.telling import Telling
from robbieblocks.forms.words import Words, accepted, words_of
from robbieblocks.settings import RECEIVER_PATH, Settings
from robbieblocks.worker import Log, Notifier, QueryWatchdog

_BODY_S: Final = 20.0
_RETRY_S: Final = 30
_WATCH_S: Final = 1.0
# Twice as long as the server lets a query take.
_UNANSWERED_S: Final = 20.0
# Nobody reads and fills in a form faster.
_FASTEST_MS: Final = 1_500
_TRAP: Final = "_website"
_AFTER: Final = "_after"
_PAGE: Final = "_page"
_LANG: Final = "lang"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverOptions:
    """Whose forms are received. `started` is called with the address, once it answers."""

    node: str
    started: Callable[[str], None] = lambda _: None


@dataclass(slots=True)
class Receiver:
    """Answers what is sent to the forms of a node."""

    settings: Settings
    node: str
    rows: Rows
    log: Log
    stored: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    _rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self._rates = Rates(self.settings.forms.receiver.per_minute)

    def app(self) -> ASGIApp:
        """The ASGI app."""
        routes = [
            Route("/healthz", self.health, methods=["GET"]),
            Route(f"{RECEIVER_PATH}/{{form}}/thanks", self.thanks, methods=["GET"]),
            Route(f"{RECEIVER_PATH}/{{form}}", self.receive, methods=["POST"]),
        ]
        proxies = list(self.settings.forms.receiver.proxies)
        # Both are ASGI apps, each by types of its own.
        served = cast("Any", Starlette(routes=routes))
        return cast("ASGIApp", ProxyHeadersMiddleware(served, trusted_hosts=proxies))

    async def health(self, _request: Request) -> Response:
        """200 where submissions can be stored, else 503."""
        try:
            await run_in_threadpool(self.rows.call, store.check)
        except RobbieBlocksError as error:
            return JSONResponse({"node": self.node, "problem": str(error)}, 503)
        return JSONResponse({"node": self.node, "problem": ""})

    async def thanks(self, request: Request) -> Response:
        """The page that thanks, for forms that name none."""
        return answers.thanks(words_of(request.query_params.get(_LANG, "")))

    async def receive(self, request: Request) -> Response:
        """Store a submission; or answer why not."""
        as_json = _JSON in request.headers.get("accept", "")
        # Of what is not looked up the page's language is not known, but the visitor's is.
        words = words_of(*accepted(request.headers.get("accept-language", "")))
        refused = partial(answers.refused, as_json=as_json)
        name = str(request.path_params["form"])
        known = self.settings.forms.by_name.get(name)
        if known is None or known.endpoint:
            return refused(404, words, words.no_form)
        if not self._is_ours(request):
            return refused(403, words, words.foreign)
        address = request.client.host if request.client else ""
        if wait_s := self._rates.wait_s(address, self.clock()):
            return refused(429, words, words.too_many, retry_after_s=wait_s)
        try:
            async with asyncio.timeout(_BODY_S):
                body = await _body(request)
            given = read_body(request.headers.get("content-type", ""), body)
        except (TimeoutError, ClientDisconnect):
            return refused(408, words, words.too_late)
        except BodyRefused as error:
            return refused(
                error.status, words, f"The form {error}." if as_json else words.unreadable
            )
        try:
            return await run_in_threadpool(self._stored, name, given, words, as_json)
        except RobbieBlocksError as error:
            self.log.warning("form.refused", form=name, error=str(error))
            return refused(503, words, words.unavailable, retry_after_s=_RETRY_S)

    def _stored(self, name: str, given: Mapping[str, str], words: Words, as_json: bool) -> Response:
        page = given.get(_PAGE, "")
        # A text that Postgres can't hold names no page.
        is_key = page.isascii() and "\0" not in page
        sources = self.settings.collections
        ask = partial(store.form_of, page=page, name=name, collections=sources)
        stated = self.rows.call(ask) if is_key else None
        if stated is None:
            return answers.refused(409, words, words.gone, as_json=as_json)
        app, lang, form = stated
        words = words_of(lang)
        checked = checked_answers(form.fields, given, words.answers)
        if checked.wrong:
            return answers.mistakes(
                words,
                action=f"{RECEIVER_PATH}/{name}",
                page=page,
                fields=form.fields,
                given=given,
                wrong=checked.wrong,
                as_json=as_json,
            )
        # The sender of spam is not told that it is known as such.
        is_spam = bool(given.get(_TRAP)) or _is_too_fast(given.get(_AFTER, ""))
        self.rows.call(
            lambda it: store.keep(
                it,
                form=name,
                node=self.node,
                app=app,
                page=page,
                fields=checked.kept,
                is_spam=is_spam,
            )
        )
        failpoints.reached("form stored")
        self.log.info("form.received", form=name, page=page, spam=is_spam)
        self.stored()
        return answers.sent(
            form.next or f"{RECEIVER_PATH}/{name}/thanks?{_LANG}={words.lang}", as_json=as_json
        )

    def _is_ours(self, request: Request) -> bool:
        urls = self.settings.addresses.urls.values()
        return is_own_origin(
            host=request.headers.get("host", ""),
            origin=request.headers.get("origin"),
            fetch_site=request.headers.get("sec-fetch-site"),
            known=["/".join(url.split("/")[:3]) for url in urls],
        )


def run(settings: Settings, options: ReceiverOptions, log: Log) -> None:
    """Receive forms until SIGTERM or SIGINT.

    Raises UsageError for an unknown node, or an address that can't be had; what the database
    answers at the start, too.
    """
    watchdog = QueryWatchdog(_UNANSWERED_S, log)
    opened = partial(watchdog.watch, "forms")
    with (
        contextlib.closing(Rows(settings, opened)) as rows,
        worker.records_logged(log),
        _watching(watchdog),
    ):
        _run(settings, options, rows, log)


@contextlib.contextmanager
def _watching(watchdog: QueryWatchdog) -> Generator[None]:
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_S):
            watchdog.check()

    thread = threading.Thread(target=watch, name="watching", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _run(settings: Settings, options: ReceiverOptions, rows: Rows, log: Log) -> None:
    rows.call(lambda it: worker.check_node(it, options.node))
    rows.call(store.check)
    notifier = Notifier.from_environment()
    telling = Telling(settings, options.node, rows, log, notifier)
    receiver = Receiver(settings, options.node, rows, log, telling.wake.set)
    host, _, port = settings.forms.receiver.listen.rpartition(":")

    def started(urls: Mapping[str, str]) -> None:
        log.info("receiver.started", node=options.node, address=urls[options.node])
        notifier.send("READY=1")
        options.started(urls[options.node])

    with telling.running():
        serve.serve_apps(
            [(options.node, int(port), receiver.app())],
            host.strip("[]"),
            started=started,
            stopping=lambda: notifier.send("STOPPING=1"),
        )
    log.info("receiver.stopped", node=options.node)


async def _body(request: Request) -> bytes:
    """The body, as far as it may be as long. Raises BodyRefused."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > BODY_MAX_BYTES:
            raise BodyRefused("is too large", 413)
    return bytes(found)


def _is_too_fast(after_ms: str) -> bool:
    """Whether the page's script says so; without scripts nobody says how long it took."""
    return after_ms.isascii() and after_ms.isdigit() and int(after_ms[:9]) < _FASTEST_MS
