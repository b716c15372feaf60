"""Makes a draft of each file of a folder: what it becomes, and all that is said of it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

from robbieblocks.adoption.drafts import Draft, Plan
from robbieblocks.adoption.hints import Hint, hints
from robbieblocks.adoption.keys import keys_for
from robbieblocks.adoption.kinds import component_of
from robbieblocks.adoption.rewriting import Rewriting
from robbieblocks.adoption.sources.assets import MOST_JSON
from robbieblocks.adoption.sources.missing_names import missing_names
from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.types.props import props_of
from robbieblocks.errors import Problem
from robbieblocks.row_faults import blame
from robbieblocks.source_files import ProblemCollector

_MOST_HINTS: Final = 20
# A person needs no hint of what such a text lacks, and a parser takes long over it.
_MOST_CHARACTERS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What is known of the toolchain's packages.

    `remedy` tells what to do about a package that can't be imported, empty for one that can.
    `exporting` gives the packages that export a name, `react` the names that need no import.
    """

    remedy: Callable[[str], str]
    exporting: Callable[[str], Iterable[str]]
    react: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Drafts:
    """The drafts of a folder by key. `page_sheets` are stylesheets that no component owns."""

    by_key: dict[str, Draft] = field(default_factory=dict[str, Draft])
    page_sheets: list[str] = field(default_factory=list[str])


def adopted_paths(modules: SourceModules) -> tuple[list[str], list[str]]:
    """The files that become rows, and those of them that only hand on what others export."""
    barrels = [path for path, tree in modules.trees.items() if tree.is_barrel]
    code = [path for path in modules.trees if path not in modules.entries]
    plain = [path for path in code if path not in barrels]
    needed: set[str] = set()
    pending = list(plain)
    while pending:
        for path in _whole(pending.pop(), modules):
            if path in barrels and path not in needed:
                needed.add(path)
                pending.append(path)
    return sorted([*plain, *needed, *_json(modules, [*plain, *needed])]), sorted(needed)


def _whole(path: str, modules: SourceModules) -> Iterable[str]:
    """The barrels that a file imports as such: not only names that come from other files."""
    for link in modules.trees[path].links:
        target = modules.resolve(path, link.specifier)
        if target is None or target not in modules.trees:
            continue
        origins = [
            target if name.imported == "*" else modules.origin(target, name.imported)[0]
            for name in link.names
        ]
        yield from origins or [target]


def _json(modules: SourceModules, paths: Iterable[str]) -> set[str]:
    """The JSON files that are imported and can be."""
    found = {
        target
        for path in paths
        for link in modules.trees[path].links
        if (target := modules.resolve(path, link.specifier)) is not None
        and target.endswith(".json")
        and "?" not in link.specifier
    }
    return {path for path in found if _json_code(path, modules)}


def _json_code(path: str, modules: SourceModules) -> str:
    """A module that exports what a JSON file says; empty where it can't be read."""
    text = modules.folder.text(path)
    if isinstance(text, Problem) or len(text) > MOST_JSON:
        return ""
    collector = ProblemCollector(modules.folder.root, (modules.folder.root,))
    collector.parse_json(modules.folder.root / path, text)
    return "" if collector.problems else f"export default {text.strip()};\n"


def drafts(
    modules: SourceModules, packages: Packages, known: Mapping[str, str], taken: set[str]
) -> Drafts:
    """The drafts of all files. `known` are the keys that files had before, `taken` those of others.

    Raises Transient where the toolchain's packages can't be read.
    """
    paths, barrels = adopted_paths(modules)
    keys = keys_for(paths, known, taken, barrels)
    plan = Plan(modules=modules, keys=keys, missing_package=packages.remedy)
    found = Drafts()
    for path in paths:
        draft = _draft(path, plan, packages)
        found.by_key[draft.key] = draft
    unused = {path for path in modules.folder.files - plan.used_sheets if path.endswith(".css")}
    found.page_sheets = sorted(plan.page_sheets | unused)
    return found


def _draft(path: str, plan: Plan, packages: Packages) -> Draft:
    modules, key = plan.modules, plan.keys[path]
    stem, ending = posixpath.splitext(path)
    draft = Draft(file=path, key=key, kind="module", name=posixpath.basename(stem), code_file="")
    if path not in modules.trees:
        draft.code_file = "component.ts"
        draft.code = _json_code(path, modules)
        draft.rewritten.append("its JSON as a default export")
        return draft
    draft.code_file = f"component{'.js' if ending == '.mjs' else ending}"
    tree = modules.trees[path]
    draft.code = tree.text.decode("utf-8", "replace")
    # Whatever a parser fails over in one file is that file's problem.
    with blame(draft.problems.append, "file", modules.folder.name_of(path)):
        rewriting = Rewriting(draft, tree, plan)
        component, note = component_of(tree, path)
        if note:
            draft.notes.append(note)
        if component:
            draft.kind, draft.name = "component", component
            props = props_of(modules, path, component)
            draft.props = props.schema
            if props.schema is not None and props.schema.get("properties"):
                draft.rewritten.append("props from its types")
            if props.note:
                draft.notes.append(props.note)
        rewriting.done()
        if not tree.broken and len(draft.code) <= _MOST_CHARACTERS:
            for hint in islice(_hints(path, plan, packages, draft), _MOST_HINTS):
                rewriting.problem(*hint)
    return draft


def _hints(path: str, plan: Plan, packages: Packages, draft: Draft) -> Iterable[Hint]:
    modules = plan.modules
    yield from hints(modules.trees[path], shows=draft.kind == "component")
    names = partial(missing_names, path, modules, plan.keys)
    yield from names(packages.react, packages.exporting)
