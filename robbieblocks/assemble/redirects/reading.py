"""Reads the redirects that one row states: `redirect_from` of pages, `redirects` of frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from robbieblocks.assemble.relations.frames import frame_setting
from robbieblocks.assemble.routes import route_problem
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import json_pointer, listed, printable
from robbieblocks.model import GONE, WILDCARD, Json, PageRow

FROM: Final = "redirect_from"
LIST: Final = "redirects"

_MOST: Final = 10_000
_STATUSES: Final = (301, 302, 307, 308)
_LONGEST_URL: Final = 2_000
# Without what means something in a web server's configuration or in a header.
_URL: Final = re.compile(
    r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~:/?#@!&+,=%-]*)?"
)


class Stated(NamedTuple):
    """A redirect as a row states it, at a place in its metadata.

    `target` is empty where it leads to the page itself, or the status is GONE.
    """

    source: str
    target: str
    status: int
    pointer: str


def has_redirects(row: PageRow) -> bool:
    """Whether a row states redirects, right or wrong."""
    metadata = row.metadata
    return isinstance(metadata, dict) and (FROM in metadata or LIST in metadata)


def read_redirects(row: PageRow) -> tuple[list[Stated], list[ValueProblem]]:
    """A row's redirects that are right by themselves, and what is wrong with the others."""
    stated: list[Stated] = []
    wrong: list[ValueProblem] = []
    metadata = row.metadata if isinstance(row.metadata, dict) else {}
    is_frame = frame_setting(row) is True
    for name, belongs_to_frame, remedy in (
        (FROM, False, "a frame has no route to lead to: write `redirects`, each with from and to"),
        (LIST, True, "it belongs into a frame's metadata; of this page, write `redirect_from`"),
    ):
        if name not in metadata:
            continue
        if is_frame is not belongs_to_frame:
            owner = "a frame" if is_frame else "a page"
            wrong.append(ValueProblem(json_pointer(name), f"`{name}` stands in {owner}", remedy))
            continue
        for found in _entries(name, metadata[name]):
            (stated if isinstance(found, Stated) else wrong).append(found)  # type: ignore[arg-type] # mypy joins the lists
    return stated, wrong


def _entries(name: str, value: Json) -> Iterator[Stated | ValueProblem]:
    example = '["/old/"]' if name == FROM else '[{"from": "/old/", "to": "/new/"}]'
    at = json_pointer(name)
    if not isinstance(value, list):
        yield ValueProblem(at, "expected a list of redirects", f"such as {example}")
        return
    if len(value) > _MOST:
        yield ValueProblem(at, f"has {len(value):,} redirects", f"use at most {_MOST:,}")
        return
    for index, each in enumerate(value):
        yield _entry(name, each, at + json_pointer(index))


def _entry(name: str, value: Json, at: str) -> Stated | ValueProblem:
    if name == FROM and isinstance(value, str):
        value = {"from": value}
    known = ("from", "status") if name == FROM else ("from", "to", "status")
    if not isinstance(value, dict):
        return ValueProblem(at, "a redirect is an object", 'such as {"from": "/old/"}')
    if unknown := [each for each in value if each not in known]:
        what = f"a redirect has no {printable(unknown[0])} here"
        return ValueProblem(at + json_pointer(unknown[0]), what, f"it has: {listed(known, 3)}")
    source = value.get("from")
    if wrong := _path_problem(source):
        return ValueProblem(at + "/from", *wrong)
    if source == "/":
        what = "/ always has a page: the node's index, where no other"
        return ValueProblem(at + "/from", what, "give the page that shall stand there the route /")
    status = value.get("status", 301)
    allowed = _STATUSES if name == FROM else (*_STATUSES, GONE)
    if isinstance(status, bool) or status not in allowed:
        remedy = f"write {', '.join(map(str, allowed[:-1]))} or {allowed[-1]}"
        return ValueProblem(at + "/status", "the status is not that of a redirect", remedy)
    target = value.get("to")
    if name == LIST and (wrong := _target_problem(target, str(source), gone=status == GONE)):
        return ValueProblem(at + "/to", *wrong)
    return Stated(str(source), "" if target is None else str(target), int(str(status)), at)


def _path_problem(path: Json) -> tuple[str, str] | None:
    if not isinstance(path, str):
        return "expected a path", "such as /old/ or /old/*"
    bare = path[:-1] if path.endswith(WILDCARD) else path
    if "*" in bare:
        return "a * stands elsewhere than alone at the end", "write it as in /old/*"
    return route_problem(bare)


def _target_problem(target: Json, source: str, *, gone: bool) -> tuple[str, str] | None:
    if gone:
        return None if target is None else ("status 410 leads nowhere", "leave `to` out")
    if not isinstance(target, str):
        return "it says not where it leads", "write a route or an https URL; or status 410"
    if target.endswith(WILDCARD) and not source.endswith(WILDCARD):
        return "a * in `to` needs one in `from`", "write from as in /old/*"
    if target.startswith("/") and not target.startswith("//"):
        return _path_problem(target)
    bare = target.removesuffix("*")
    if len(target) > _LONGEST_URL or not _URL.fullmatch(bare):
        what = f"{printable(target)} is neither a route nor an https URL"
        return what, "write /new/ or https://other.example/new/, other letters percent-encoded"
    if bare != target and (not bare.endswith("/") or "?" in bare or "#" in bare):
        return "a * stands elsewhere than alone at the end of the path", "write it as in /new/*"
    return None
