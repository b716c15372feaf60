"""Responses: a file's content with type, ETag and 304, and gzip; plain text; their headers."""

from __future__ import annotations

import errno
import gzip
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.response_headers import NO_STORE, SECURITY, type_of

_NOT_A_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


def plain(status: int, text: str) -> Response:
    """A line of plain text, which caches must not store."""
    return PlainTextResponse(text + "\n", status, {**SECURITY, **NO_STORE})


class FileResponder:
    """Makes responses of files.

    Keeps compressed bodies; the least recently used go once all have `limit_bytes`.
    """

    def __init__(self, limit_bytes: int = 32 << 20) -> None:
        self._limit_bytes = limit_bytes
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self.size_bytes = 0

    def respond(
        self,
        request: Request,
        name: str,
        content: bytes,
        tag: str,
        headers: Mapping[str, str],
        *,
        status: int = 200,
        copy: Callable[[str], bytes | None] = lambda _coding: None,
    ) -> Response:
        """The content, compressed for a client that takes it; 304 if the client has it already.

        `tag` stands for the content: the ETag is made of it. Only a 200 has one. `copy` gives the
        content in a coding, where it is kept so.
        """
        sent = {**SECURITY, **headers, "Content-Type": type_of(name)}
        if release.is_compressible(name, len(content)):
            sent["Vary"] = "Accept-Encoding"
            coding, content = self._coded(request, tag, content, copy)
            if coding:
                sent["Content-Encoding"] = coding
                tag += f"-{coding}"
        if status == 200:
            sent["ETag"] = f'"{tag}"'
            if _matches(request.headers.get("if-none-match", ""), tag):
                del sent["Content-Type"]
                return Response(status_code=304, headers=sent)
        return Response(content, status, sent)

    def _coded(
        self, request: Request, tag: str, content: bytes, copy: Callable[[str], bytes | None]
    ) -> tuple[str, bytes]:
        """The best coding that the client takes, and the content in it; no coding is empty."""
        accepted = accepted_codings(request.headers.get("accept-encoding", ""))
        for coding in accepted:
            if (kept := copy(coding)) is not None:
                return coding, kept
        return ("gzip", self.gzipped(tag, content)) if "gzip" in accepted else ("", content)

    def gzipped(self, tag: str, content: bytes) -> bytes:
        """The compressed content that a tag stands for."""
        body = self._bodies.get(tag)
        if body is None:
            body = self._bodies[tag] = gzip.compress(content, compresslevel=6, mtime=0)
            self.size_bytes += len(body)
            while self.size_bytes > self._limit_bytes and len(self._bodies) > 1:
                self.size_bytes -= len(self._bodies.popitem(last=False)[1])
        self._bodies.move_to_end(tag)
        return body


def read(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises FileNotFoundError for anything else in its place, a link included, and SiteUnavailable
    where it can't be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return file.read()
    except OSError as error:
        if error.errno not in _NOT_A_FILE:
            raise SiteUnavailable(f"could not read {path}: {error.strerror}") from error
    raise FileNotFoundError(path)


def accepted_codings(accept_encoding: str) -> list[str]:
    """The codings of an Accept-Encoding header (RFC 9110, 12.5.3), the best of ours first.

    `*` stands for gzip alone, which every client can read.
    """
    weights: dict[str, bool] = {}
    for offer in accept_encoding.lower().split(","):
        coding, _, weight = offer.replace(" ", "").partition(";q=")
        weights[coding] = weight.strip("0.") != "" or weight == ""
    weights.setdefault("gzip", weights.get("*", False))
    return [coding for coding in release.SUFFIXES if weights.get(coding)]


def _matches(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match (RFC 9110, 13.1.2) names the tag, compared weakly."""
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in tags or f'"{tag}"' in tags
