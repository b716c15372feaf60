"""Files with mistakes: which rows they may hold, and which of the mistakes the base does not have.

What such a file says is not known, so the rows that it may hold count as they are in the base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks.check_rules import RULES
from robbieblocks.content import (
    Component,
    Content,
    ContentRow,
    Media,
    Page,
    RowName,
    Token,
    is_of_example,
    is_packaged,
    toml_of,
)
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import listed
from robbieblocks.model import NodeRow
from robbieblocks.review.values import NewFinding

_EXAMPLES_RULE: Final = "wrong-example"
_KINDS: Final = {"pages": "page", "components": "component", "tokens": "token", "media": "media"}
_NAMED_MAX: Final = 4


class Folders(NamedTuple):
    """Where the rows of one side are read."""

    content: Path
    branding: Path


class _Place(NamedTuple):
    """A file, or the folder of a component, in the same words on both sides."""

    kind: str
    name: str = ""


def kept_rows(
    problems: Sequence[Problem], folders: Folders, there: Content, before: Content, of: Folders
) -> dict[RowName, ContentRow]:
    """The rows of the base, read in the folders `of`, that files with these mistakes may hold.

    `there` is what the other files hold. A file that the base does not have may hold any row of its
    kind: it may have been renamed.
    """
    broken = {
        _place(folders.content.parent / each.key, folders)
        for each in problems
        if not is_of_example(each)
    }
    if not broken:
        return {}
    places = {
        name: _places(row, before, of)
        for name, row in before.rows().items()
        if not is_packaged(row)
    }
    renamed = {place.kind for place in broken.difference(*places.values())}
    known = there.rows()
    rows = {name: row for name, row in before.rows().items() if name not in known}
    kept = {
        name: row
        for name, row in rows.items()
        if name in places and (renamed & {"", name.kind} or broken & places[name])
    }
    # One of the package comes along with a page that places it.
    pages = [row for row in kept.values() if isinstance(row, Page)]
    placed = {block.component for page in pages for block in page.blocks}
    return kept | {
        name: row for name, row in rows.items() if is_packaged(row) and name.key in placed
    }


def kept_note(kept: Mapping[RowName, ContentRow]) -> tuple[str, ...]:
    """What is to be said of rows that count as they are in the base."""
    if not kept:
        return ()
    names = listed([f"{name.kind} {name.key}" for name in kept], _NAMED_MAX)
    what = "counts as it is" if len(kept) == 1 else "count as they are"
    return (f"a file has a mistake, so what it holds is not known: {names} {what} in the base",)


def new(
    before: Sequence[Problem], after: Sequence[Problem], checks: Mapping[str, str]
) -> Iterator[NewFinding]:
    """The mistakes that the base does not have; `checks` are the settings' levels of rules."""
    known = {_text(each) for each in before}
    level = checks.get(
        _EXAMPLES_RULE, next(each.level for each in RULES if each.name == _EXAMPLES_RULE)
    )
    severity: Severity = "error" if level == "error" else "warning"
    for each in after:
        if _text(each) in known:
            continue
        if not is_of_example(each):
            yield NewFinding(rule="file", problem=each)
        elif level != "off":
            yield NewFinding(rule=_EXAMPLES_RULE, problem=replace(each, severity=severity))


def mended(before: Sequence[Problem], after: Sequence[Problem]) -> tuple[Problem, ...]:
    """The mistakes that only the base has."""
    left = {_text(each) for each in after}
    return tuple(each for each in before if _text(each) not in left)


def _text(problem: Problem) -> tuple[str, str, str]:
    """What makes a mistake the same, wherever edits above it have moved it to."""
    return problem.key, problem.field, problem.what


def _place(file: Path, folders: Folders) -> _Place:
    """A file's place; one of no kind where it may hold anything."""
    if file.is_relative_to(folders.branding):
        return _Place("node", file.relative_to(folders.branding).as_posix())
    if not file.is_relative_to(folders.content):
        return _Place("")
    first, *rest = (*file.relative_to(folders.content).parts, "")
    kind = _KINDS.get(first.removesuffix(".toml"), "")
    if kind == "token":
        return _Place(kind)
    return _Place(kind, rest[0]) if kind and rest[0] else _Place("")


def _places(row: ContentRow, content: Content, folders: Folders) -> set[_Place]:
    match row:
        case Token():
            return {_Place("token")}
        case NodeRow():
            file = content.node_files.get(row.id)
            return {_place(file, folders)} if file else set()
        case Component():
            return {_place(row.file, folders)}
        case Media():
            return {_place(file, folders) for file in (row.file, toml_of(row.file))}
        case Page():
            texts = (place.file for block in row.blocks for place in block.texts.values())
            return {_place(file, folders) for file in (row.file, *texts)}
