"""`[site]` in robbieblocks.toml: where visitors reach each node, and what is asked there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, cast

from robbieblocks.messages import printable

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

TABLE: Final = "site"
URLS: Final = "urls"
ORIGINS: Final = "origins"

Compare = Literal["bytes", "build"]
COMPARE: Final = ("bytes", "build")
WHEN_NOT_SERVED: Final = ("swap back", "keep")

# A label of a host name may be of any language; the port is checked apart.
_ADDRESS: Final = re.compile(r"https?://(?:[^\s/?#@:\[\]\\]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?/?")
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where visitors reach a node, `url`, and, where that is known, its own web server: `origin`.

    A page is right where its bytes are the release's, or, by `build`, where it is of the release.
    `swap_back`: a release that is not served as it should be gives way to the one before.
    """

    url: str
    origin: str = ""
    compare: Compare = "bytes"
    swap_back: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of nodes; `smoke_url` is that of each node which has none in `urls`."""

    urls: Mapping[str, str] = field(default_factory=dict[str, str])
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    smoke_url: str | None = None
    compare: Compare = "bytes"
    swap_back: bool = True

    def of(self, node: str) -> Address | None:
        """The address of a node; None where nothing is to be asked."""
        url = self.urls.get(node) or self.smoke_url
        if not url:
            return None
        return Address(
            url=url.rstrip("/"),
            origin=self.origins.get(node, "").rstrip("/"),
            compare=self.compare,
            swap_back=self.swap_back,
        )


def read_addresses(site: Table) -> dict[str, dict[str, str]]:
    """The tables `urls` and `origins` of the file, each with URLs by node; reports mistakes."""
    found = {name: site.texts(name) for name in (URLS, ORIGINS)}
    for name, urls in found.items():
        for node, url in urls.items():
            if url and not _is_address(url):
                site.report(
                    name,
                    f'gives {printable(node)} the address "{printable(url)}"',
                    'write it as in "https://play.example.org": a scheme, a host, perhaps a port, '
                    "and no path",
                    inside=node,
                )
    return found


def addresses_in(
    in_file: Mapping[str, str], smoke_url: str | None, *, purges: bool = False
) -> Addresses:
    """Those among the values of a project's file, by table and key.

    `purges`: a command purges a cache after each publish. Before that the cache can't be right, so
    a release that is not served yet stays, unless the file says otherwise.
    """
    when_not_served = in_file.get("site.when_not_served") or WHEN_NOT_SERVED[purges]
    return Addresses(
        urls=_below(f"{TABLE}.{URLS}.", in_file),
        origins=_below(f"{TABLE}.{ORIGINS}.", in_file),
        smoke_url=smoke_url,
        compare=cast("Compare", in_file.get("site.compare") or COMPARE[0]),
        swap_back=when_not_served == WHEN_NOT_SERVED[0],
    )


def _below(prefix: str, in_file: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(prefix): value for key, value in in_file.items() if key.startswith(prefix)
    }


def _is_address(url: str) -> bool:
    found = _ADDRESS.fullmatch(url)
    return found is not None and (found[1] is None or 0 < int(found[1]) <= _LAST_PORT)
