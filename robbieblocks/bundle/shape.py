"""Finds the component in a stored text, and completes the text to a module that exports it.

People store four shapes: a module with a default export, one whose named export is the
component, a bare declaration, and a bare JSX fragment that reads `props`. Nothing that is added
moves a line: imports and exports go behind the text, where they hold as well, and what must
stand in front of an expression stays on its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from robbieblocks.bundle.findings import Declaration, Expression, Import, Place, Syntax
from robbieblocks.bundle.syntax import MAX_DEPTH, read
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow, sha256


@dataclass(frozen=True, slots=True)
class Shift:
    """On `line` (from 1), compiled columns past `column` stand `by` further right than stored."""

    line: int
    column: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A component's text as it is compiled.

    `subsets` maps the specifiers that stand for a part of a package to the package and the names.
    `exports` are the names that other components can import, `*` where they can't be told.
    `broken`: the tree has errors, esbuild words them.
    """

    source: str
    subsets: Mapping[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    imports: tuple[Import, ...] = ()
    exports: frozenset[str] = frozenset()
    styles: frozenset[str] = frozenset()
    computes_styles: bool = False
    problems: tuple[Problem, ...] = ()
    shift: Shift | None = None
    candidates: frozenset[str] = frozenset()
    broken: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """Either text to append, or the expression to make a component of."""

    append: str = ""
    before: str = ""
    after: str = ""
    expression: Expression | None = None


def analyse(row: ComponentRow, react: Collection[str], by_name: Collection[str] = ()) -> Shape:
    """The shape of a component.

    `react` are the names that React exports: they need no import. `by_name` are packages of which
    a component gets a module with just the names that it imports.
    """
    syntax = read(row.code)
    if syntax.too_deep:
        what = f"the text nests deeper than {MAX_DEPTH:,} levels"
        return Shape(source="", problems=(problem(row, None, what, "nest it less deeply"),))
    problems = _forbidden(row, syntax)
    chosen = _choose(row, syntax)
    siblings = syntax.broken and _is_siblings(row.code)
    if siblings:
        problems.append(problem(row, Place(1, 1, 0), *_SIBLINGS))
    elif isinstance(chosen, Problem) and not syntax.broken:
        # A text that does not parse has no shape; the syntax error is the thing to report.
        problems.append(chosen)
    if isinstance(chosen, Problem):
        chosen = _Choice()
    append = chosen.append + _react_imports(syntax, react)
    subsets = {
        subset_specifier(package, names): (package, names)
        for package, names in _by_name(syntax, by_name).items()
    }
    rename = {package: specifier for specifier, (package, _) in subsets.items()}
    source, shift = _completed(syntax, chosen, append, rename)
    return Shape(
        source=source,
        imports=tuple(syntax.imports),
        exports=_exports(syntax, chosen),
        styles=syntax.styles,
        computes_styles=syntax.computes_styles,
        problems=tuple(problems),
        subsets=subsets,
        shift=shift,
        candidates=syntax.words,
        broken=syntax.broken and not siblings,
    )


def _exports(syntax: Syntax, chosen: _Choice) -> frozenset[str]:
    made = {"default"} if chosen != _Choice() else set()
    return frozenset({*syntax.exports, *made, *({"*"} if syntax.exports_all else ())})


def subset_specifier(package: str, names: Collection[str]) -> str:
    """What a component's import of some names of a package is called: `lucide-react/~<hash>`."""
    return f"{package}/~{sha256(','.join(sorted(names)))[:12]}"


def problem(row: ComponentRow, place: Place | None, what: str, remedy: str = "") -> Problem:
    """A Problem in the component's code, with the stored line quoted."""
    if place is None:
        return Problem(
            entity="component", key=row.key, field="react_code", what=what, remedy=remedy
        )
    lines = row.code.split("\n")
    return Problem(
        entity="component",
        key=row.key,
        field="react_code",
        what=what,
        remedy=remedy,
        line=place.line,
        column=place.column,
        source=lines[place.line - 1].rstrip("\r") if place.line <= len(lines) else "",
    )


def _forbidden(row: ComponentRow, syntax: Syntax) -> list[Problem]:
    """What can't work in a component, wherever it stands in the text."""
    remedy = 'import at the top instead: `import x from "..."`'
    found = [problem(row, at, "import() is not available here", remedy) for at in syntax.dynamic]
    found += [problem(row, at, "require() is not available here", remedy) for at in syntax.requires]
    found += [
        problem(row, at, "import.meta is not available here", "a component has no address")
        for at in syntax.meta
    ]
    return found


def _choose(row: ComponentRow, syntax: Syntax) -> _Choice | Problem:
    if "default" in syntax.exports:
        return _Choice()
    if syntax.exports:
        return _named_export(row, syntax)
    return _bare(row, syntax)


_SIBLINGS = (
    "there are several JSX elements side by side",
    "put them into one fragment: <>...</>",
)


def _is_siblings(code: str) -> bool:
    """Whether the text is broken only in that its elements have no parent."""
    if not code.lstrip().startswith("<"):
        return False
    enclosed = read(f"<>{code}</>")
    return not enclosed.broken and len(enclosed.jsx) > 1


def _named_export(row: ComponentRow, syntax: Syntax) -> _Choice | Problem:
    declared = {each.name: each for each in syntax.declarations}
    exported: list[Declaration] = []
    for name, local in syntax.exports.items():
        known = declared.get(local or "")
        if known is not None:
            exported.append(known)
        elif local is not None:  # an imported name that is exported again
            exported.append(Declaration(name=local, likeness="perhaps", start=0, end=0))
        else:
            return problem(
                row,
                None,
                f"the component seems to be {name}, which is exported from another module",
                "import it, and export it with `export default`",
            )
    if not _candidates(syntax, exported):
        return _Choice()  # a store or a hook for others to import; no page can place it
    chosen = _pick(row, syntax, exported, "exports")
    if isinstance(chosen, Problem):
        return chosen
    return _Choice(append=f"export{{{chosen.name} as default}};")


def _bare(row: ComponentRow, syntax: Syntax) -> _Choice | Problem:
    if syntax.common_js is not None:
        return problem(
            row,
            syntax.common_js,
            "module.exports is CommonJS; components are ES modules",
            "write `export default` instead",
        )
    jsx = [each for each in syntax.expressions if each.kind == "jsx"]
    if len(jsx) > 1:
        return problem(
            row,
            jsx[1].place,
            *_SIBLINGS,
        )
    if jsx:
        return _Choice(
            before="export default function Fragment(props){return ",
            after="}",
            expression=jsx[0],
        )
    anonymous = [each for each in syntax.expressions if each.kind == "component"]
    if len(anonymous) == 1 and not any(_likely(syntax, each) for each in syntax.declarations):
        return _Choice(before="export default (", after=")", expression=anonymous[0])
    chosen = _pick(row, syntax, syntax.declarations, "declares")
    if isinstance(chosen, Problem):
        return chosen
    return _Choice(append=f"export{{{chosen.name} as default}};")


def _likely(syntax: Syntax, each: Declaration) -> bool:
    return each.likeness == "component" and (each.name[:1].isupper() or syntax.has_jsx(each))


def _pick(
    row: ComponentRow, syntax: Syntax, among: list[Declaration], verb: str
) -> Declaration | Problem:
    """The one declaration that is the component: by its kind, its name, or its being used last."""
    candidates = _candidates(syntax, among)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return problem(
            row,
            None,
            "no component was found in the text",
            "store a function or class that returns JSX, with `export default` before it",
        )
    wanted = {_plain(row.key), _plain(row.name)}
    named = [each for each in candidates if _plain(each.name) in wanted]
    unused = [each for each in candidates if not _used_elsewhere(syntax, each)]
    for group in (named, unused):
        if len(group) == 1:
            return group[0]
    names = ", ".join(each.name for each in candidates)
    return problem(
        row,
        None,
        f"the text {verb} several components: {names}",
        "put `export default` before the one that blocks show",
    )


def _candidates(syntax: Syntax, among: list[Declaration]) -> list[Declaration]:
    """The likeliest of the declarations, as far as any may be a component."""
    capital = [each for each in among if each.name[:1].isupper()]
    groups = (
        [each for each in capital if each.likeness == "component"],
        [each for each in capital if each.likeness == "perhaps"],
        [each for each in among if each.likeness == "component" and syntax.has_jsx(each)],
        [each for each in among if each.likeness == "component" and not _HOOK.match(each.name)],
    )
    return next((group for group in groups if group), [])


_HOOK = re.compile(r"use[A-Z]")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _used_elsewhere(syntax: Syntax, candidate: Declaration) -> bool:
    """Whether another declaration uses it: then it is a part, not the whole."""
    return any(
        name == candidate.name
        and not candidate.start <= offset < candidate.end
        and any(each.start <= offset < each.end for each in syntax.declarations)
        for name, offset in syntax.names
    )


def _react_imports(syntax: Syntax, react: Collection[str]) -> str:
    """Imports for React's names that the text uses and neither imports nor declares."""
    free = {name for name, _ in syntax.names} - syntax.top_level
    hooks = sorted(free.intersection(react) - {"default"})
    # Always there for the classic JSX pragma; esbuild drops it where nothing uses it.
    text = "" if "React" in syntax.top_level else 'import*as React from"react";'
    if hooks:
        text += f'import{{{",".join(hooks)}}}from"react";'
    return text


def _completed(
    syntax: Syntax, chosen: _Choice, append: str, rename: Mapping[str, str]
) -> tuple[str, Shift | None]:
    """The text with what is added or renamed, and where that moved columns."""
    shift = None
    edits = [
        (each.start, each.end, rename[each.specifier].encode())
        for each in syntax.imports
        if each.specifier in rename
    ]
    if chosen.expression is not None:
        at = chosen.expression
        edits.append((at.start, at.start, chosen.before.encode()))
        edits.append((at.end, at.end, chosen.after.encode()))
        shift = Shift(at.place.line, at.place.column, len(chosen.before))
    text = syntax.text
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    source = text.decode("utf-8", "replace")
    return (f"{source}\n;{append}" if append else source), shift


def _by_name(syntax: Syntax, packages: Collection[str]) -> dict[str, frozenset[str]]:
    """Of packages that come by name: package to the names used, where a text needs no more."""
    used: dict[str, frozenset[str]] = {}
    whole: set[str] = set()
    for each in syntax.imports:
        if each.specifier in packages:
            if not each.names:
                whole.add(each.specifier)
            else:
                used[each.specifier] = used.get(each.specifier, frozenset()) | each.names
    return {package: names for package, names in used.items() if package not in whole}
