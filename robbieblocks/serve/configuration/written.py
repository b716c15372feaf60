"""Reads configurations that were printed before: by which command, and whether they are current."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, cast, get_args

from robbieblocks.model import Redirect
from robbieblocks.serve.configuration.headers import AppHeaders
from robbieblocks.serve.configuration.rendering import render
from robbieblocks.serve.configuration.site import WebServer, WebSite

_COMMAND: Final = re.compile(r"^# +(robbieblocks webserver .+)$", re.MULTILINE)
# nginx's maps of redirects and headers; what stands before an app's headers in Caddy.
_MAP: Final = re.compile(r"map \S+ \$robbieblocks_(?:moved|header_[0-9]+) \{")
_CADDY_FILE: Final = "rewrite * {file_match.relative}"
# What an operator changes for a certificate.
_MAY_DIFFER: Final = ("listen ", "server_name ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The options of the `robbieblocks webserver` by which a configuration was printed."""

    server: WebServer
    node: str
    name: str = ""
    listen: str = ""
    brotli: bool = False

    @classmethod
    def read(cls, text: str) -> Iterator[Self]:
        """Each command that stands in a file of nginx's or Caddy's; others' files have none."""
        for line in _COMMAND.findall(text):
            try:
                words = shlex.split(line)[2:]
            except ValueError:
                continue
            values = dict(zip(words[1::2], words[2::2], strict=False))
            if words[0] in get_args(WebServer) and "--node" in values:
                yield cls(
                    server=cast("WebServer", words[0]),
                    node=values["--node"],
                    name=values.get("--name", ""),
                    listen=values.get("--listen", ""),
                    brotli="--brotli" in words,
                )

    def __str__(self) -> str:
        words = ["robbieblocks", "webserver", self.server, "--node", self.node]
        words += ["--name", self.name] if self.name else []
        words += ["--listen", self.listen] if self.listen else []
        return shlex.join([*words, *(["--brotli"] if self.brotli else [])])

    def lacking(
        self,
        text: str,
        site_root: Path,
        apps: Sequence[str],
        applications: Mapping[str, str],
        redirects: Sequence[Redirect] = (),
        headers: AppHeaders = MappingProxyType({}),
    ) -> list[str]:
        """The lines that would be printed now, and are not in the file in this order.

        A file may have more, such as a certificate's lines; but what rows asked for once and don't
        any more is among these, behind `no `. Raises UsageError.
        """
        site = WebSite.of(
            node=self.node,
            site_root=site_root,
            apps=apps,
            applications=applications,
            name=self.name,
            listen=self.listen,
            brotli=self.brotli,
            redirects=redirects,
            headers=headers,
        )
        there, place = _lines(text), 0
        lacking: list[str] = []
        printed = _lines(render(self.server, site))
        for line in printed:
            try:
                place = there.index(line, place) + 1
            except ValueError:
                lacking.append(line)
        too_many = _asked_for(there) - _asked_for(printed)
        return lacking + sorted(f"no {line}" for _, line in too_many)


def _asked_for(lines: Sequence[str]) -> Set[tuple[str, str]]:
    """The lines that rows asked for, each with the one that says for what.

    Of nginx they are in maps to variables of ours; Caddy has headers behind where an app's file is.
    """
    found: dict[tuple[str, str], None] = {}
    within, root = "", ""
    for line in lines:
        if line.startswith("root * "):
            root = line
        if _MAP.match(line) or line == _CADDY_FILE:
            within = root or line
        elif line == "}" or (root and not line.startswith("header ")):
            within = ""
        elif within:
            found[within, line] = None
    return found.keys()


def _lines(text: str) -> list[str]:
    """The lines that say something, without comments and what an operator may change."""
    lines = map(str.strip, text.splitlines())
    return [line for line in lines if line and line[0] != "#" and not line.startswith(_MAY_DIFFER)]
