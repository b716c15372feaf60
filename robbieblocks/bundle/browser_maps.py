"""Source maps of the modules that browsers load: assets, which a comment in each module names.

They are made where someone wants them, beside the modules, which have the same bytes otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.bundle.analysis import Analysis
from robbieblocks.bundle.compile import CompileUnit, Esbuild, browser_maps
from robbieblocks.bundle.entries import versioned
from robbieblocks.cache import Cache
from robbieblocks.model import Asset, ComponentRow, Module, component_specifier

_KIND: Final = "browser map"
_COMPONENTS: Final = component_specifier("")
# How many components of earlier versions, and of other apps, stay in memory.
_MAX_SPARE: Final = 2000
_COMMENT: Final = b"//# sourceMappingURL="


class BrowserMaps:
    """The source maps of components: from memory, from the cache, or made now."""

    def __init__(
        self, esbuild: Esbuild, cache: Cache, analysis: Callable[[ComponentRow], Analysis]
    ) -> None:
        self._esbuild = esbuild
        self._cache = cache
        self._analysis = analysis
        self._mapped: dict[str, Module] = {}

    def of(
        self, modules: Mapping[str, Module], rows: Collection[ComponentRow], keys: Mapping[str, str]
    ) -> dict[str, Module]:
        """The modules, those of the rows with their maps; `keys` has the cache key of each row.

        Raises ProcessFailed where esbuild can't run.
        """
        if len(self._mapped) > 2 * len(keys) + _MAX_SPARE:
            wanted = frozenset(keys.values())
            self._mapped = {key: each for key, each in self._mapped.items() if key in wanted}
        found: dict[str, Module] = dict(modules)
        new: dict[str, ComponentRow] = {}
        for row in rows:
            key, name = keys[row.key], component_specifier(row.key)
            if key in self._mapped:
                found[name] = self._mapped[key]
            else:
                new[key] = row
        for key, source_map in self._maps(new).items():
            name = component_specifier(new[key].key)
            found[name] = self._mapped[key] = with_map(found[name], source_map)
        return found

    def _maps(self, rows: Mapping[str, ComponentRow]) -> dict[str, str]:
        """The map of each row, by cache key; one that can't be made is not there."""
        cached = self._cache.get_many(versioned(_KIND), rows)
        missing = [row for key, row in rows.items() if key not in cached]
        units = [CompileUnit(row=row, analysis=self._analysis(row)) for row in missing]
        made = browser_maps(units, self._esbuild) if units else {}
        new = {
            key: made[row.key].encode()
            for key, row in rows.items()
            if key not in cached and row.key in made
        }
        self._cache.put_many(versioned(_KIND), new)
        return {key: content.decode() for key, content in {**cached, **new}.items()}


def with_map(module: Module, source_map: str) -> Module:
    """The component's module with a comment that names this map, in place of any other."""
    stem = module.specifier.removeprefix(_COMPONENTS)
    asset = Asset.of(stem, "map", source_map)
    # What esbuild writes ends with its line.
    content = without_comment(module) + _COMMENT + asset.name.encode() + b"\n"
    return replace(module, asset=Asset.of(stem, "js", content), browser_map=asset)


def without_comment(module: Module) -> bytes:
    """The module's text without the comment that names its map."""
    content = module.asset.content
    return content if module.browser_map is None else content.rpartition(_COMMENT)[0]


def named_map(content: bytes) -> str:
    """The name of the map that a module's last line names; "" where it names none."""
    last = content.rstrip(b"\n").rpartition(b"\n")[2]
    if not last.startswith(_COMMENT):
        return ""
    return last.removeprefix(_COMMENT).decode("utf-8", "replace")
