"""What a page loads of a bundle; worked out once for each component, put together for each page."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from robbieblocks.model import Asset, Bundle, component_specifier
from robbieblocks.prerender import head

_RUNTIME_NEEDS: Final = ("react", "react-dom/client")
_COMPONENTS: Final = component_specifier("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """A page's links and scripts as HTML, its import map, and the assets that they lead to.

    `styles` are the texts of <style> elements that its modules may add, None where only running
    them tells.
    """

    stylesheets: str
    import_map: str
    scripts: str
    assets: tuple[Asset, ...]
    styles: tuple[str, ...] | None = ()


class Loading:
    """The modules of one bundle, as pages refer to them."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._reach: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, str] = {}
        self._mapped: dict[str, tuple[str, str]] = {}
        self._links: dict[tuple[str, str], str] = {}

    def names(self, component: str) -> str:
        """The component's key and those of all that it imports: their styles reach its block."""
        known = self._names.get(component)
        if known is None:
            reached = self._reached(component_specifier(component))
            keys = (
                name.removeprefix(_COMPONENTS) for name in reached if name.startswith(_COMPONENTS)
            )
            others = [key for key in keys if key != component]
            known = self._names[component] = escape(" ".join([component, *others]))
        return known

    def page(
        self, components: Collection[str], islands: Collection[str], early: Collection[str]
    ) -> Loads:
        """What a page with these components loads: the `islands` ever, and the `early` at once."""
        sheets = self._stylesheets(components)
        if not islands:
            links = "\n".join(map(head.stylesheet, sheets))
            return Loads(stylesheets=links, import_map="", scripts="", assets=tuple(sheets))
        modules = self._union(islands)
        import_map = self._import_map(modules)
        runtime = self.bundle.runtime.asset
        lines = [f'<script type="importmap">{import_map}</script>']
        if early:
            lines += [self._link("modulepreload", name) for name in self._union(early)]
        lines.append(
            f'<script type="module" src="{runtime.url}" integrity="{runtime.integrity}"></script>'
        )
        return Loads(
            stylesheets="\n".join(map(head.stylesheet, sheets)),
            import_map=import_map,
            scripts="\n".join(lines),
            assets=(*sheets, runtime, *(self.bundle.modules[name].asset for name in modules)),
            styles=self._styles(modules),
        )

    def _styles(self, specifiers: Iterable[str]) -> tuple[str, ...] | None:
        modules = [self.bundle.modules[name] for name in specifiers]
        if any(module.computes_styles for module in modules):
            return None
        # An empty element is how packages add rules one by one (CSSOM).
        return ("", *(text for module in modules for text in module.styles))

    def _reached(self, specifier: str) -> tuple[str, ...]:
        known = self._reach.get(specifier)
        if known is None:
            found: set[str] = set()
            pending = [specifier]
            while pending:
                name = pending.pop()
                module = self.bundle.modules.get(name)
                if module is not None and name not in found:
                    found.add(name)
                    pending += module.imports
            known = self._reach[specifier] = tuple(sorted(found))
        return known

    def _union(self, components: Iterable[str]) -> list[str]:
        found: set[str] = set()
        for specifier in (*_RUNTIME_NEEDS, *map(component_specifier, components)):
            found.update(self._reached(specifier))
        return sorted(found)

    def _stylesheets(self, components: Iterable[str]) -> list[Asset]:
        """Base, components and utilities, in the order of their layers."""
        used: set[str] = set()
        placed = tuple(components)
        for component in placed:
            used.update(self._reached(component_specifier(component)))
        modules = self.bundle.modules
        own = [sheet for name in sorted(used) if (sheet := modules[name].stylesheet) is not None]
        listed = [self.bundle.base_stylesheet, *own, self.bundle.utilities_for(placed)]
        return list(dict.fromkeys(sheet for sheet in listed if sheet is not None))

    def _import_map(self, specifiers: Iterable[str]) -> str:
        """Where each specifier leads, and the integrity of each file (HTML, import maps)."""
        entries = [self._entry(specifier) for specifier in specifiers]
        imports = ",".join(entry[0] for entry in entries)
        integrity = ",".join(entry[1] for entry in entries)
        return f'{{"imports":{{{imports}}},"integrity":{{{integrity}}}}}'

    def _entry(self, specifier: str) -> tuple[str, str]:
        known = self._mapped.get(specifier)
        if known is None:
            asset = self.bundle.modules[specifier].asset
            leads = f"{json.dumps(specifier)}:{json.dumps(asset.url)}"
            checked = f"{json.dumps(asset.url)}:{json.dumps(asset.integrity)}"
            known = self._mapped[specifier] = (head.inert(leads), head.inert(checked))
        return known

    def _link(self, relation: str, specifier: str) -> str:
        known = self._links.get((relation, specifier))
        if known is None:
            asset = self.bundle.modules[specifier].asset
            known = f'<link rel="{relation}" href="{asset.url}" integrity="{asset.integrity}">'
            self._links[relation, specifier] = known
        return known
