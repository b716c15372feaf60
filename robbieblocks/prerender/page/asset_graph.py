"""The stylesheets and modules of a bundle that a page loads, with all that those import."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from robbieblocks.model import Asset, Bundle, component_specifier, reachable
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.islands import Islands

_RUNTIME_NEEDS: Final = ("react", "react-dom/client")
_COMPONENTS: Final = component_specifier("")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAssets:
    """A page's links and scripts as HTML, its import map, and the assets that they name.

    `styles` are the texts of the <style> elements that its modules may add; None where a module
    computes them while it runs.
    """

    stylesheets: str
    import_map: str
    scripts: str
    assets: tuple[Asset, ...]
    styles: tuple[str, ...] | None = ()


class AssetGraph:
    """The modules of one bundle, as pages refer to them.

    What is found for a component is kept, because thousands of pages share a few hundred of them.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._reached: dict[str, frozenset[str]] = {}
        self._keys: dict[str, str] = {}
        self._styled: dict[str, frozenset[str]] = {}
        self._entries: dict[str, tuple[str, str]] = {}
        self._preloads: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self._runtime = frozenset[str]().union(*map(self._reach, _RUNTIME_NEEDS))

    def component_keys(self, component: str) -> str:
        """The component's key and those of all components that it imports, as an HTML attribute.

        Their styles apply to its block.
        """
        known = self._keys.get(component)
        if known is None:
            reached = sorted(self._reach(component_specifier(component)))
            keys = (
                name.removeprefix(_COMPONENTS) for name in reached if name.startswith(_COMPONENTS)
            )
            others = [key for key in keys if key != component]
            known = self._keys[component] = escape(" ".join([component, *others]))
        return known

    def page(self, components: Collection[str], islands: Islands) -> PageAssets:
        """What a page with these components loads.

        Modules of `islands` are in the import map, those of the eager ones are preloaded too.
        """
        sheets = self._stylesheets(components)
        links = "\n".join(map(self._stylesheet_link, sheets))
        if not islands.components:
            return PageAssets(stylesheets=links, import_map="", scripts="", assets=tuple(sheets))
        modules = self._modules(islands.components)
        import_map = self._import_map(modules)
        runtime = self.bundle.runtime.asset
        lines = [f'<script type="importmap">{import_map}</script>']
        if islands.eager:
            lines += map(self._preload, self._modules(islands.eager))
        lines.append(
            f'<script type="module" src="{runtime.url}" integrity="{runtime.integrity}"></script>'
        )
        return PageAssets(
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

    def _reach(self, specifier: str) -> frozenset[str]:
        """The module and all that it imports."""
        known = self._reached.get(specifier)
        if known is None:
            known = self._reached[specifier] = frozenset(
                reachable([specifier], self.bundle.modules)
            )
        return known

    def _modules(self, components: Iterable[str]) -> list[str]:
        """The specifiers of all that these components need in the browser, in order."""
        reached = (self._reach(component_specifier(key)) for key in components)
        return sorted(self._runtime.union(*reached))

    def _stylesheets(self, components: Collection[str]) -> list[Asset]:
        """The stylesheets of base, components and utilities, in the order of their layers."""
        modules = self.bundle.modules
        used = frozenset[str]().union(*map(self._with_styles, components))
        own = [modules[name].stylesheet for name in sorted(used)]
        listed = (self.bundle.base_stylesheet, *own, self.bundle.utilities_for(components))
        return list({sheet.name: sheet for sheet in listed if sheet is not None}.values())

    def _with_styles(self, component: str) -> frozenset[str]:
        """Those of the component and what it imports that have a stylesheet."""
        known = self._styled.get(component)
        if known is None:
            reached = self._reach(component_specifier(component))
            known = frozenset(name for name in reached if self.bundle.modules[name].stylesheet)
            self._styled[component] = known
        return known

    def _import_map(self, specifiers: Iterable[str]) -> str:
        """The URL of each specifier, and the integrity of each file (HTML 8.1.6.2, import maps)."""
        entries = [self._entry(specifier) for specifier in specifiers]
        imports = ",".join([entry[0] for entry in entries])
        integrity = ",".join([entry[1] for entry in entries])
        return f'{{"imports":{{{imports}}},"integrity":{{{integrity}}}}}'

    def _entry(self, specifier: str) -> tuple[str, str]:
        known = self._entries.get(specifier)
        if known is None:
            asset = self.bundle.modules[specifier].asset
            url = f"{json.dumps(specifier)}:{json.dumps(asset.url)}"
            integrity = f"{json.dumps(asset.url)}:{json.dumps(asset.integrity)}"
            known = self._entries[specifier] = (head.inert(url), head.inert(integrity))
        return known

    def _preload(self, specifier: str) -> str:
        known = self._preloads.get(specifier)
        if known is None:
            asset = self.bundle.modules[specifier].asset
            known = f'<link rel="modulepreload" href="{asset.url}" integrity="{asset.integrity}">'
            self._preloads[specifier] = known
        return known

    def _stylesheet_link(self, sheet: Asset) -> str:
        known = self._links.get(sheet.name)
        if known is None:
            known = self._links[sheet.name] = head.stylesheet(sheet)
        return known
