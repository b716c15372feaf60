"""Joins compiled components, packages and styles into a bundle."""

from __future__ import annotations

import difflib
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.bundle import esbuild
from robbieblocks.bundle.records import Record, Records, Used
from robbieblocks.bundle.shelf import Shelf
from robbieblocks.bundle.tailwind import Tailwind
from robbieblocks.bundle.theme import theme_css
from robbieblocks.bundle.vendors import RUNTIME_NEEDS, Part, Vendors, packed, unpacked, whole
from robbieblocks.cache import Cache
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import (
    Asset,
    Bundle,
    ComponentRow,
    Module,
    TokenRow,
    component_specifier,
    sha256,
)
from robbieblocks.toolchain import Toolchain

RUNTIME_SPECIFIER = "@robbieblocks/-runtime"
_RUNTIME = Path(__file__).parent / "runtime" / "islands.js"
_RESERVED = "-runtime"
_KIND = "bundle"


@dataclass(slots=True)
class _Shop:
    """What a process keeps between builds with one toolchain and one cache."""

    toolchain: Toolchain
    shelf: Shelf
    records: Records
    vendors: Vendors
    runtime: Module | None = None
    tailwinds: dict[str, Tailwind] = field(default_factory=dict)

    def tailwind(self, tokens: Sequence[TokenRow], cache: Cache) -> Tailwind:
        """Tailwind under these tokens; of earlier ones nothing is kept."""
        theme = theme_css(tokens)
        if theme not in self.tailwinds:
            self.tailwinds.clear()
            self.tailwinds[theme] = Tailwind(self.toolchain, self.shelf, cache, tokens)
        return self.tailwinds[theme]


_SHOPS: weakref.WeakKeyDictionary[Cache, dict[str, _Shop]] = weakref.WeakKeyDictionary()


def bundle(
    components: Mapping[str, ComponentRow],
    wanted: Collection[str],
    *,
    toolchain: Toolchain,
    cache: Cache,
    tokens: Sequence[TokenRow],
    base_css: str,
) -> Bundle:
    """The modules of the wanted components, and of all that they import.

    A component with an error, and each that imports it, is in `broken` and not in `modules`; the
    others are there. Raises Transient where esbuild itself can't run.
    """
    shop = _shop(toolchain, cache)
    with closing(shop.shelf):
        shop.records.compiled.clear()
        tailwind = shop.tailwind(tokens, cache)
        if wanted:
            tailwind.prepare()
        found = _closure(components, wanted, shop.records)
        broken, problems = _judged(components, wanted, found)
        good = {key: record for key, record in sorted(found.items()) if key not in broken}
        runtime = _runtime(shop)
        return Bundle(
            modules=_modules(good, runtime, shop.vendors),
            utilities_for=_utilities(good, tailwind),
            runtime=runtime,
            base_stylesheet=_base_stylesheet(base_css, toolchain, cache),
            isolate=shop.vendors.isolate,
            compiled=tuple(sorted(set(shop.records.compiled))),
            problems=tuple(problems),
            broken=frozenset(broken),
            blame={key: _blame(key, found, problems) for key in broken},
        )


def react(toolchain: Toolchain, cache: Cache) -> str:
    """The script that isolates run first, each bundle's `isolate`: the toolchain alone decides it.

    Raises Transient where it was never compiled, and esbuild can't run.
    """
    shop = _shop(toolchain, cache)
    with closing(shop.shelf):
        return shop.vendors.isolate


def _judged(
    components: Mapping[str, ComponentRow], wanted: Collection[str], found: Mapping[str, Record]
) -> tuple[set[str], list[Problem]]:
    """The components that can't be shown, and what is wrong with any."""
    problems = [each for key in sorted(found) for each in found[key].problems]
    broken = {key for key, record in found.items() if record.broken}
    broken |= {key for key in wanted if key not in components or not components[key].published}
    broken |= {_RESERVED} & found.keys()
    problems += _reserved(found)
    for each in _bad_uses(components, found):
        problems.append(each)
        broken.add(each.key)
    rings = _rings(found)
    problems += [each for each, _ in rings]
    broken.update(*(keys for _, keys in rings))
    _spread(broken, found)
    return broken, problems


def _utilities(
    good: Mapping[str, Record], tailwind: Tailwind
) -> Callable[[Collection[str]], Asset | None]:
    """What says the stylesheet of components' utility classes, by their keys."""
    words = {key: record.module.candidates for key, record in good.items()}
    tailwind.learn(frozenset().union(*words.values()))
    classes = {key: tailwind.used(of) for key, of in words.items()}
    sheets: dict[frozenset[str], Asset | None] = {}

    def utilities_for(keys: Collection[str]) -> Asset | None:
        wanted_keys = frozenset(keys)
        if wanted_keys not in sheets:
            used = [classes[key] for key in _with_uses(wanted_keys, good)]
            sheets[wanted_keys] = tailwind.sheet(frozenset().union(*used))
        return sheets[wanted_keys]

    return utilities_for


def _shop(toolchain: Toolchain, cache: Cache) -> _Shop:
    shops = _SHOPS.setdefault(cache, {})
    if toolchain.id not in shops:
        shelf = Shelf(toolchain, cache)
        vendors = Vendors(toolchain, shelf, cache)
        records = Records(toolchain=toolchain, cache=cache, vendors=vendors)
        shops[toolchain.id] = _Shop(toolchain, shelf, records, vendors)
    return shops[toolchain.id]


def _closure(
    components: Mapping[str, ComponentRow], wanted: Collection[str], records: Records
) -> dict[str, Record]:
    """The wanted components and those they import, level by level."""
    found: dict[str, Record] = {}
    level = {key for key in wanted if key in components}
    while level:
        found |= records.of([components[key] for key in sorted(level)])
        used = {use.key for key in level for use in found[key].uses}
        level = {key for key in used if key in components and key not in found}
    return found


def _with_uses(keys: Collection[str], good: Mapping[str, Record]) -> set[str]:
    """The components and those that they import."""
    found: set[str] = set()
    todo = [key for key in keys if key in good]
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo += [use.key for use in good[key].uses if use.key in good]
    return found


def _reserved(found: Collection[str]) -> list[Problem]:
    if _RESERVED not in found:
        return []
    what = f"{_RESERVED} is reserved for the page's own script"
    return [Problem(entity="component", key=_RESERVED, what=what, remedy="rename it")]


def _bad_uses(components: Mapping[str, ComponentRow], found: Mapping[str, Record]) -> list[Problem]:
    """Imports of components that don't exist, are not published, or have no such name."""
    problems: list[Problem] = []
    for key, record in sorted(found.items()):
        for use in record.uses:
            other = components.get(use.key)
            if other is None:
                near = _nearest(use.key, components)
                remedy = f"did you mean @robbieblocks/{near}?" if near else "check the key"
                problems.append(_at(key, use, f"there is no component {use.key}", remedy))
            elif not other.published:
                remedy = f"publish {use.key}, or leave the import out"
                problems.append(_at(key, use, f"the component {use.key} is not published", remedy))
            elif not found[use.key].broken:
                problems += _missing_names(key, use, found[use.key].exports)
    return problems


def _missing_names(key: str, use: Used, exports: frozenset[str]) -> Iterator[Problem]:
    for name in use.names or ():
        if name in exports or ("*" in exports and name != "default"):
            continue
        specifier = component_specifier(use.key)
        others = ", ".join(sorted(exports - {"default", "*"}))
        if name == "default":
            what = f"{specifier} exports no component"
            remedy = f'import what it has: import {{ {others} }} from "{specifier}"'
        else:
            what = f"{specifier} has no export {name}"
            remedy = f'its component is the default export: import {name} from "{specifier}"'
            if others:
                remedy += f"; besides, it exports {others}"
        yield _at(key, use, what, remedy)


def _nearest(key: str, components: Mapping[str, ComponentRow]) -> str:
    return next(iter(difflib.get_close_matches(key, components, 1)), "")


def _at(key: str, use: Used, what: str, remedy: str) -> Problem:
    return Problem(
        entity="component",
        key=key,
        field="react_code",
        what=what,
        remedy=remedy,
        line=use.line,
        column=use.column,
        source=use.source,
    )


def _rings(found: Mapping[str, Record]) -> list[tuple[Problem, tuple[str, ...]]]:
    """Each ring of imports once, named from its alphabetically first member."""
    rings: dict[tuple[str, ...], Used] = {}
    done: set[str] = set()
    for start in sorted(found):
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            key, index = stack.pop()
            if index == 0:
                if key in done:
                    continue
                path.append(key)
                on_path.add(key)
            uses = [use for use in found[key].uses if use.key in found]
            if index == len(uses):
                done.add(key)
                on_path.discard(path.pop())
                continue
            stack.append((key, index + 1))
            use = uses[index]
            if use.key in on_path:
                ring = path[path.index(use.key) :]
                first = ring.index(min(ring))
                members = tuple(ring[first:] + ring[:first])
                entry = next(
                    u for u in found[members[0]].uses if u.key == (*members, members[0])[1]
                )
                rings.setdefault(members, entry)
            elif use.key not in done:
                stack.append((use.key, 0))
    remedy = "move what both need into a third component"
    return [
        (
            _at(
                ring[0],
                use,
                f"components import each other: {' -> '.join((*ring, ring[0]))}",
                remedy,
            ),
            ring,
        )
        for ring, use in sorted(rings.items())
    ]


def _spread(broken: set[str], found: Mapping[str, Record]) -> None:
    """Who imports a broken component is broken too."""
    users: dict[str, list[str]] = {}
    for key, record in found.items():
        for use in record.uses:
            users.setdefault(use.key, []).append(key)
    todo = list(broken)
    while todo:
        for user in users.get(todo.pop(), ()):
            if user not in broken:
                broken.add(user)
                todo.append(user)


def _blame(
    key: str, found: Mapping[str, Record], problems: Sequence[Problem]
) -> tuple[Problem, ...]:
    """The errors of a component and of all that it imports."""
    reached = {key, *_with_uses([key], found)}
    return tuple(each for each in problems if each.severity == "error" and each.key in reached)


def _modules(good: Mapping[str, Record], runtime: Module, vendors: Vendors) -> dict[str, Module]:
    modules = {record.module.specifier: record.module for record in good.values()}
    parts: dict[str, Part] = {name: whole(name) for name in (*RUNTIME_NEEDS, *runtime.imports)}
    for record in good.values():
        parts.update((part.specifier, part) for part in record.parts)
        for name in record.module.imports:
            if name not in modules:
                parts.setdefault(name, whole(name))
    return modules | vendors.modules(parts.values())


def _runtime(shop: _Shop) -> Module:
    if shop.runtime is None:
        source = _RUNTIME.read_bytes()
        key = sha256("\0".join(("runtime", shop.toolchain.id, sha256(source))))
        content = shop.shelf.kept(_KIND, key, lambda: _compiled_runtime(shop.toolchain, source))
        head, module = unpacked(content)
        shop.runtime = Module(
            specifier=RUNTIME_SPECIFIER,
            asset=Asset.of("islands", "js", module),
            script="",
            imports=tuple(head.decode().split()),
        )
    return shop.runtime


def _compiled_runtime(toolchain: Toolchain, source: bytes) -> bytes:
    options = ["--external:*", "--format=esm", "--minify"]
    output = esbuild.run(toolchain, {"islands.js": source}, ["islands.js"], options)
    if not output.ok:
        raise ProcessFailed(f"the page's own script does not compile: {output.messages[0].text}")
    names = sorted({name for name, _ in output.imports["islands.js"]})
    return packed("\n".join(names), output.files["islands.js"])


def _base_stylesheet(base_css: str, toolchain: Toolchain, cache: Cache) -> Asset:
    """The templates' own CSS, minified."""
    key = sha256("\0".join(("base", toolchain.id, base_css)))
    content = cache.get_many(_KIND, [key]).get(key)
    if content is None:
        options = ["--external:*", "--minify", "--legal-comments=none"]
        output = esbuild.run(toolchain, {"base.css": base_css}, ["base.css"], options)
        if not output.ok:
            first = output.messages[0]
            raise ProcessFailed(f"the templates' CSS, line {first.line}: {first.text}")
        content = output.files["base.css"]
        cache.put_many(_KIND, {key: content})
    return Asset.of("base", "css", content)
