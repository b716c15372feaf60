"""A server on loopback that speaks the part of GitLab's API that notes of merge requests need."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_NOTES = "/projects/3/merge_requests/12/notes"


@dataclass
class GitLabServer:
    """The notes of merge request 12 of project 3, and each text that was written."""

    api: str = ""
    token: str = "glpat-secret"
    user: int = 5
    notes: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def note(self, body: str, author: int) -> dict[str, Any]:
        """Somebody writes a note."""
        made = {"id": 100 + len(self.notes), "body": body, "author": {"id": author}}
        self.notes.append(made)
        return made

    @property
    def own(self) -> list[str]:
        """The texts of the token's own notes."""
        return [each["body"] for each in self.notes if each["author"]["id"] == self.user]

    def do(self, method: str, path: str, body: str, page: int = 1) -> tuple[int, Any]:
        """The status and the answer of a request; a list has pages of 100."""
        if method == "GET":
            found = {"/user": {"id": self.user}, _NOTES: self.notes[100 * (page - 1) :][:100]}
            return (200, found[path]) if path in found else (404, {})
        self.said.append(body)
        if method == "POST" and path == _NOTES:
            return 201, self.note(body, self.user)
        for each in self.notes:
            if method == "PUT" and path == f"{_NOTES}/{each['id']}":
                if each["author"]["id"] != self.user:
                    return 403, {}
                each["body"] = body
                return 200, each
        return 404, {}


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server: GitLabServer, *rest: Any) -> None:
        self.gitlab = server
        super().__init__(*rest)

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status: int = 401
        answer: Any = {}
        if self.headers["PRIVATE-TOKEN"] == self.gitlab.token:
            url = urlsplit(self.path)
            page = int(parse_qs(url.query).get("page", ["1"])[0])
            body = self._form(content).get("body", "")
            status, answer = self.gitlab.do(self.command, url.path, body, page)
        self.send_response_only(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def _form(self, content: bytes) -> dict[str, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + content).get_payload()
        return {
            str(part.get_param("name", header="content-disposition")): _text(part)
            for part in (parts if isinstance(parts, list) else [])
            if isinstance(part, Message)
        }

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")


@contextmanager
def serving_gitlab(gitlab: GitLabServer) -> Iterator[GitLabServer]:
    """Serve it on a free port; its `api` is then its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, gitlab)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        gitlab.api = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield gitlab
        finally:
            server.shutdown()
            thread.join()
