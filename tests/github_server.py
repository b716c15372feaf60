"""A server on loopback that speaks the part of GitHub's REST API that comments need."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

REPOSITORY = "owner/site"
HEAD = "a" * 40
NEWER = "b" * 40
TOKEN = "ghs_secret0123456789"
_DATE = "Sat, 28 Nov 2026 12:00:00 GMT"
_DATE_S = 1_795_867_200


@dataclass
class Answer:
    """What a request gets instead of what the server would say; `after` it is done where set.

    A status of 0 breaks the connection.
    """

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass
class GitHubServer:
    """Pull request 12 of a repository, its comments and deployments, and all that was asked."""

    api: str = ""
    # Before all paths, as other forges that speak the same have one.
    prefix: str = ""
    state: str = "open"
    head: str = HEAD
    head_repository: str = REPOSITORY
    login: str = "github-actions[bot]"
    comments: list[dict[str, Any]] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    # Answers by "METHOD last-part-of-the-path", each given once.
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    # Called before a request is done, by the same names.
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)

    def written(self, body: str, login: str | None = None) -> dict[str, Any]:
        """Somebody writes a comment."""
        made = {
            "id": max((each["id"] for each in self.comments), default=100) + 1,
            "body": body,
            "user": {"login": login or self.login},
        }
        self.comments.append(made)
        return made

    @property
    def ours(self) -> list[str]:
        """The texts of the comments by the token's account."""
        return [each["body"] for each in self.comments if each["user"]["login"] == self.login]

    @property
    def writes(self) -> list[str]:
        """What was asked for that alters something."""
        return [each for each in self.asked if not each.startswith(("GET", "POST /graphql"))]

    def limit_at(self, seconds: int) -> dict[str, str]:
        """The headers of a rate limit that ends in so many seconds."""
        return {
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(_DATE_S + seconds),
            "Date": _DATE,
        }

    def do(self, method: str, path: str, query: dict[str, str], values: Any) -> tuple[int, Any]:
        """The status and the answer of a request."""
        path = path.removeprefix(self.prefix)
        inside = path.removeprefix(f"/repos/{REPOSITORY}")
        if path == "/user":
            return 403, {"message": "Resource not accessible by integration"}
        if path == "/graphql":
            return 200, {"data": {"viewer": {"login": self.login}}}
        if inside == path:
            return 404, {"message": "Not Found"}
        match method, inside.strip("/").split("/"):
            case "GET", ["pulls", "12"]:
                return 200, {
                    "state": self.state,
                    "head": {"sha": self.head, "repo": {"full_name": self.head_repository}},
                    "base": {"repo": {"full_name": REPOSITORY}},
                }
            case "GET", ["issues", "12", "comments"]:
                return 200, _page(self.comments, query)
            case "POST", ["issues", "12", "comments"]:
                if len(values["body"]) > 65_536:
                    return 422, {"message": "Body is too long (maximum is 65536 characters)"}
                return 201, self.written(values["body"])
            case (("PATCH" | "DELETE"), ["issues", "comments", number]):
                return self._alter(method, int(number), values)
            case _, ["deployments", *parts]:
                return self._deploy(method, parts, query, values)
            case _:
                return 404, {"message": "Not Found"}

    def _alter(self, method: str, number: int, values: Any) -> tuple[int, Any]:
        for each in self.comments:
            if each["id"] == number and method == "PATCH":
                each["body"] = values["body"]
                return 200, each
            if each["id"] == number:
                self.comments.remove(each)
                return 204, None
        return 404, {"message": "Not Found"}

    def _deploy(
        self, method: str, parts: list[str], query: dict[str, str], values: Any
    ) -> tuple[int, Any]:
        match method, parts:
            case "GET", []:
                wanted = {name: query[name] for name in ("environment", "sha") if name in query}
                found = [each for each in self.deployments if wanted.items() <= each.items()]
                return 200, _page(found, query)
            case "POST", []:
                made = {**values, "id": len(self.deployments) + 1, "statuses": []}
                made["sha"] = made.pop("ref")
                self.deployments.append(made)
                return 201, made
            case "POST", [number, "statuses"]:
                self.deployments[int(number) - 1]["statuses"].append(values)
                return 201, {}
            case _:
                return 404, {"message": "Not Found"}


def _page(found: list[Any], query: dict[str, str]) -> list[Any]:
    each, number = int(query["per_page"]), int(query["page"])
    return found[each * (number - 1) : each * number]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, github: GitHubServer, lock: threading.Lock, *rest: Any) -> None:
        self.github = github
        self.lock = lock
        super().__init__(*rest)

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        values = json.loads(self.rfile.read(length)) if length else None
        name = f"{self.command} {re.sub('[0-9]+$', 'one', split.path).rpartition('/')[2]}"
        github = self.github
        with self.lock:
            github.asked.append(f"{self.command} {split.path}")
            if name in github.hooks:
                github.hooks[name]()
            faults = github.faults.get(name, [])
            fault = faults.pop(0) if faults else None
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                fault = Answer(401, "Bad credentials")
            status, answer = 0, None
            if fault is None or fault.after:
                query = dict(parse_qsl(split.query))
                status, answer = github.do(self.command, split.path, query, values)
        if fault is not None:
            status, answer = fault.status, {"message": fault.message}
        if status == 0:
            self.close_connection = True
            return
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response_only(status)
        headers = {"Date": _DATE, **(fault.headers if fault else {})}
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(github: GitHubServer) -> Iterator[GitHubServer]:
    """Serve it on a free port; its `api` is then its address."""
    handler = partial(_Handler, github, threading.Lock())

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        github.api = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()
