"""Makes bundles: compiled components, the packages they need, stylesheets and the page's script."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Final, Self

from robbieblocks.bundle.compile import Esbuild, EsbuildService
from robbieblocks.bundle.component_graph import checked, with_imported
from robbieblocks.bundle.components import Component, Components
from robbieblocks.bundle.packages import PAGE_NEEDS, PackagePart, Packages
from robbieblocks.bundle.page_files import base_stylesheet, islands_module
from robbieblocks.bundle.processes import KeepAlive, ScriptIsolate
from robbieblocks.bundle.tailwind import DesignSystem, Tailwind
from robbieblocks.bundle.toolchain_cache import ToolchainCache
from robbieblocks.cache import Cache
from robbieblocks.model import Bundle, ComponentRow, Module, TokenRow
from robbieblocks.toolchain import Toolchain

# How long an idle process waits for the next build: a new class costs milliseconds where the
# isolate runs, and so does an edit where esbuild does. An isolate takes 60 MB meanwhile.
_IDLE_S: Final = 5.0


class Processes:
    """The child processes that are kept for the next build."""

    def __init__(self, idle_s: float = _IDLE_S) -> None:
        self.esbuild = KeepAlive[EsbuildService](idle_s)
        self.tailwind = KeepAlive[ScriptIsolate](idle_s)
        self.packages = KeepAlive[ScriptIsolate](idle_s)

    def stop(self) -> None:
        """End them; the next build starts others."""
        for each in (self.esbuild, self.tailwind, self.packages):
            each.stop()


class Bundler:
    """Makes bundles, and keeps what it made and the processes it started for the next one.

    Everything is cached by a hash of what it is made from. All nodes and pages share one bundle.
    Close it to end the processes; the `cache` is the caller's.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._processes = Processes()
        self._workspace: _Workspace | None = None

    def bundle(
        self,
        components: Mapping[str, ComponentRow],
        placed: Collection[str],
        *,
        toolchain: Toolchain,
        tokens: Sequence[TokenRow],
        base_css: str,
    ) -> Bundle:
        """The modules of the placed components, by their keys, and of all that they import.

        A component with an error, and each that imports it, is in `broken` and not in `modules`;
        the others are there. Raises Transient where esbuild or Tailwind can't run.
        """
        workspace = self._workspace_for(toolchain)
        with closing(workspace.toolchain_cache):
            return workspace.bundle(components, placed, tokens, base_css)

    def react(self, toolchain: Toolchain) -> str:
        """The script that isolates run first, each bundle's `isolate`: the toolchain decides it.

        Raises Transient where it was never compiled, and esbuild can't run.
        """
        workspace = self._workspace_for(toolchain)
        with closing(workspace.toolchain_cache):
            return workspace.packages.react_script

    def close(self) -> None:
        """End the processes."""
        self._processes.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
        self._processes = processes
        self._esbuild = Esbuild(toolchain, processes.esbuild)
        self.packages = Packages(
            toolchain, self._esbuild, self.toolchain_cache, cache, processes.packages
        )
        self._components = Components(toolchain, self._esbuild, cache, self.packages)
        self._islands: Module | None = None
        self._tailwind: Tailwind | None = None

    def bundle(
        self,
        rows: Mapping[str, ComponentRow],
        placed: Collection[str],
        tokens: Sequence[TokenRow],
        base_css: str,
    ) -> Bundle:
        """The bundle of the placed components."""
        self._components.take_compiled()  # a bundle that failed may have left some
        tailwind = self._tailwind_for(tokens)
        if placed:
            tailwind.prepare()
        found = with_imported(rows, placed, self._components)
        components = checked(rows, placed, found)
        words = {key: each.module.candidates for key, each in components.good.items()}
        islands = self._islands_module()
        return Bundle(
            modules=self._modules(components.good.values(), islands),
            utilities=tailwind.stylesheets(words, components.good),
            runtime=islands,
            base_stylesheet=base_stylesheet(self.toolchain, self._esbuild, self._cache, base_css),
            isolate=self.packages.react_script,
            compiled=tuple(sorted(set(self._components.take_compiled()))),
            problems=components.problems,
            broken=components.broken,
            blame=components.causes,
        )

    def _tailwind_for(self, tokens: Sequence[TokenRow]) -> Tailwind:
        """Tailwind under these tokens; of earlier ones nothing is kept."""
        tailwind = Tailwind(self.toolchain, self._cache, tokens, self._design_system)
        if self._tailwind is None or self._tailwind.key != tailwind.key:
            self._tailwind = tailwind
        return self._tailwind

    def _design_system(self, theme_css: str) -> DesignSystem:
        return DesignSystem(
            self.toolchain,
            self._esbuild,
            self.toolchain_cache,
            self._processes.tailwind,
            theme_css,
        )

    def _islands_module(self) -> Module:
        if self._islands is None:
            self._islands = islands_module(self.toolchain, self._esbuild, self.toolchain_cache)
        return self._islands

    def _modules(self, components: Collection[Component], islands: Module) -> dict[str, Module]:
        """The components' modules and those of the packages that they and pages need."""
        modules = {each.module.specifier: each.module for each in components}
        parts = {name: PackagePart.whole(name) for name in (*PAGE_NEEDS, *islands.imports)}
        for each in components:
            parts.update((part.specifier, part) for part in each.package_parts)
            for name in each.module.imports:
                if name not in modules:
                    parts.setdefault(name, PackagePart.whole(name))
        return modules | self.packages.modules(parts.values())
