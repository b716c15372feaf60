"""What bundling makes: modules, and the graph of what they import."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, Protocol

from robbieblocks.errors import Problem
from robbieblocks.model.assets import Asset
from robbieblocks.model.values import Sha256, sha256

StyleForm = Literal["inline", "linked", "fixed", "separate"]
"""Where a page's styles stand: in the page; tokens, base and the node's own in one file, the others
in the page; the same with that file at an address that stays; or each sheet in a file. Files are
named by their hash, but for that of `fixed`."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """One compiled ES module, and the same code as CommonJS for the isolate.

    `specifier` is the name in import statements: `@robbieblocks/robbie-bar`, `react`, `date-fns`.
    `imports` are the specifiers that the module imports. `script` is the body of a CommonJS
    function `(require, module, exports)`; `source_map` maps it to the stored text. `browser_map` is
    the same for the asset, which names it; None where nobody wants maps. `candidates` are words of
    the source that may be utility classes. `styles` are texts of <style> elements that it
    may show; `computes_styles` says that there may be others.
    """

    specifier: str
    asset: Asset
    script: str = field(repr=False)
    imports: tuple[str, ...] = ()
    source_map: str = field(default="", repr=False)
    browser_map: Asset | None = None
    stylesheet: Asset | None = None
    candidates: frozenset[str] = frozenset()
    styles: tuple[str, ...] = ()
    computes_styles: bool = False

    @cached_property
    def variables(self) -> frozenset[str]:
        """The custom properties among the candidates."""
        return frozenset(word for word in self.candidates if word.startswith("--"))

    @cached_property
    def script_hash(self) -> Sha256:
        """The hash of the script that the isolate runs."""
        return sha256(self.script)


class UtilitiesFor(Protocol):
    """What makes stylesheets of utility classes."""

    def __call__(
        self, components: Collection[str], words: frozenset[str] = frozenset(), /
    ) -> Asset | None:
        """The stylesheet of the classes of these components and among these words."""
        ...


# The parts of the page's own script that few visits need: the names of their files, and by what
# name a page's import map leads to them.
RUNTIME_PARTS: Final = {
    "fill": "robbieblocks/fill",
    "forms": "robbieblocks/forms",
    "restore": "robbieblocks/restore",
}
# What every page with islands may need: the page's own script has its address, no import map does.
PRESSES: Final = "robbieblocks/presses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Every module that a set of components needs, by specifier.

    `runtime` is the page's own script; its parts are in `modules`, too.
    `compiled` lists the keys of the components that were compiled now and not found in the cache.
    `broken` are the keys of components with an error, and of those that import one; they are not in
    `modules`, but for those that only can't be placed. `blame` maps each to its own errors and
    those of what it imports. `isolate` is a script that an isolate runs once: it sets
    globalThis.__rb to {React, server, jsx}. `utilities_for` makes the stylesheet of the utility
    classes that components (by key) and what they import use, and of those among other words, so
    that a page changes only with its own components and HTML; None for no class. `learn` tells it
    ahead of many words at once. Under an equal `utilities_key` equal components and words give an
    equal stylesheet. `with_utilities` are the keys of the components whose text names such a class,
    and `names_utilities` says whether words of a component's HTML do. `packaged` are the keys of
    components that come from the package, and of no row.
    """

    modules: Mapping[str, Module]
    runtime: Module
    base_stylesheet: Asset
    utilities_for: UtilitiesFor = field(
        default=lambda _, __=frozenset(): None, repr=False, compare=False
    )
    learn: Callable[[frozenset[str]], object] = field(
        default=lambda _: None, repr=False, compare=False
    )
    with_utilities: frozenset[str] = frozenset()
    packaged: frozenset[str] = frozenset()
    utilities_key: str = ""
    names_utilities: Callable[[str, frozenset[str]], bool] = field(
        default=lambda _, __: False, repr=False, compare=False
    )
    isolate: str = field(default="", repr=False)
    compiled: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()
    blame: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict[str, tuple[Problem, ...]])

    @property
    def runtime_names(self) -> str:
        """The files of the page's own script and of its parts: they change with what is in them."""
        parts = [self.modules[name] for name in RUNTIME_PARTS.values() if name in self.modules]
        return " ".join([each.asset.name for each in (self.runtime, *parts)])


def component_specifier(key: str) -> str:
    """The specifier under which a component is imported."""
    return f"@robbieblocks/{key}"


class Importing(Protocol):
    """What has imports: a compiled module, or a component that is still to be compiled."""

    @property
    def imports(self) -> Iterable[str]:
        """The names of what it imports itself."""
        ...


def reachable(names: Iterable[str], modules: Mapping[str, Importing]) -> set[str]:
    """The named modules and all that they import, however deep, as far as there are any."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in modules and name not in found:
            found.add(name)
            pending += modules[name].imports
    return found


def importers(names: Iterable[str], modules: Mapping[str, Importing]) -> set[str]:
    """The names and all modules that import one of them, however indirectly."""
    direct: dict[str, list[str]] = {}
    for name, module in modules.items():
        for imported in module.imports:
            direct.setdefault(imported, []).append(name)
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += direct.get(name, ())
    return found
