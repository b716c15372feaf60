"""Makes bundles: compiled components, the packages they need, stylesheets and the page's script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Final, NamedTuple

from robbieblocks.bundle import react
from robbieblocks.bundle.browser_maps import BrowserMaps
from robbieblocks.bundle.compile import Esbuild, EsbuildService
from robbieblocks.bundle.component_graph import checked, with_imported
from robbieblocks.bundle.components import Component, Components
from robbieblocks.bundle.entries import ToolchainCache, versioned
from robbieblocks.bundle.node_script import script_problem
from robbieblocks.bundle.packages import PackagePart, Packages
from robbieblocks.bundle.page_scripts import page_scripts
from robbieblocks.bundle.processes import KeepAlive, ScriptIsolate
from robbieblocks.bundle.tailwind import (
    DesignSystem,
    Tailwind,
    misspelt_variables,
    names_utilities,
    unknown_utilities,
    variables_in,
    with_utilities,
)
from robbieblocks.cache import Cache
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import (
    Asset,
    Bundle,
    ComponentRow,
    Module,
    NodeRow,
    TokenRow,
    component_specifier,
    sha256,
)
from robbieblocks.toolchain import Toolchain

_KIND: Final = "page file"

# How long an idle process waits for the next build: a new class costs milliseconds where the
# isolate runs, and so does an edit where esbuild does. An isolate takes 60 MB meanwhile.
_IDLE_S: Final = 5.0
# Each app of a node has a bundle of its own.
_KEPT: Final = 15


class Processes:
    """The child processes that are kept for the next build."""

    def __init__(self) -> None:
        self.esbuild = KeepAlive[EsbuildService](_IDLE_S)
        self.tailwind = KeepAlive[ScriptIsolate](_IDLE_S)
        self.packages = KeepAlive[ScriptIsolate](_IDLE_S)

    def stop(self) -> None:
        """End them; the next build starts others."""
        for each in (self.esbuild, self.tailwind, self.packages):
            each.stop()


class _Asked(NamedTuple):
    """What a bundle is made of beside rows."""

    placed: frozenset[str]
    toolchain: str
    base_css: str
    source_maps: bool
    for_developers: bool


class _Made(NamedTuple):
    """A bundle, and what it was made of."""

    components: Mapping[str, ComponentRow]
    tokens: tuple[TokenRow, ...]
    asked: _Asked
    bundle: Bundle

    def is_of(self, components: Mapping[str, ComponentRow], tokens: Sequence[TokenRow]) -> bool:
        """Whether it was made of these rows: the same objects, nearly always."""
        return self.components == components and self.tokens == (*tokens,)


class Bundler:
    """Makes bundles, and keeps what it made and the processes it started for the next one.

    Everything is cached by a hash of what it is made from. All nodes and pages share one bundle.
    Close it to end the processes; the `cache` is the caller's.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._processes = Processes()
        self._workspace: _Workspace | None = None
        self._made: list[_Made] = []

    def bundle(
        self,
        components: Mapping[str, ComponentRow],
        placed: Collection[str],
        *,
        toolchain: Toolchain,
        tokens: Sequence[TokenRow],
        base_css: str,
        source_maps: bool = False,
        for_developers: bool = False,
    ) -> Bundle:
        """The modules of the placed components, by their keys, and of all that they import.

        A component with an error, and each that imports it, is in `broken` and not in `modules`;
        the others are there. With `source_maps` each component has a `browser_map`;
        `for_developers` React's developer tools know the pages' React. Of the same rows, and as
        long as no component is broken, it is the same object. Raises Transient where esbuild or
        Tailwind can't run.
        """
        workspace = self._workspace_for(toolchain)
        asked = _Asked(frozenset(placed), toolchain.id, base_css, source_maps, for_developers)
        made = [each for each in self._made if each.is_of(components, tokens)]
        known = next((each.bundle for each in made if each.asked == asked), None)
        if known is not None:
            return known
        with closing(workspace.toolchain_cache):
            bundle = workspace.bundle(components, placed, tokens, base_css)
            bundle = workspace.mapped(bundle, components) if source_maps else bundle
            bundle = workspace.inspectable(bundle) if for_developers else bundle
        if not bundle.broken:
            again = replace(bundle, compiled=())
            self._made = [*made[-_KEPT:], _Made({**components}, (*tokens,), asked, again)]
        return bundle

    def react(self, toolchain: Toolchain) -> str:
        """The script that isolates run first, each bundle's `isolate`: the toolchain decides it.

        Raises Transient where it was never compiled, and esbuild can't run.
        """
        workspace = self._workspace_for(toolchain)
        with closing(workspace.toolchain_cache):
            return workspace.packages.react_script

    def script_problem(self, node: NodeRow, toolchain: Toolchain) -> Problem | None:
        """What keeps browsers from running a node's `custom_scripts`, or None. Raises Transient."""
        workspace = self._workspace_for(toolchain)
        with closing(workspace.toolchain_cache):
            return script_problem(node, workspace.esbuild, self._cache)

    def names(self, specifier: str, toolchain: Toolchain) -> frozenset[str]:
        """The names that a package exports, `default` among them. Raises Transient."""
        workspace = self._workspace_for(toolchain)
        with closing(workspace.toolchain_cache):
            return workspace.packages.names(specifier)

    def exporting(self, name: str, toolchain: Toolchain) -> list[str]:
        """The packages of the toolchain that export a name. Raises Transient."""
        packages = sorted(toolchain.packages)
        return [each for each in packages if name in self.names(each, toolchain)]

    def close(self) -> None:
        """End the processes."""
        self._processes.stop()

    def _workspace_for(self, toolchain: Toolchain) -> _Workspace:
        """What is known under the toolchain; of an earlier one nothing is kept."""
        if self._workspace is None or self._workspace.toolchain.id != toolchain.id:
            self._workspace = _Workspace(toolchain, self._cache, self._processes)
        return self._workspace


class _Workspace:
    """What is kept between bundles with one toolchain."""

    def __init__(self, toolchain: Toolchain, cache: Cache, processes: Processes) -> None:
        self.toolchain = toolchain
        self.toolchain_cache = ToolchainCache(toolchain, cache)
        self._cache = cache
        self.esbuild = Esbuild(toolchain, processes.esbuild)
        self.packages = Packages(
            toolchain, self.esbuild, self.toolchain_cache, cache, processes.packages
        )
        self._components = Components(toolchain, self.esbuild, cache, self.packages)
        self._maps = BrowserMaps(self.esbuild, cache, self._components.analysis)
        self._design_system = partial(
            DesignSystem, toolchain, self.esbuild, self.toolchain_cache, processes.tailwind
        )
        self._tailwind: Tailwind | None = None

    def bundle(
        self,
        rows: Mapping[str, ComponentRow],
        placed: Collection[str],
        tokens: Sequence[TokenRow],
        base_css: str,
    ) -> Bundle:
        self._components.take_compiled()  # a bundle that failed may have left some
        tailwind = self._tailwind_for(tokens)
        if placed:
            tailwind.prepare()
        found = with_imported(rows, placed, self._components)
        components = checked(rows, placed, found)
        words = {key: each.module.candidates for key, each in components.good.items()}
        utilities = tailwind.stylesheets(words, components.good)
        classes = {key: each.classes for key, each in components.good.items()}
        vain = [
            *unknown_utilities(classes, rows, utilities.known, tokens, base_css),
            *self._misspelt(rows, components.good, tokens, base_css, utilities.known.theme),
        ]
        return Bundle(
            modules=self._modules(components.good.values()),
            utilities_for=utilities.for_components,
            with_utilities=with_utilities(classes, utilities.known),
            packaged=frozenset(key for key in components.good if rows[key].packaged),
            names_utilities=partial(names_utilities, components.good, tailwind.learn),
            learn=tailwind.learn,
            utilities_key=tailwind.key,
            runtime=self._page_scripts[0],
            base_stylesheet=self._base_stylesheet(base_css),
            isolate=self.packages.react_script,
            compiled=tuple(sorted(set(self._components.take_compiled()))),
            problems=(*components.problems, *vain),
            broken=components.broken,
            blame=components.causes,
        )

    def mapped(self, bundle: Bundle, rows: Mapping[str, ComponentRow]) -> Bundle:
        """The bundle with source maps beside its components' modules."""
        there = [row for row in rows.values() if component_specifier(row.key) in bundle.modules]
        keys = {row.key: self._components.key(row) for row in there}
        return replace(bundle, modules=self._maps.of(bundle.modules, there, keys))

    def inspectable(self, bundle: Bundle) -> Bundle:
        """The bundle with the React that developer tools know."""
        asset = self.packages.react_for_developers
        there = [bundle.modules[name] for name in react.TOGETHER if name in bundle.modules]
        own = {module.specifier: replace(module, asset=asset) for module in there}
        return replace(bundle, modules={**bundle.modules, **own})

    @staticmethod
    def _misspelt(
        rows: Mapping[str, ComponentRow],
        good: Mapping[str, Component],
        tokens: Sequence[TokenRow],
        base_css: str,
        theme: Iterable[str],
    ) -> Iterator[Problem]:
        """Custom properties that are almost tokens, but for those of base styles and theme."""
        named = frozenset[str]().union(*(each.module.variables for each in good.values()))
        known = {*_variables_of(base_css), *theme, *(property_name(token.key) for token in tokens)}
        return misspelt_variables([rows[key] for key in good], named, known)

    def _tailwind_for(self, tokens: Sequence[TokenRow]) -> Tailwind:
        """Tailwind under these tokens; of earlier ones nothing is kept."""
        tailwind = Tailwind(self.toolchain, self._cache, tokens, self._design_system)
        if self._tailwind is None or self._tailwind.key != tailwind.key:
            self._tailwind = tailwind
        return self._tailwind

    @cached_property
    def _page_scripts(self) -> tuple[Module, dict[str, Module]]:
        return page_scripts(self.esbuild, self.toolchain_cache, self.toolchain.id)

    def _base_stylesheet(self, css: str) -> Asset:
        """The templates' own CSS, minified."""
        key = sha256("\0".join(("base", self.toolchain.id, css)))
        content = self._cache.get_many(versioned(_KIND), [key]).get(key)
        if content is None:
            options = ["--external:*", "--minify-whitespace", "--legal-comments=none"]
            output = self.esbuild.run({"base.css": css}, ["base.css"], options)
            if output.errors:
                first = output.errors[0]
                raise ProcessFailed(f"the templates' CSS, line {first.line}: {first.text}")
            content = output.files["base.css"]
            self._cache.put_many(versioned(_KIND), {key: content})
        return Asset.of("base", "css", content)

    def _modules(self, components: Collection[Component]) -> dict[str, Module]:
        """The components' modules and those of the packages that they and pages need."""
        modules = {each.module.specifier: each.module for each in components}
        parts = {name: PackagePart.whole(name) for name in react.PAGE_NEEDS}
        for each in components:
            parts.update((part.specifier, part) for part in each.package_parts)
            for name in each.module.imports:
                if name not in modules:
                    parts.setdefault(name, PackagePart.whole(name))
        return modules | self.packages.modules(parts.values()) | self._page_scripts[1]


@lru_cache(maxsize=2)
def _variables_of(base_css: str) -> frozenset[str]:
    """The custom properties of the base styles, which builds share."""
    return variables_in([base_css])
