"""What a web server's configuration is made for: a node, its apps, and applications beside them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.model import SHARED_APP, Redirect
from robbieblocks.serve.configuration.headers import AppHeaders

WebServer = Literal["nginx", "caddy"]

_NAME: Final = re.compile(r"(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Application:
    """An application of its own that answers below a path of the node's address."""

    path: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSite:
    """What is served: a node's apps, in the order in which they are asked for a page.

    `folder` is that of the node in the site root. `host` and `port` say where to listen; port 0 is
    the server's usual one. `name` is the address's host name, empty for any. `redirects` are those
    of the live releases, in the order in which they are looked for, `headers` what these ask for.
    """

    node: str
    folder: Path
    apps: tuple[str, ...]
    applications: tuple[Application, ...] = ()
    name: str = ""
    host: str = ""
    port: int = 0
    brotli: bool = field(default=False)
    redirects: tuple[Redirect, ...] = ()
    headers: AppHeaders = field(default_factory=dict[str, Mapping[str, str]])

    def command(self, server: WebServer) -> str:
        """The command that prints the configuration."""
        words = ["robbieblocks", "webserver", server, "--node", self.node]
        words += ["--name", self.name] if self.name else []
        if self.port:
            words += ["--listen", f"{self.host}:{self.port}" if self.host else str(self.port)]
        return shlex.join([*words, *(["--brotli"] if self.brotli else [])])

    @classmethod
    def of(
        cls,
        *,
        node: str,
        site_root: Path,
        apps: Sequence[str],
        applications: Mapping[str, str],
        name: str,
        listen: str,
        brotli: bool,
        redirects: Sequence[Redirect] = (),
        headers: AppHeaders = MappingProxyType({}),
    ) -> WebSite:
        """Check the name and where to listen: `[HOST:]PORT`. Raises UsageError."""
        if name and not _NAME.fullmatch(name):
            raise UsageError(
                f"{printable(name)} is no host name\n  -> write it as in play.example.org"
            )
        host, port = _listen(listen) if listen else ("", 0)
        return cls(
            node=node,
            folder=site_root / node,
            apps=tuple(sorted(apps, key=lambda app: (app == SHARED_APP, app))),
            applications=tuple(Application(*each) for each in longest_first(applications)),
            name=name,
            host=host,
            port=port,
            brotli=brotli,
            redirects=tuple(redirects),
            headers=headers,
        )


def longest_first(applications: Mapping[str, str]) -> list[tuple[str, str]]:
    """Path and address of each application; what is below another's path comes before it."""
    return sorted(applications.items(), key=lambda each: (-len(each[0]), each[0]))


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _LAST_PORT
    if not is_port or (host and not _HOST.fullmatch(host)):
        raise UsageError(
            f"can't listen on {printable(text)}\n"
            "  -> write a port, or host and port: 127.0.0.1:8080"
        )
    return host, int(port)
