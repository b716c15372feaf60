"""Applications beside the pages: asked as the visitor asked, at their address and no other."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn

from robbieblocks import serve
from robbieblocks.release import SiteRoot
from robbieblocks.serve import WebServer, WebSite
from tests import loopback, web_servers
from tests.integration.releases import NODE, pages, put_version
from tests.workers import until

SERVED_BY = ("serve", *web_servers.SERVERS)


@dataclass
class Application:
    """An application that answers with what it was asked; `asked` has the lines of requests, and
    `ports` from where each came.
    """

    url: str
    asked: list[str] = field(default_factory=list[str])
    ports: list[int] = field(default_factory=list[int])
    # Set by a test when it has seen the first half of /api/slow.
    seen: threading.Event = field(default_factory=threading.Event)


@contextmanager
def application() -> Iterator[Application]:
    """One on a port of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append(self.requestline)
            found.ports.append(self.client_address[1])
            answer = {
                "/api/slow": self._slow,
                "/api/broken": self._broken,
                "/api/two-lengths": self._two_lengths,
            }
            answer.get(self.path, self._echo)()

        def do_POST(self) -> None:
            self.do_GET()

        def _echo(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            said = f"{self.headers}".encode() + self.rfile.read(size)
            self.send_response(303 if self.path == "/api/redirect" else 201)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.send_header("Set-Cookie", "a=1; Path=/")
            self.send_header("Set-Cookie", "b=2; Path=/")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def _slow(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nfirst\r\n")
            self.wfile.flush()
            assert found.seen.wait(20)
            self.wfile.write(b"6\r\nsecond\r\n0\r\n\r\n")

        def _broken(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True

        def _two_lengths(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nwhole\r\n0\r\n\r\n")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Application(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving(by: str, root: Path, applications: dict[str, str], folder: Path) -> Iterator[str]:
    """A node with applications beside its pages, by `serve` or a web server; yields the address."""
    if by != "serve":
        port = web_servers.free_port()
        server: WebServer = "nginx" if by == "nginx" else "caddy"
        site = WebSite.of(
            node=NODE,
            site_root=root,
            apps=["play"],
            applications=applications,
            name="",
            listen=f"127.0.0.1:{port}",
            brotli=False,
        )
        with web_servers.running(server, serve.render(server, site), folder, port) as url:
            yield url
        return
    served = serve.app(SiteRoot(root), NODE, applications)
    running = uvicorn.Server(
        uvicorn.Config(served, lifespan="off", log_config=None, proxy_headers=False)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        try:
            until(lambda: running.started, "the server")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site root with a live app."""
    found = SiteRoot(tmp_path_factory.mktemp("site"))
    put_version(found, 1)
    return found.path


@dataclass
class Served:
    """A node that is served, with its application."""

    by: str
    client: httpx.Client
    application: Application
    inner: Application


@pytest.fixture(scope="module", params=SERVED_BY)
def served(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One is at /api and /deep/er, another inside it, at /api/v2; that at /gone does not run."""
    folder = tmp_path_factory.mktemp(request.param)
    with application() as found, application() as inner:
        at = {
            "/api": found.url,
            "/api/v2": inner.url,
            "/deep/er": found.url,
            "/gone": "http://127.0.0.1:1",
        }
        with (
            serving(request.param, root, at, folder) as url,
            loopback.client(base_url=url, trust_env=False) as client,
        ):
            yield Served(request.param, client, found, inner)


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/a%2Fb%20c?d=e%26f&g", "/api/100%25[]", "/deep/er/x"]
)
def test_a_path_and_query_arrive_as_they_were_asked_for(served: Served, path: str) -> None:
    """Nothing is decoded on the way."""
    assert served.client.get(path).status_code == 201
    assert served.application.asked[-1] == f"GET {path} HTTP/1.1"


def test_an_application_inside_another_s_path_is_asked_itself(served: Served) -> None:
    """The longest path that fits is the one that counts."""
    before = len(served.application.asked), len(served.inner.asked)
    assert served.client.get("/api/v2/x").status_code == 201
    assert (len(served.application.asked), len(served.inner.asked)) == (before[0], before[1] + 1)
    assert served.client.get("/api/v2x").status_code == 201
    assert (len(served.application.asked), len(served.inner.asked)) == (
        before[0] + 1,
        before[1] + 1,
    )


@pytest.mark.parametrize("path", ["/apiary", "/play/api/x", "/deep", "/API/x"])
def test_another_path_is_a_page_s(served: Served, path: str) -> None:
    """Only whole parts of a path count."""
    before = len(served.application.asked)
    assert served.client.get(path).status_code == 404
    assert len(served.application.asked) == before
    assert served.client.get("/play/").content == pages(1)["play/index.html"]


BODY = b"body" * 400_000
SAID_BY_SERVERS = (
    "Forwarded",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Real-IP",
    "X_Forwarded_For",
    "X_Real_IP",
)


def test_a_body_and_headers_go_both_ways(served: Served) -> None:
    """But for those of one connection; who asked is said anew, whatever the visitor says."""
    sent = {
        "Authorization": "Bearer x",
        "Cookie": "c=3",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Proto": "https",
        **dict.fromkeys(SAID_BY_SERVERS, "a visitor"),
        "Host": "play.example.org",
        "Proxy-Authorization": "Basic x",
        "TE": "trailers",
    }
    answer = served.client.post("/api/x", content=BODY, headers=sent)
    assert answer.status_code == 201
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    heads, _, body = answer.text.partition("\n\n")
    assert body.encode() == BODY
    assert "a visitor" not in heads
    got = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in heads.split("\n")}
    assert got["authorization"] == "Bearer x"
    assert got["cookie"] == "c=3"
    assert got["host"] == got["x-forwarded-host"] == "play.example.org"
    assert got["x-forwarded-for"] == "127.0.0.1"
    assert got["x-forwarded-proto"] == "http"
    if served.by == "serve":
        assert {"proxy-authorization", "te"}.isdisjoint(got)


def test_one_visitor_s_cookie_is_not_sent_with_another_s_request(served: Served) -> None:
    """No cookie of an answer is kept."""
    served.client.get("/api/x")
    served.client.cookies.clear()
    assert "cookie" not in served.client.get("/api/x").text.lower()


def test_a_connection_is_not_used_twice(served: Served) -> None:
    """By `serve`: an application that ends an idle one can't fail the next request by that."""
    for _ in range(2):
        assert served.client.get("/api/x").status_code == 201
    first, second = served.application.ports[-2:]
    assert served.by != "serve" or first != second


def test_a_redirect_is_the_visitor_s_to_follow(served: Served) -> None:
    """The application can't have the server ask another address."""
    answer = served.client.get("/api/redirect")
    assert (answer.status_code, answer.headers["location"]) == (303, "http://127.0.0.1:1/secret")


@pytest.mark.parametrize("path", ["/api/../secret", "/api/%2e%2e/secret", "/api/..%2fsecret"])
def test_a_path_that_leads_out_is_not_passed_on(served: Served, path: str) -> None:
    """What is not below /api is not the application's."""
    before = len(served.application.asked)
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert b" 404 " in first_line(served, request)
    assert len(served.application.asked) == before


def first_line(served: Served, request: str) -> bytes:
    """The first line of what a request's bytes are answered with."""
    address = served.client.base_url.host, served.client.base_url.port
    with socket.create_connection(address, 20) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            return answer.readline()


def test_a_dot_in_a_path_arrives_as_it_was_asked_for(served: Served) -> None:
    """Clients take it out themselves, so only these bytes show it."""
    path = '/api/./x/%2e/"y"'
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert b" 201 " in first_line(served, request)
    if served.by != "caddy":  # which passes on what it has read, written anew
        assert served.application.asked[-1] == f"GET {path} HTTP/1.1"


def test_a_request_with_two_lengths_is_one_request(served: Served) -> None:
    """What follows the end of its body is never the application's next request."""
    before = len(served.application.asked)
    hidden = "GET /api/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    request = (
        "POST /api/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
    )
    status = first_line(served, request).split()[1]
    assert status == (b"201" if served.by == "serve" else status)
    assert status in {b"201", b"400"}
    assert served.application.asked[before:] in ([], ["POST /api/x HTTP/1.1"])


def test_an_answer_with_two_lengths_is_whole_or_none(served: Served) -> None:
    """The one that counts is that of its parts; nginx refuses it."""
    answer = served.client.get("/api/two-lengths")
    assert (answer.status_code, answer.text == "whole") in {(200, True), (502, False)}
    assert answer.status_code == 200 or served.by == "nginx"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
def test_a_method_for_servers_is_not_passed_on(served: Served, method: str) -> None:
    """A visitor asks for no tunnel through the server, and `serve` says so itself."""
    request = f"{method} /api/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status = int(first_line(served, request).split()[1])
    assert status == 405 if served.by == "serve" else status >= 400


def test_an_answer_is_passed_on_as_it_comes(served: Served) -> None:
    """Its first part is there before the second is made."""
    served.application.seen.clear()
    with served.client.stream("GET", "/api/slow") as answer:
        chunks = answer.iter_raw()
        assert next(chunks) == b"first"
        served.application.seen.set()
        assert b"".join(chunks) == b"second"


def test_an_answer_that_breaks_off_does_not_look_whole(served: Served) -> None:
    """The visitor's connection breaks off, too."""
    with pytest.raises(httpx.RemoteProtocolError):
        served.client.get("/api/broken")


def test_an_application_that_does_not_run_is_a_502(served: Served) -> None:
    """`serve` names the path, and not the address, which is the operator's business."""
    answer = served.client.get("/gone/x")
    assert answer.status_code == 502
    assert ":1" not in answer.text
    if served.by == "serve":
        assert answer.text == "the application at /gone does not answer\n"
        assert answer.headers["cache-control"] == "no-store"
