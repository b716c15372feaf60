"""Routes: the URL path that a page is served at, and its file in the release.

The file is `<route>/index.html`, with or without a trailing slash. So every static server that
tries `$uri` and then `$uri/index.html` answers both without a redirect, and a page's file is hardly
ever another page's folder. Only a route whose last segment ends in `.html` is itself the file.

A route is written in plain letters (no percent-encoding), in Unicode's NFC; it is encoded when it
is put into a URL (RFC 3986 section 2.5). Letters that look like others are refused: a segment must
not mix Latin, Greek and Cyrillic, or hold invisible characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from robbieblocks.errors import Problem
from robbieblocks.messages import described, printable
from robbieblocks.model import NOT_FOUND_FILE, NodeRow, PageRow, Snapshot
from robbieblocks.names import KEY_LENGTH
from robbieblocks.row_faults import blame

LONGEST_ROUTE = KEY_LENGTH
LONGEST_SEGMENT = 255

_RESERVED = re.compile(
    r"_rb|robots\.txt|sitemap[^/]*\.xml|styles-[^/]*\.(?:css|svg)|search-[^/]*\.json"
    r"|(?:headers|manifest|tokens|redirects)\.json",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PLAIN = re.compile(r"[A-Za-z0-9_~-](?:[A-Za-z0-9._~-]*[A-Za-z0-9_~-])?")
_MOST_ROUTES = 1 << 16
_MIXED_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC")


@lru_cache(maxsize=_MOST_ROUTES)
def route_problem(route: str) -> tuple[str, str] | None:
    """What is wrong with a route, and the remedy; or None."""
    problem = _whole_problem(route)
    if problem is not None or route == "/":
        return problem
    segments = route[1:].removesuffix("/").split("/")
    problem = next((found for part in segments if (found := _segment_problem(part))), None)
    if problem is None and segments[-1].lower() == NOT_FOUND_FILE:
        return (
            f"the route ends in {NOT_FOUND_FILE}, which is kept for 404 pages",
            "leave the route out, and write not_found = true into metadata",
        )
    if problem is None and _RESERVED.fullmatch(segments[0]):
        return (
            f"the route's first part `{segments[0]}` is kept for files that every site has",
            "choose another first part",
        )
    return problem


def _whole_problem(route: str) -> tuple[str, str] | None:
    if not route:
        return "the route is empty", "write a path, such as /play/"
    if len(route) > LONGEST_ROUTE:
        return f"the route has {len(route)} characters", f"use at most {LONGEST_ROUTE}"
    if _SCHEME.match(route) or route.startswith("//"):
        return "the route names a scheme or a host", "write the path alone, such as /play/"
    if not route.startswith("/"):
        return "the route doesn't start with /", f"write /{printable(route)}"
    for character, what, remedy in _FORBIDDEN:
        if character in route:
            return f"the route holds {what}", remedy
    return None


_FORBIDDEN = (
    ("?", "a query", "leave out ? and what follows; conditions read the query"),
    ("#", "a fragment", "leave out # and what follows"),
    ("\\", "a backslash", "separate parts by /"),
    ("%", "percent-encoding", "write the letters themselves"),
    ("//", "an empty part", "write one / between parts"),
)


def _segment_problem(segment: str) -> tuple[str, str] | None:
    if segment in (".", ".."):
        return f"the route holds `{segment}`, which leads to another folder", "write the full path"
    if segment.startswith(".") or segment.endswith("."):
        return (
            f"the route's part `{printable(segment)}` starts or ends with a dot",
            "leave the dot out",
        )
    if _PLAIN.fullmatch(segment):
        return None
    for character in segment:
        if not _allowed(character):
            return (
                f"the route holds {described(character)}",
                "use letters, digits, and - . _ ~ between them",
            )
    if len(segment.encode()) > LONGEST_SEGMENT:
        return (
            f"a part of the route takes {len(segment.encode())} bytes",
            f"file names hold at most {LONGEST_SEGMENT}",
        )
    if unicodedata.normalize("NFKC", segment) != segment:
        return "the route holds letters in another form than NFC", "type the plain letters"
    scripts = {_script(character) for character in segment} & set(_MIXED_SCRIPTS)
    if len(scripts) > 1:
        listed = " and ".join(sorted(script.title() for script in scripts))
        return (
            f"a part of the route mixes {listed} letters that look alike",
            "use one script a part",
        )
    return None


def _allowed(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in "-._~"
    return unicodedata.category(character) in ("Ll", "Lu", "Lt", "Lo", "Lm", "Mn", "Mc", "Nd")


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


@lru_cache(maxsize=_MOST_ROUTES)
def release_path(route: str) -> str:
    """The file of a valid route in its release: `/play/` is `play/index.html`."""
    bare = route.strip("/")
    if not bare:
        return "index.html"
    last = bare.rpartition("/")[2]
    if last.endswith(".html") and not route.endswith("/"):
        return bare
    return bare + "/index.html"


def check_routes(
    snapshot: Snapshot, node: NodeRow, is_live: Callable[[PageRow], bool]
) -> tuple[Problem, ...]:
    """The conflicts between routes of one node's published pages; each problem names both pages.

    Two pages conflict where their files are equal, differ only in case (which case-insensitive
    disks ignore), or one's file is the other's folder. The one that `is_live` at its route keeps
    it; else, and between two of them, the older one. The problem is that of the other page. Pages
    whose `published_at` has not come are left out, and so are invalid routes, which `assemble`
    reports. A draft takes the place of a published page; that is a warning.
    """
    apps = set(node.apps)
    pages = [
        page
        for page in snapshot.pages
        if page.app in apps
        and not (page.published_at and page.published_at > snapshot.taken_at)
        and has_place(page)
    ]
    if next(_conflicts(pages), None) is None:
        return ()
    live = {page.key for page in pages if is_live(page)}
    pages.sort(key=lambda page: (not page.draft, page.key not in live, _since(page), page.key))
    return tuple(_conflict(*both, node, live) for both in _conflicts(pages))


def has_place(page: PageRow) -> bool:
    """Whether the page's route is valid, and so has a file in a release."""
    return place_of(page.route, page.not_found) is not None


class Place(NamedTuple):
    """Where a page's file lies on a disk that ignores case, and the folders above it."""

    path: str
    above: tuple[str, ...]


def place_of(route: str, not_found: bool) -> Place | None:
    """The place of the page with a route; None where it is not valid. That of a 404 page is."""
    # `assemble` tells of a route that can't be read.
    with blame(lambda _: None, "page", route, "page_route"):
        return _place_of(route, not_found)
    return None


# An edit of one route has those of all pages looked at: nearly all are those of before. What is
# raised is not kept.
@lru_cache(maxsize=20_000)
def _place_of(route: str, not_found: bool) -> Place | None:
    is_valid = bool(route) if not_found else route_problem(route) is None
    if is_valid and (path := release_path(route).casefold()):
        parts = path.split("/")
        return Place(path, tuple(["/".join(parts[:end]) for end in range(1, len(parts))]))
    return None


def _since(page: PageRow) -> datetime:
    return page.published_at or page.created_at or datetime.max.replace(tzinfo=UTC)


def _conflicts(pages: Iterable[PageRow]) -> Iterator[tuple[PageRow, PageRow]]:
    """Each page that wants what an earlier one has, with that one."""
    owner: dict[str, PageRow] = {}
    folders: dict[str, PageRow] = {}
    for page in pages:
        if (place := place_of(page.route, page.not_found)) is None:
            continue
        path, above = place
        other = owner.get(path) or folders.get(path)
        other = other or next((owner[folder] for folder in above if folder in owner), None)
        if other is not None:
            yield page, other
            continue
        owner[path] = page
        for folder in above:
            folders.setdefault(folder, page)


def _conflict(page: PageRow, other: PageRow, node: NodeRow, live: Collection[str]) -> Problem:
    field, pointer, remedy = "page_route", "", "give one of the two another route, or archive it"
    if page.not_found and other.not_found:
        below = page.route.removesuffix(NOT_FOUND_FILE)
        what = f"page {other.key} is the 404 page of all addresses below {below}, too"
        field, pointer = "metadata", "/not_found"
        remedy = "take not_found out of one of the two, or set lang to another language"
    elif page.route == other.route:
        what = f"the route {page.route} is also that of page {other.key}"
    else:
        what = f"the route {page.route} takes the same place as {other.route} of page {other.key}"
    if other.draft and not page.draft:
        return Problem(
            entity="page",
            key=page.key,
            field=field,
            pointer=pointer,
            what=f"{what}, on node {node.id}, a draft, which is shown in its place",
            remedy="to publish the draft, archive this page",
            severity="warning",
        )
    if other.key in live and page.key not in live:
        why = "is live there"
    elif _since(other) < _since(page):
        why = "is older"
    else:
        why = "is as old and comes first by its key"
    what += f", which {why} and keeps it on node {node.id}"
    return Problem(
        entity="page",
        key=page.key,
        field=field,
        pointer=pointer,
        what=what,
        remedy=remedy,
    )
