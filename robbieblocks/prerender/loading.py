"""What a page loads of a bundle; worked out once for each component, put together for each page."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from robbieblocks.model import Asset, Bundle, component_specifier, reachable
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
        self._reach: dict[str, frozenset[str]] = {}
        self._names: dict[str, str] = {}
        self._styled: dict[str, frozenset[str]] = {}
        self._mapped: dict[str, tuple[str, str]] = {}
        self._preloads: dict[str, str] = {}
        self._sheets: dict[str, str] = {}
        self._always = frozenset[str]().union(*map(self._reached, _RUNTIME_NEEDS))

    def names(self, component: str) -> str:
        """The component's key and those of all that it imports: their styles reach its block."""
        known = self._names.get(component)
        if known is None:
            reached = sorted(self._reached(component_specifier(component)))
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
        links = "\n".join(map(self._sheet_link, sheets))
        if not islands:
            return Loads(stylesheets=links, import_map="", scripts="", assets=tuple(sheets))
        modules = self._union(islands)
        import_map = self._import_map(modules)
        runtime = self.bundle.runtime.asset
        lines = [f'<script type="importmap">{import_map}</script>']
        if early:
            lines += map(self._preload, self._union(early))
        lines.append(
            f'<script type="module" src="{runtime.url}" integrity="{runtime.integrity}"></script>'
        )
        return Loads(
            stylesheets=links,
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

    def _reached(self, specifier: str) -> frozenset[str]:
        known = self._reach.get(specifier)
        if known is None:
            known = self._reach[specifier] = frozenset(reachable([specifier], self.bundle.modules))
        return known

    def _union(self, components: Iterable[str]) -> list[str]:
        reached = (self._reached(component_specifier(key)) for key in components)
        return sorted(self._always.union(*reached))

    def _stylesheets(self, components: Collection[str]) -> list[Asset]:
        """Base, components and utilities, in the order of their layers."""
        modules = self.bundle.modules
        used = frozenset[str]().union(*map(self._with_styles, components))
        own = [modules[name].stylesheet for name in sorted(used)]
        listed = (self.bundle.base_stylesheet, *own, self.bundle.utilities_for(components))
        return list({sheet.name: sheet for sheet in listed if sheet is not None}.values())

    def _with_styles(self, component: str) -> frozenset[str]:
        """The component and what it imports, as far as they have a stylesheet."""
        known = self._styled.get(component)
        if known is None:
            reached = self._reached(component_specifier(component))
            known = frozenset(name for name in reached if self.bundle.modules[name].stylesheet)
            self._styled[component] = known
        return known

    def _import_map(self, specifiers: Iterable[str]) -> str:
        """Where each specifier leads, and the integrity of each file (HTML, import maps)."""
        entries = [self._entry(specifier) for specifier in specifiers]
        imports = ",".join([entry[0] for entry in entries])
        integrity = ",".join([entry[1] for entry in entries])
        return f'{{"imports":{{{imports}}},"integrity":{{{integrity}}}}}'

    def _entry(self, specifier: str) -> tuple[str, str]:
        known = self._mapped.get(specifier)
        if known is None:
            asset = self.bundle.modules[specifier].asset
            leads = f"{json.dumps(specifier)}:{json.dumps(asset.url)}"
            checked = f"{json.dumps(asset.url)}:{json.dumps(asset.integrity)}"
            known = self._mapped[specifier] = (head.inert(leads), head.inert(checked))
        return known

    def _preload(self, specifier: str) -> str:
        known = self._preloads.get(specifier)
        if known is None:
            asset = self.bundle.modules[specifier].asset
            known = f'<link rel="modulepreload" href="{asset.url}" integrity="{asset.integrity}">'
            self._preloads[specifier] = known
        return known

    def _sheet_link(self, sheet: Asset) -> str:
        known = self._sheets.get(sheet.name)
        if known is None:
            known = self._sheets[sheet.name] = head.stylesheet(sheet)
        return known
