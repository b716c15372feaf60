"""Asks an address as a visitor does, and its origin in the address's name; no error gets out."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import quote, urlsplit

from robbieblocks.release.names import BUILD_HEADER
from robbieblocks.settings import Address

if TYPE_CHECKING:
    import httpx

Failure = Literal["", "name", "certificate", "refused", "silent", "broken"]

_TIMEOUT_S: Final = 10.0
# A server that sends for ever, slowly or without an end, must not hold up a run.
_ANSWER_S: Final = 30.0
_BODY_MAX_BYTES: Final = 64 << 20
_CACHE_HEADERS: Final = ("age", "via", "x-cache", "cf-cache-status", "x-served-by", "cache-status")
_TOLD_HEADERS: Final = (*_CACHE_HEADERS, "cache-control", "server")
_IN_PATH: Final = "/~!$&'()*+,;=:@%-._"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from a URL: `failure` and `detail` where nothing did.

    Header names are in lower case.
    """

    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    failure: Failure = ""
    detail: str = ""

    @property
    def build(self) -> str:
        """The build hash that the server names; empty where it names none."""
        return self.headers.get(BUILD_HEADER.lower(), "")

    @property
    def media_type(self) -> str:
        """The type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_through_cache(self) -> bool:
        """Whether a cache names itself in the headers."""
        return any(name in self.headers for name in _CACHE_HEADERS)

    @property
    def is_from_cache(self) -> bool:
        """Whether a cache says that it kept this answer."""
        said = (self.headers.get(name, "") for name in ("x-cache", "cf-cache-status"))
        is_hit = any(word in each.lower() for each in said for word in ("hit", "stale"))
        kept = self.headers.get("cache-status", "").lower()
        age = self.headers.get("age", "0").strip()
        return is_hit or "; hit" in kept or (age.isdecimal() and int(age) > 0)

    @property
    def told(self) -> str:
        """The headers that tell who answered, as `Age: 7, Server: nginx`."""
        return ", ".join(
            f"{name.title()}: {self.headers[name][:80]}"
            for name in _TOLD_HEADERS
            if name in self.headers
        )


class Asker:
    """Asks a node's address. For any thread; `Asker.open` closes its connections at the end."""

    def __init__(self, address: Address, client: httpx.Client) -> None:
        self.address = address
        self._client = client
        self._host = urlsplit(address.url).netloc.rpartition("@")[2]

    @classmethod
    @contextmanager
    def open(cls, address: Address) -> Generator[Self]:
        """An asker while the block runs."""
        # It takes 100 ms to import, and only those need it who have an address.
        import httpx

        # Codings as every browser takes them: compressed copies may be damaged, too.
        with httpx.Client(timeout=_TIMEOUT_S, headers={"User-Agent": "RobbieBlocks"}) as client:
            yield cls(address, client)

    def visitor(self, path: str) -> Answer:
        """What a visitor gets."""
        return self._ask(self.address.url + _quoted(path), {})

    def past_caches(self, path: str) -> Answer:
        """What the address gives to somebody who wants nothing that a cache has kept."""
        url = f"{self.address.url}{_quoted(path)}?robbieblocks={os.urandom(6).hex()}"
        return self._ask(url, {"Cache-Control": "no-cache", "Pragma": "no-cache"})

    def origin(self, path: str) -> Answer | None:
        """What the node's own web server gives; None where nobody said where it is."""
        if not self.address.origin:
            return None
        # It may serve many sites, and chooses by the name.
        return self._ask(self.address.origin + _quoted(path), {"Host": self._host})

    def _ask(self, url: str, headers: Mapping[str, str]) -> Answer:
        import httpx

        name = urlsplit(self.address.url).hostname
        extensions = {"sni_hostname": name} if "Host" in headers else {}
        began = time.monotonic()
        try:
            with self._client.stream("GET", url, headers=headers, extensions=extensions) as got:
                body = bytearray()
                for chunk in got.iter_bytes():
                    body += chunk
                    is_late = time.monotonic() - began > _ANSWER_S
                    if is_late or len(body) > _BODY_MAX_BYTES:
                        detail = f"its answer did not end ({len(body)} bytes so far)"
                        return Answer(url=url, failure="broken", detail=detail)
                said = {key.lower(): value for key, value in got.headers.items()}
                return Answer(url=url, status=got.status_code, headers=said, body=bytes(body))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(url=url, failure=_failure(error), detail=str(error))


def _failure(error: BaseException) -> Failure:
    """What kept the answer from coming, by what the error was raised from."""
    import httpx

    each: BaseException | None = error
    while each is not None:
        if isinstance(each, socket.gaierror):
            return "name"
        if isinstance(each, ssl.SSLError):
            return "certificate"
        if isinstance(each, ConnectionRefusedError):
            return "refused"
        if isinstance(each, (TimeoutError, httpx.TimeoutException)):
            return "silent"
        each = each.__cause__ or each.__context__
    return "broken"


def _quoted(path: str) -> str:
    return quote(path, safe=_IN_PATH)
