"""Finds the component in a stored text, and what makes the text export it.

People store four kinds of text: a module with a default export, one whose named export is the
component, a bare declaration, and a bare expression (JSX that reads `props`, or a function).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from robbieblocks.bundle.analysis.parsing import parse
from robbieblocks.bundle.analysis.spans import Spans
from robbieblocks.bundle.analysis.syntax import Declaration, Expression, Syntax, code_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import listed
from robbieblocks.model import ComponentRow

SIBLINGS: Final = (
    "there are several JSX elements side by side",
    "put them into one fragment: <>...</>",
)
# What stands before and after the props of a bare expression.
FRAGMENT: Final = ("export default function Fragment(props", "){return ")
JSON_REMEDY: Final = "store code here: JSON belongs into props, props_schema or settings"
_TYPES: Final = re.compile(r"\b(?:type|interface)\s")
_SINGLE_FILE: Final = re.compile(r"\s*+<(?:template|script|style)\b")
_HOOK: Final = re.compile(r"use[A-Z]")


@dataclass(frozen=True, slots=True)
class Completion:
    """Text to append to a module, or an expression and what to put before and after it."""

    append: str = ""
    before: str = ""
    after: str = ""
    expression: Expression | None = None


NOTHING: Final = Completion()


def choose(row: ComponentRow, syntax: Syntax) -> Completion | Problem:
    """What makes the text export its component by default, or why that can't be told."""
    if "default" in syntax.exports:
        return NOTHING
    if syntax.exports:
        return _named_export(row, syntax)
    return _bare(row, syntax)


def are_siblings(code: str) -> bool:
    """Whether the only syntax error of a text is that its elements have no parent.

    A file of Vue or Svelte has another fault.
    """
    if _SINGLE_FILE.match(code):
        return False
    if not code.lstrip().startswith("<"):
        return False
    enclosed = parse(f"<>{code}</>")
    return not enclosed.broken and len(enclosed.jsx_offsets) > 1


def _named_export(row: ComponentRow, syntax: Syntax) -> Completion | Problem:
    declared = {each.name: each for each in syntax.declarations}
    exported: list[Declaration] = []
    for name, local in syntax.exports.items():
        declaration = declared.get(local or "")
        if declaration is not None:
            exported.append(declaration)
        elif local is not None:  # an imported name that is exported again
            exported.append(Declaration(name=local, likelihood="perhaps", start=0, end=0))
        else:
            return code_problem(
                row,
                None,
                f"the component seems to be {name}, which is exported from another module",
                "import it, and export it with `export default`",
            )
    if not _candidates(syntax, exported):
        return NOTHING  # a store or a hook for others to import; no page can place it
    return _exported(_pick(row, syntax, exported, "exports"))


def _bare(row: ComponentRow, syntax: Syntax) -> Completion | Problem:
    jsx = [each for each in syntax.expressions if each.kind == "jsx"]
    if len(jsx) > 1:
        return code_problem(row, jsx[1].position, *SIBLINGS)
    if jsx:
        return Completion(before="".join(FRAGMENT), after="}", expression=jsx[0])
    anonymous = [each for each in syntax.expressions if each.kind == "component"]
    if len(anonymous) == 1 and not any(_is_likely(syntax, each) for each in syntax.declarations):
        return Completion(before="export default (", after=")", expression=anonymous[0])
    return _exported(_pick(row, syntax, syntax.declarations, "declares"))


def _exported(chosen: Declaration | Problem) -> Completion | Problem:
    if isinstance(chosen, Problem):
        return chosen
    return Completion(append=f"export{{{chosen.name} as default}};")


def _is_likely(syntax: Syntax, each: Declaration) -> bool:
    return each.likelihood == "component" and (each.name[:1].isupper() or syntax.has_jsx(each))


def _pick(
    row: ComponentRow, syntax: Syntax, among: list[Declaration], verb: str
) -> Declaration | Problem:
    """The one declaration that is the component: by its kind, its name, or its being unused."""
    candidates = _candidates(syntax, among)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return _none(row, syntax)
    wanted = {_plain(row.key), _plain(row.name)}
    named = [each for each in candidates if _plain(each.name) in wanted]
    places = _places_of_use(syntax)
    unused = [each for each in candidates if not _is_used(each, places)]
    for group in (named, unused):
        if len(group) == 1:
            return group[0]
    names = listed([each.name for each in candidates])
    return code_problem(
        row,
        None,
        f"the text {verb} several components: {names}",
        "put `export default` before the one that blocks show",
    )


def _none(row: ComponentRow, syntax: Syntax) -> Problem:
    what = "no component was found in the text"
    remedy = "store a function or class that returns JSX, with `export default` before it"
    if syntax.returns is not None:
        what = "there is a `return` outside of a function"
        remedy = "leave `return` out of JSX alone, or write function Block(props) { ... } around"
    elif is_json(row.code):
        what, remedy = f"{what}: it is JSON", JSON_REMEDY
    elif not (syntax.declarations or syntax.expressions) and _TYPES.search(row.code):
        remedy = 'give it the type "module": then other components import its types'
    return code_problem(row, syntax.returns, what, remedy)


def is_json(code: str) -> bool:
    """Whether a text is an object or list of JSON."""
    if not code.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(code)
    except (ValueError, RecursionError):
        return False
    return True


def _candidates(syntax: Syntax, among: list[Declaration]) -> list[Declaration]:
    """The likeliest of the declarations, as far as any may be a component."""
    capital = [each for each in among if each.name[:1].isupper()]
    likely = [each for each in among if each.likelihood == "component"]
    groups = (
        [each for each in capital if each.likelihood == "component"],
        [each for each in capital if each.likelihood == "perhaps"],
        [each for each in likely if syntax.has_jsx(each)],
        [each for each in likely if not _HOOK.match(each.name)],
    )
    return next((group for group in groups if group), list[Declaration]())


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _places_of_use(syntax: Syntax) -> dict[str, tuple[int, int]]:
    """Where declarations have each name first, and where last."""
    inside = Spans((each.start, each.end) for each in syntax.declarations)
    places: dict[str, tuple[int, int]] = {}
    for name, offset in syntax.identifiers:
        if offset in inside:
            first, last = places.get(name, (offset, offset))
            places[name] = min(first, offset), max(last, offset)
    return places


def _is_used(candidate: Declaration, places: Mapping[str, tuple[int, int]]) -> bool:
    """Whether another declaration uses it: then it is a part of the component."""
    place = places.get(candidate.name)
    return place is not None and (place[0] < candidate.start or place[1] >= candidate.end)
