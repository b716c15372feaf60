"""Fills in the templates of configurations, and quotes what may hold any character."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robbieblocks import release, response_headers
from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.model import ASSET_PREFIX, NOT_FOUND_DEPTH
from robbieblocks.serve.configuration.headers import Differing, differing
from robbieblocks.serve.configuration.redirects import Rule, rules_of
from robbieblocks.serve.configuration.site import WebServer, WebSite

_TEMPLATES: Final = {"nginx": "nginx.conf.j2", "caddy": "Caddyfile.j2"}
# What neither quotes nor escapes take the meaning of: nginx's variables; Caddy's placeholders and
# the patterns of its file matcher.
_UNQUOTABLE: Final = {
    "nginx": re.compile(r"[\x00-\x1f\x7f$\ud800-\udfff]"),
    "caddy": re.compile(r"[\x00-\x1f\x7f{}*?\[\\`\ud800-\udfff]"),
}
# Neither server sets these, and nginx can't be told of all that begin with X-Forwarded-.
_NEVER_A_VISITORS: Final = (
    "Forwarded",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Real-IP",
)


def render(server: WebServer, site: WebSite) -> str:
    """The text of a server's configuration. Raises UsageError for a folder it can't be told."""
    folder = str(site.folder)
    if found := _UNQUOTABLE[server].search(folder):
        raise UsageError(
            f"{server} can't be told the folder {printable(folder)}: it holds {found[0]!r}\n"
            "  -> move the site root to a folder without that, and name it in "
            "ROBBIEBLOCKS_SITE_ROOT"
        )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 -- no HTML: `_quoted` makes text safe
    )
    environment.filters["quoted"] = _quoted
    values: dict[str, object] = {
        "site": site,
        "rules": rules_of(site.redirects),
        "asset_prefix": ASSET_PREFIX,
        "compressed_min_bytes": release.COMPRESSED_MIN_BYTES,
        "never_a_visitors": _NEVER_A_VISITORS,
        "not_found_depths": range(NOT_FOUND_DEPTH, -1, -1),
        "no_store": response_headers.NO_STORE,
        "one_year": response_headers.ONE_YEAR,
        "revalidate": response_headers.REVALIDATE,
        "shown_while_asked": response_headers.SHOWN_WHILE_ASKED,
    }
    values |= _of_nginx(site) if server == "nginx" else _of_caddy(site)
    return environment.get_template(_TEMPLATES[server]).render(values)


def _quoted(text: object, variables: str = "") -> str:
    """A text as one word that means itself, followed by variables of nginx's."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}{variables}"'


def _of_nginx(site: WebSite) -> dict[str, object]:
    port = site.port or 80
    types: dict[str, list[str]] = {}
    for ending, content_type in response_headers.TYPES.items():
        types.setdefault(content_type.partition(";")[0], []).append(ending)
    compressed = {response_headers.TYPES[ending].partition(";")[0] for ending in release.COMPRESSED}
    return {
        "listen": [f"{site.host}:{port}"] if site.host else [str(port), f"[::]:{port}"],
        "types": types,
        # text/html is always among them, and naming it is warned of.
        "compressed_types": sorted(compressed - {"text/html"}),
        "headers": partial(_nginx_headers, differing(site.headers)),
        "differing": differing(site.headers),
        "moved": _nginx_moved,
        "statuses": sorted({each.status for each in site.redirects if each.target}),
    }


def _nginx_headers(
    own: Sequence[Differing], caching: Mapping[str, str], *, build: bool = False
) -> str:
    """The headers of a location, which has none but its own. With `build` it sends files of a
    release, with what this asks for.

    The empty `Last-Modified` takes out the one that nginx would make of the file's time.
    """
    sent = {**caching, **response_headers.SECURITY, "Last-Modified": ""}
    asked = [(each.name, each.variable) for each in own] if build else []
    names = {name for name, _ in asked}
    # A header with several lines stands there several times; an empty one is not sent.
    every = [*(each for each in sent.items() if each[0] not in names), *asked]
    lines = [f"add_header {name} {_quoted(value)} always;" for name, value in every]
    if build:
        lines.append(f"add_header {release.BUILD_HEADER} $robbieblocks_build always;")
    return "\n".join(f"        {line}" for line in lines)


def _nginx_moved(rule: Rule) -> str:
    """The status and location of a request that a rule's pattern matches, for a map."""
    rest = "$robbieblocks_rest" if rule.with_rest else ""
    query = "&$args" if rule.joins else "$is_args$args"
    return f"{rule.status}:{rule.location}{rest}{query if rule.location else ''}{rule.fragment}"


def _of_caddy(site: WebSite) -> dict[str, object]:
    # A name alone has Caddy fetch a certificate; a port is plain HTTP.
    address = site.name if site.name and not site.port else f"http://{site.name}:{site.port or 80}"
    endings: dict[str, list[str]] = {}
    for ending, content_type in response_headers.TYPES.items():
        endings.setdefault(content_type, []).append(ending)
    types = [
        f"@{kind[0]} path {' '.join(f'*.{each}' for each in kind)}\n"
        f"\t\theader @{kind[0]} Content-Type {_quoted(content_type)}"
        for content_type, kind in endings.items()
    ]
    return {
        "address": address,
        "content_types": "\n".join(f"\t\t{each}" for each in types),
        "headers": _caddy_headers,
        "moved": _caddy_moved,
    }


def _caddy_moved(rule: Rule, name: str) -> str:
    """What answers a request that a rule's pattern matches."""
    if not rule.location:
        return f"error {rule.status}"
    rest = f"{{re.{name}.1}}" if rule.with_rest else ""
    query = f"{'&' if rule.joins else ''}{{re.{name}.2}}"
    return f"redir * {rule.location}{rest}{query}{rule.fragment} {rule.status}"


def _caddy_headers(caching: Mapping[str, str]) -> str:
    sent = {**caching, **response_headers.SECURITY}
    return "\n".join(f"\t\theader {name} {_quoted(value)}" for name, value in sent.items())
