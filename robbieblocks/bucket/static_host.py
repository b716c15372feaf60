"""A node's live releases as a folder for Netlify or Cloudflare Pages, with `_headers`.

Both answer `/about` from `about.html` and `/play/` from `play/index.html`, and lead other forms of
an address there, or answer them alike: so no page needs a line in `_redirects`. Pages are asked for
each time by default there (`max-age=0, must-revalidate`). Limits are those of their documentation:
https://developers.cloudflare.com/pages/platform/limits/, .../configuration/headers/ and
.../configuration/redirects/; Netlify names none but ten thousand redirects.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from robbieblocks.bucket.redirect_lines import (
    RedirectLines,
    StaticHost,
    not_found_lines,
    redirect_lines,
)
from robbieblocks.bucket.source import Source, SourceChanged, asset_folder
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import counted
from robbieblocks.model import ASSET_PREFIX, sheet_file
from robbieblocks.release import SiteRoot, not_found_files
from robbieblocks.response_headers import ONE_YEAR, SECURITY, SHOWN_WHILE_ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    redirects: int
    wildcards: int
    redirect_characters: int
    header_rules: int
    header_characters: int
    files: int
    file_bytes: int


_NO_LIMIT: Final = 1 << 60
_LIMITS: Final[Mapping[StaticHost, _Limits]] = {
    # Files: of the free plan.
    "cloudflare": _Limits(
        redirects=2_000,
        wildcards=100,
        redirect_characters=1000,
        header_rules=100,
        header_characters=2000,
        files=20_000,
        file_bytes=25 << 20,
    ),
    "netlify": _Limits(
        redirects=10_000,
        wildcards=10_000,
        redirect_characters=_NO_LIMIT,
        header_rules=_NO_LIMIT,
        header_characters=_NO_LIMIT,
        files=_NO_LIMIT,
        file_bytes=_NO_LIMIT,
    ),
}


@dataclass(frozen=True, slots=True)
class StaticSite:
    """What the folder holds, by path, and what its host can't do."""

    files: Mapping[str, bytes]
    notes: Sequence[str] = ()


def static_site(
    host: StaticHost, site_root: SiteRoot, node: str, applications: Mapping[str, str]
) -> StaticSite:
    """The folder for a host. Raises SiteUnavailable, and UsageError over a limit of the host's."""
    try:
        source = Source.of(site_root, node)
        headers = list(_headers(source))
        wanted = (*source.by_path(), *source.assets(asset_folder()))
        if not wanted:
            raise UsageError(
                f"node {node} has no live release under {site_root.path}: "
                "run `robbieblocks build` first"
            )
        moved = redirect_lines(host, source.redirects(), *source.paths())
        folders = {each for found in source.manifests for each in not_found_files(found)}
        # Behind redirects: what rows redirect is found.
        moved.below.extend(not_found_lines(host, folders))
        passed_on, notes = _passed_on(host, applications)
        notes = (*notes, *_own_notes(source))
        _check(host, headers, passed_on, moved, len(wanted))
        names = _page_names(source)
        files = {names.get(each.key, each.key): each.read() for each in wanted}
    except SourceChanged as error:
        raise SiteUnavailable(
            f"{node}: {error} was replaced meanwhile, or is damaged\n  -> try again"
        ) from error
    for path, content in files.items():
        _check_size(host, path, len(content))
    files["_headers"] = _text(headers)
    if redirects := [*passed_on, *moved.exact, *moved.below]:
        files["_redirects"] = _text(redirects)
    return StaticSite(files, (*notes, *moved.notes))


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _check_size(host: StaticHost, path: str, size_bytes: int) -> None:
    limit = _LIMITS[host].file_bytes
    if size_bytes > limit:
        raise UsageError(
            f"{path} has {size_bytes:,} bytes, and {host} takes {limit:,}\n"
            "  -> serve that file from another place"
        )


def _page_names(source: Source) -> dict[str, str]:
    """The names of pages whose address ends without a slash: `about.html`, not a folder's index."""
    taken = {path for found in source.manifests for path in found.files}
    names: dict[str, str] = {}
    for found in source.manifests:
        for page in found.pages:
            route = unquote(page.route)
            name = f"{route.removeprefix('/')}.html"
            if not route.endswith("/") and page.path.endswith("/index.html") and name not in taken:
                names[page.path] = name
    return names


def _headers(source: Source) -> Iterator[str]:
    """No two rules set the same header: where they do, the hosts join both values."""
    yield "/*"
    for name, value in {**SECURITY, **_own_headers(source)}.items():
        yield f"  {name}: {value}"
    yield f"{ASSET_PREFIX}*"
    for name, value in ONE_YEAR.items():
        yield f"  {name}: {value}"
    for found in source.manifests:
        if (path := sheet_file(found.app)) in found.files:
            yield f"/{path}"
            for name, value in SHOWN_WHILE_ASKED.items():
                yield f"  {name}: {value}"


def _own_headers(source: Source) -> dict[str, str]:
    """The headers that all apps ask for alike. Of others the hosts would join several values."""
    stated = source.headers()
    every = [stated.get(found.app, {}) for found in source.manifests]
    first = every[0] if every else {}
    return {
        name: value for name, value in first.items() if all(own.get(name) == value for own in every)
    }


def _own_notes(source: Source) -> list[str]:
    """What settings of single apps ask for, which the hosts can't be told."""
    alike = _own_headers(source)
    return [
        f"{app}: no other app has its {name}, so that is not sent"
        for app, own in source.headers().items()
        for name in own
        if name not in alike
    ]


def _passed_on(
    host: StaticHost, applications: Mapping[str, str]
) -> tuple[Sequence[str], Sequence[str]]:
    """The lines that pass paths on to applications, and what can't be passed on."""
    lines: list[str] = []
    notes: list[str] = []
    for path, address in sorted(applications.items(), key=lambda each: (-len(each[0]), each[0])):
        if host == "cloudflare":
            notes.append(f"{path}: Cloudflare Pages passes no requests on to {address}")
        elif _is_private(address):
            notes.append(f"{path}: Netlify can't reach {address}, which is no public address")
        else:
            lines.append(f"{path} {address}{path} 200")
            lines.append(f"{path}/* {address}{path}/:splat 200")
    return lines, notes


def _is_private(address: str) -> bool:
    name = urlsplit(address).hostname or ""
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return "." not in name


def _check(
    host: StaticHost,
    headers: Sequence[str],
    passed_on: Sequence[str],
    moved: RedirectLines,
    files: int,
) -> None:
    limits = _LIMITS[host]
    rules = sum(not line.startswith(" ") for line in headers)
    redirects = [*passed_on, *moved.exact, *moved.below]
    # Netlify has one limit for all lines, Cloudflare one for each kind.
    is_one = limits.redirects == limits.wildcards
    exact = len(redirects) if is_one else len(moved.exact)
    fewer = "name fewer [applications], and redirect fewer paths"
    found = (
        (files, limits.files, "file", "", "publish fewer pages to this node"),
        (rules, limits.header_rules, "rule", " in _headers", "shorten it"),
        (exact, limits.redirects, "line", " in _redirects", fewer),
        (
            len(moved.below),
            limits.wildcards,
            "wildcard",
            " in _redirects",
            "redirect single paths, or fewer folders",
        ),
        (
            _longest(headers),
            limits.header_characters,
            "character",
            " in a line of _headers",
            "shorten it",
        ),
        (
            _longest(redirects),
            limits.redirect_characters,
            "character",
            " in a line of _redirects",
            "shorten the paths of [applications] and of redirects",
        ),
    )
    for count, limit, what, where, remedy in found:
        if count > limit:
            raise UsageError(
                f"{counted(count, what)}{where}: {host} takes {limit:,}\n  -> {remedy}"
            )


def _longest(lines: Sequence[str]) -> int:
    return max(map(len, lines), default=0)
