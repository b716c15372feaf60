"""What rows redirect, as lines of `_redirects` and as pages that lead on by themselves.

Netlify looks for a file first, Cloudflare Pages for a line: there, each path below a wildcard that
has a file gets a line of its own before it. Both keep a request's query. Rules of both:
https://docs.netlify.com/manage/routing/redirects/redirect-options/,
https://developers.cloudflare.com/pages/configuration/redirects/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal
from urllib.parse import quote

from robbieblocks.model import (
    ASSET_PREFIX,
    GONE,
    NOT_FOUND_FILE,
    WILDCARD,
    Redirect,
    Redirects,
    bare_path,
)

StaticHost = Literal["netlify", "cloudflare"]

_REST: Final = ":splat"


@dataclass(frozen=True, slots=True)
class RedirectLines:
    """Lines of `_redirects`. Those of `exact` hold for one path each, and stand before `below`.

    `notes` say what the host can't do.
    """

    exact: list[str] = field(default_factory=list[str])
    below: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def redirect_lines(
    host: StaticHost, table: Redirects, answered: AbstractSet[str], leading: Mapping[str, str]
) -> RedirectLines:
    """The lines for a host.

    `answered` are the paths that a file answers, `leading` are other forms of a page's path, with
    the path to which they lead. All are decoded.
    """
    lines = RedirectLines()
    for each in sorted(table.exact.values()):
        if answered.isdisjoint((bare_path(each.source), bare_path(each.source) + "/")):
            _add_exact(lines, host, each)
    below = sorted(table.below.items(), key=lambda found: (-len(found[0]), found[0]))
    if host == "cloudflare" and below:
        covered = {path for path in answered if table.find_below(bare_path(path))}
        lines.exact.extend(f"{_source(path)} {_source(path)} 200" for path in sorted(covered))
        lines.exact.extend(
            f"{_source(path)} {quote(to)} 308"
            for path, to in sorted(leading.items())
            if to in covered and not path.endswith("/index.html")
        )
        if "" in table.below:
            lines.below.append(f"{ASSET_PREFIX}* {ASSET_PREFIX}{_REST} 200")
    for folder, each in below:
        if each.status == GONE and host == "cloudflare":
            lines.notes.append(_not_gone(each))
            continue
        if host == "cloudflare" and folder and folder not in answered and folder not in leading:
            lines.exact.append(f"{_source(folder)} {_target(each, '')} {each.status}")
        lines.below.append(f"{_source(folder)}/* {_target(each, _REST)} {each.status}")
    return lines


def not_found_lines(host: StaticHost, folders: Iterable[str]) -> list[str]:
    """The lines that have a host answer what is not found below folders, such as `/shop`.

    Cloudflare Pages looks for the nearest 404.html by itself; Netlify for that of the root alone.
    """
    if host == "cloudflare":
        return []
    deepest_first = sorted(filter(None, folders), key=lambda folder: (-len(folder), folder))
    return [f"{_source(each)}/* {_source(each)}/{NOT_FOUND_FILE} 404" for each in deepest_first]


def page_that_leads(redirect: Redirect) -> bytes:
    """HTML that leads on at once, without a script; search engines take it as a redirect."""
    url = escape(_target(redirect, ""))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0; url={url}">\n'
        f'<link rel="canonical" href="{url}">\n<title>Moved</title>\n</head>\n'
        f'<body><p><a href="{url}">This page has moved</a></p></body>\n</html>\n'
    ).encode()


def _add_exact(lines: RedirectLines, host: StaticHost, redirect: Redirect) -> None:
    if host == "cloudflare" and redirect.status == GONE:
        lines.notes.append(_not_gone(redirect))
        return
    source, target = _source(bare_path(redirect.source)), _target(redirect, "")
    lines.exact.append(f"{source} {target} {redirect.status}")
    if host == "cloudflare":
        lines.exact.append(f"{source}/ {target} {redirect.status}")


def _not_gone(redirect: Redirect) -> str:
    return f"{redirect.source}: Cloudflare Pages answers 404 there, since it can't answer {GONE}"


def _source(path: str) -> str:
    """A path as a line has it: nothing in it is a space, a placeholder or a comment."""
    return quote(path, safe="/~")


def _target(redirect: Redirect, rest: str) -> str:
    """Where a redirect leads, with `rest` in the place of its wildcard."""
    if redirect.status == GONE:
        return f"/{NOT_FOUND_FILE}"
    with_rest = redirect.target.endswith(WILDCARD)
    target = redirect.target[:-1] if with_rest else redirect.target
    url = target if target.startswith("https:") else quote(target)
    return url + rest if with_rest else url
