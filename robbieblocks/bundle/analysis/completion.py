"""Completes a stored text to a module that exports its component.

No line moves: imports and exports are appended, where they hold as well, and what must stand in
front of an expression is put on the expression's line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from robbieblocks.bundle.analysis.component_choice import (
    NOTHING,
    SIBLINGS,
    Completion,
    are_siblings,
    choose,
)
from robbieblocks.bundle.analysis.parsing import MAX_DEPTH, parse
from robbieblocks.bundle.analysis.syntax import Import, SourcePosition, Syntax, code_problem
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow, sha256


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """On `line` (from 1), compiled columns past `column` are by `by` larger than stored ones."""

    line: int
    column: int
    by: int

    def stored_column(self, line: int, column: int) -> int:
        """The column in the stored text of a place in the compiled one; lines are the same."""
        if line != self.line or column < self.column:
            return column
        return max(self.column, column - self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a component's text says, and `source`, the module to compile.

    `subsets` maps specifiers that stand for a part of a package to the package and the names.
    `exports` are the names that other components can import, `*` where they can't be told.
    `unused_imports` are those that esbuild drops, and of which the text makes no use at all.
    `words` may be class names; `classes`, `styles` and `computes_styles` are those of `Syntax`.
    With `broken` the text has syntax errors, for which esbuild has the messages. `unplaceable` says
    why no block can show it, although others may import what it exports.
    """

    source: str
    subsets: Mapping[str, tuple[str, frozenset[str]]] = field(
        default_factory=dict[str, tuple[str, frozenset[str]]]
    )
    imports: tuple[Import, ...] = ()
    unused_imports: tuple[Import, ...] = ()
    exports: frozenset[str] = frozenset()
    styles: frozenset[str] = frozenset()
    computes_styles: bool = False
    problems: tuple[Problem, ...] = ()
    unplaceable: Problem | None = None
    shift: ColumnShift | None = None
    words: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    broken: bool = False


def analyse(
    row: ComponentRow, react_names: Collection[str], by_name: Collection[str] = ()
) -> Analysis:
    """Analyse a component's text.

    `react_names` are the names that React exports: they need no import. `by_name` are packages of
    which a component gets a module with only the names that it imports.
    """
    syntax = parse(row.code)
    if syntax.too_deep:
        what = f"the text nests deeper than {MAX_DEPTH:,} levels"
        return Analysis(source="", problems=(code_problem(row, None, what, "nest it less deeply"),))
    problems = _forbidden(row, syntax)
    completion = NOTHING if row.is_module else choose(row, syntax)
    siblings = syntax.broken and are_siblings(row.code)
    if siblings:
        problems.append(code_problem(row, SourcePosition(1, 1), *SIBLINGS))
    unplaceable: Problem | None = None
    if isinstance(completion, Problem):
        # Of a text with a syntax error, that error is the thing to report.
        if not (siblings or syntax.broken or _exports_common_js(syntax) or _is_fenced(row.code)):
            if syntax.exports or syntax.exports_all:
                unplaceable = completion
            else:
                problems.append(completion)
        completion = NOTHING
    problems += _warnings(row, syntax)
    subsets = {
        subset_specifier(package, names): (package, names)
        for package, names in _imported_by_name(syntax, by_name).items()
    }
    rename = {package: specifier for specifier, (package, _) in subsets.items()}
    source, shift = _completed(syntax, completion, _react_imports(syntax, react_names), rename)
    return Analysis(
        source=source,
        imports=tuple(syntax.imports),
        unused_imports=tuple(syntax.unused_imports),
        exports=_exports(syntax, completion),
        styles=syntax.styles,
        computes_styles=syntax.computes_styles,
        problems=tuple(problems),
        unplaceable=unplaceable,
        subsets=subsets,
        shift=shift,
        words=syntax.words,
        classes=syntax.classes,
        broken=syntax.broken and not siblings,
    )


def subset_specifier(package: str, names: Collection[str]) -> str:
    """The specifier for some names of a package: `lucide-react/~<hash>`."""
    return f"{package}/~{sha256(','.join(sorted(names)))[:12]}"


def _forbidden(row: ComponentRow, syntax: Syntax) -> list[Problem]:
    """What can't work in a component, wherever it stands in the text."""
    import_it = 'import at the top instead: `import X from "@robbieblocks/<component-key>"`'
    write_it = "write the value, or take it as a prop: a component has no address or environment"
    export_it = "write `export default` instead: a component is an ES module"
    fence = (SourcePosition(1, 1),) if _is_fenced(row.code) else ()
    first = (SourcePosition(1, 1),) if row.code.lstrip("\ufeff").startswith("#!") else ()
    return [
        code_problem(row, position, f"{what} is not available here", remedy)
        for positions, what, remedy in (
            (fence, "a line with ```", "take away the lines with ```: they are Markdown's"),
            (first, "a first line for the shell (#!)", "remove it: browsers run the code"),
            (syntax.dynamic_imports, "import()", import_it),
            (syntax.import_metas, "import.meta", write_it),
            (syntax.common_js.get("require", ()), "require", import_it),
            (syntax.common_js.get("module", ()), "module", export_it),
            (syntax.common_js.get("exports", ()), "exports", export_it),
        )
        for position in positions
    ]


def _warnings(row: ComponentRow, syntax: Syntax) -> list[Problem]:
    """What works, and does not do what it seems to."""
    found = [
        code_problem(row, syntax.position(each.offset), each.what, each.remedy, "warning")
        for each in syntax.doubts
    ]
    if not any("@import" in text for text in syntax.styles):
        return found
    what = "@import in a <style> loads nothing: pages fetch no styles from elsewhere"
    remedy = "name fonts in style tokens (font.*), and put other rules here"
    offset = syntax.text.find(b"@import")
    return [*found, code_problem(row, syntax.position(offset), what, remedy, "warning")]


def _is_fenced(code: str) -> bool:
    """Whether a text is in a Markdown fence: JavaScript takes that for templates."""
    return code.lstrip().startswith("```")


def _exports_common_js(syntax: Syntax) -> bool:
    return bool(syntax.common_js.get("module") or syntax.common_js.get("exports"))


def _exports(syntax: Syntax, completion: Completion) -> frozenset[str]:
    added = {"default"} if completion != NOTHING else set[str]()
    return frozenset({*syntax.exports, *added, *({"*"} if syntax.exports_all else ())})


def _react_imports(syntax: Syntax, react_names: Collection[str]) -> str:
    """Imports for React's names that the text uses and neither imports nor declares."""
    free = {name for name, _ in syntax.identifiers} - syntax.top_level
    used = sorted(free.intersection(react_names) - {"default"})
    # Always there for the classic JSX pragma; esbuild drops it where nothing uses it.
    text = "" if "React" in syntax.top_level else 'import*as React from"react";'
    if used:
        text += f'import{{{",".join(used)}}}from"react";'
    return text


def _completed(
    syntax: Syntax, completion: Completion, react_imports: str, rename: Mapping[str, str]
) -> tuple[str, ColumnShift | None]:
    """The completed text with packages renamed, and how that moved columns."""
    shift = None
    edits = [
        (each.start, each.end, rename[each.specifier].encode())
        for each in syntax.imports
        if each.specifier in rename
    ]
    if completion.expression is not None:
        at = completion.expression
        edits.append((at.start, at.start, completion.before.encode()))
        edits.append((at.end, at.end, completion.after.encode()))
        shift = ColumnShift(at.position.line, at.position.column, len(completion.before))
    parts: list[bytes] = []
    done = 0
    for start, end, replacement in sorted(edits):
        parts += (syntax.text[done:start], replacement)
        done = end
    source = b"".join((*parts, syntax.text[done:])).decode("utf-8", "replace")
    append = completion.append + react_imports
    return (f"{source}\n;{append}" if append else source), shift


def _imported_by_name(syntax: Syntax, packages: Collection[str]) -> dict[str, frozenset[str]]:
    """The names used of each such package, except where a text needs the whole package."""
    used = defaultdict[str, set[str]](set)
    whole: set[str] = set()
    for each in syntax.imports:
        if each.specifier in packages:
            if not each.names:
                whole.add(each.specifier)
            else:
                used[each.specifier].update(each.names)
    return {package: frozenset(names) for package, names in used.items() if package not in whole}
