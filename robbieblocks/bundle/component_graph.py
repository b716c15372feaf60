"""Checks how components import each other, and finds those that can't be shown for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from robbieblocks.bundle.analysis import SourcePosition, code_problem
from robbieblocks.bundle.components import MAX_PROBLEMS, Component, ComponentImport, Components
from robbieblocks.errors import Problem
from robbieblocks.messages import listed, nearest
from robbieblocks.model import ComponentRow, component_specifier, importers, reachable

# The page's own script has this specifier.
RESERVED_KEY: Final = "-runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Components by key: `good` ones, those that are `broken`, and why, all in the keys' order.

    `broken` also has the keys of components that are missing, not published, or import a broken
    one, and of good ones that pages place although they export no component. `causes` are, for each
    of them, its own errors and those of all that it imports.
    """

    good: Mapping[str, Component]
    broken: frozenset[str]
    problems: tuple[Problem, ...]
    causes: Mapping[str, tuple[Problem, ...]]


def with_imported(
    rows: Mapping[str, ComponentRow], placed: Collection[str], components: Components
) -> dict[str, Component]:
    """The placed components and those that they import, level by level. Raises Transient."""
    found: dict[str, Component] = {}
    level: set[str] = {key for key in placed if key in rows}
    while level:
        found |= components.of([rows[key] for key in sorted(level)])
        imported = {name for key in level for name in found[key].imports}
        level = {key for key in imported if key in rows and key not in found}
    return found


def checked(
    rows: Mapping[str, ComponentRow], placed: Collection[str], found: Mapping[str, Component]
) -> Checked:
    """The components that can be shown, and what is wrong with the others."""
    broken = {key for key, component in found.items() if component.broken}
    broken |= {key for key in placed if key not in rows or not rows[key].published}
    problems = [each for key in sorted(found) for each in found[key].problems]
    if RESERVED_KEY in found:
        what = f"{RESERVED_KEY} is reserved for the page's own script"
        problems.append(
            Problem(entity="component", key=RESERVED_KEY, what=what, remedy="rename it")
        )
        broken.add(RESERVED_KEY)
    for each in _bad_imports(rows, found):
        problems.append(each)
        broken.add(each.key)
    cycles = _cycles(found)
    for keys, entry in sorted(cycles.items()):
        what = f"components import each other: {' -> '.join((*keys, keys[0]))}"
        remedy = "move what both need into a third component"
        problems.append(_import_problem(rows[keys[0]], entry, what, remedy))
    broken.update(*cycles)
    broken = importers(broken, found)
    good = {key: found[key] for key in sorted(found) if key not in broken}
    # Others may import what it exports: only pages that place it are held back.
    for key in sorted(good.keys() & set(placed)):
        if (problem := good[key].unplaceable) is not None:
            problems.append(problem)
            broken.add(key)
    return Checked(
        good=good,
        broken=frozenset(broken),
        problems=tuple(problems),
        causes={key: _causes(key, found, problems) for key in broken},
    )


def _causes(
    key: str, found: Mapping[str, Component], problems: Sequence[Problem]
) -> tuple[Problem, ...]:
    reached = {key, *reachable([key], found)}
    return tuple(each for each in problems if each.severity == "error" and each.key in reached)


def _bad_imports(
    rows: Mapping[str, ComponentRow], found: Mapping[str, Component]
) -> Iterator[Problem]:
    """Imports of components that don't exist, are not published, or lack the name."""
    for key, component in sorted(found.items()):
        yield from islice(_bad_imports_of(component, rows[key], rows, found), MAX_PROBLEMS)


def _bad_imports_of(
    component: Component,
    row: ComponentRow,
    rows: Mapping[str, ComponentRow],
    found: Mapping[str, Component],
) -> Iterator[Problem]:
    for each in component.component_imports:
        imported = rows.get(each.key)
        if imported is None:
            near = nearest(each.key, rows, most=1)
            remedy = f"did you mean @robbieblocks/{near[0]}?" if near else "check the key"
            yield _import_problem(row, each, f"there is no component {each.key}", remedy)
        elif not imported.published:
            remedy = f"publish {each.key}, or leave the import out"
            what = f"the component {each.key} is not published"
            yield _import_problem(row, each, what, remedy)
        elif not found[each.key].broken:
            yield from _missing_names(row, each, found[each.key].exports)


def _missing_names(
    row: ComponentRow, imported: ComponentImport, exports: frozenset[str]
) -> Iterator[Problem]:
    for name in imported.names or ():
        if name in exports or ("*" in exports and name != "default"):
            continue
        specifier = component_specifier(imported.key)
        others = listed(sorted(exports - {"default", "*"}))
        if name == "default":
            what = f"{specifier} exports no component"
            remedy = f'import what it has: import {{ {others} }} from "{specifier}"'
        else:
            what = f"{specifier} has no export {name}"
            remedy = f'its component is the default export: import {name} from "{specifier}"'
            if others:
                remedy += f"; besides, it exports {others}"
        yield _import_problem(row, imported, what, remedy)


def _import_problem(
    row: ComponentRow, imported: ComponentImport, what: str, remedy: str
) -> Problem:
    return code_problem(row, SourcePosition(imported.line, imported.column), what, remedy)


def _cycles(found: Mapping[str, Component]) -> dict[tuple[str, ...], ComponentImport]:
    """Each cycle of imports once, from its alphabetically first key, with that one's import."""
    cycles: dict[tuple[str, ...], ComponentImport] = {}
    done: set[str] = set()
    for start in sorted(found):
        path: dict[str, None] = {}
        # Depth first: one iterator over imports for each key on the path.
        pending = [iter([start])]
        while pending:
            key = next(pending[-1], None)
            if key is None:
                pending.pop()
                if path:
                    done.add(path.popitem()[0])
            elif key in path:
                keys = _cycle(path, key)
                imports = found[keys[0]].component_imports
                following = (*keys, keys[0])[1]
                cycles[keys] = next(each for each in imports if each.key == following)
            elif key in found and key not in done:
                path[key] = None
                pending.append(iter(found[key].imports))
    return cycles


def _cycle(path: Iterable[str], start: str) -> tuple[str, ...]:
    """The end of the path that begins at `start`, turned so that its first key comes first."""
    keys = list(path)
    cycle = keys[keys.index(start) :]
    first = cycle.index(min(cycle))
    return (*cycle[first:], *cycle[:first])
