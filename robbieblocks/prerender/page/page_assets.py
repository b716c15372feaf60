"""What a page loads: the stylesheets and modules of a bundle that it needs."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from robbieblocks.model import (
    INDEX_READER,
    PRESSES,
    RUNTIME_PARTS,
    Asset,
    Bundle,
    StyleForm,
    component_specifier,
    reachable,
)
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.islands import Islands
from robbieblocks.prerender.page.script_names import HTML_SETTER, SCRIPT_MAKER, first_name
from robbieblocks.prerender.page.template_styles import needed_styles, template_classes

_REACT: Final = "react"
_FORMS: Final = RUNTIME_PARTS["forms"]
_COMPONENTS: Final = component_specifier("")
# Of so many sets of components the styles are kept: each may take some 30 KB.
_STYLES_KEPT: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAssets:
    """A page's styles and scripts as HTML, its import map, and the assets that they name.

    `head_scripts` load nothing, but in `robbieblocks dev`; `first_scripts` stand behind what fills
    a first screen, `scripts` behind all that shows. `styles` are the texts of its <style> elements
    and of those that its modules may add; None where a module computes them while it runs.
    `inline_scripts` are the texts of scripts among these.
    """

    stylesheets: str
    import_map: str = ""
    head_scripts: str = ""
    first_scripts: str = ""
    scripts: str = ""
    assets: tuple[Asset, ...]
    styles: tuple[str, ...] | None = ()
    inline_scripts: tuple[str, ...] = ()


class _Styles(NamedTuple):
    """The styles of pages with equal components: HTML, the texts in it, and the files it names."""

    html: str
    texts: tuple[str, ...]
    linked: tuple[Asset, ...]


class AssetGraph:
    """The modules of one bundle, as pages refer to them.

    What is found for a module is kept, because thousands of pages share a few hundred of them.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._reach = functools.cache(functools.partial(_reach, bundle))
        self._entry = functools.cache(functools.partial(head.import_map_entry, bundle))
        self._preload = functools.cache(functools.partial(_link, head.module_preload, bundle))
        self._classes = functools.cache(self._template_classes)
        self.html_setter = functools.cache(functools.partial(self._named, HTML_SETTER))
        self._script_maker = functools.cache(functools.partial(self._named, SCRIPT_MAKER))
        self._keys: dict[str, str] = {}
        self._utilities: dict[str, bool] = {}
        self._names_utilities = functools.lru_cache(_STYLES_KEPT)(bundle.names_utilities)
        self._styled: dict[str, frozenset[str]] = {}
        self._styles_of = functools.lru_cache(_STYLES_KEPT)(self._make_styles)
        self._runtime = self._reach(_REACT)

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

    def base(
        self, component: str, *, reset: bool | None, words: frozenset[str] = frozenset()
    ) -> str:
        """Which base styles a block of the component gets, as an HTML attribute; "" for the reset.

        `words` are those of its HTML that may be utility classes.

        `text`: margins, bullets and sizes as browsers have them; `utilities`: controls with classes
        are bare. Where `reset` is None, what is written with utility classes gets the reset.
        """
        utilities = self._has_utilities(component) or (
            bool(words) and self._names_utilities(component, words)
        )
        text = not (utilities if reset is None else reset)
        wanted = [*(["text"] if text else []), *(["utilities"] if utilities else [])]
        return f' data-rb-base="{" ".join(wanted)}"' if wanted else ""

    def _has_utilities(self, component: str) -> bool:
        """Whether the component, or one that it imports, is written with utility classes."""
        known = self._utilities.get(component)
        if known is None:
            reached = self._reach(component_specifier(component))
            keys = (name.removeprefix(_COMPONENTS) for name in reached)
            known = not self.bundle.with_utilities.isdisjoint(keys)
            self._utilities[component] = known
        return known

    def page(
        self,
        components: frozenset[str],
        islands: Islands,
        styles: StyleForm = "inline",
        words: frozenset[str] = frozenset(),
        *,
        has_first_picture: bool = False,
        has_modules: bool = False,
        classes: frozenset[str] = frozenset(),
    ) -> PageAssets:
        """What a page with these components loads, its styles in the given form.

        Modules of `islands` are in the import map, those of the eager ones are preloaded once the
        page is painted: by a script in it, or, behind a picture, by islands.js. Where its blocks
        have modules of their own, the import map stands in the head, before these.
        `words` are those of the page's HTML that may be utility classes, `classes` those of
        templates that it has: inline, base styles of others are left out.
        """
        utilities = self.bundle.utilities_for(components, words)
        if styles == "inline":
            classes = classes.union(*map(self._classes, components))
        own = self._styles_of(components, utilities, styles, classes)
        if not islands.components:
            return PageAssets(stylesheets=own.html, assets=own.linked, styles=own.texts)
        # An edit in `robbieblocks dev` may need any part.
        parts = RUNTIME_PARTS.values() if styles == "separate" else islands.parts
        modules = self._modules(islands.components, parts)
        import_map = self._import_map(modules)
        runtime = self.bundle.runtime.asset
        mapped = f'<script type="importmap">{import_map}</script>'
        in_head, lines, first = [mapped], list[str](), ""
        inline_scripts: tuple[str, ...] = ()
        needed = self._modules(islands.eager, islands.eager_parts) if islands.eager else []
        # Several specifiers may lead to one file.
        links = dict.fromkeys(map(self._preload, needed))
        if styles == "separate":
            lines += links
        elif has_first_picture or has_modules:
            asked = self._asked_first(islands)
            if later := [each for each in links if each not in asked]:
                in_head.append(head.waiting(later))
            in_head.append(f"<script>{head.KEEP_PRESSES}</script>")
            inline_scripts = (head.KEEP_PRESSES,)
        else:
            in_head = [head.waiting([*links, head.SPECULATION_SCRIPT])]
            first = f"{mapped}<script>{head.ASK_ONCE_PAINTED}</script>"
            inline_scripts = (head.ASK_ONCE_PAINTED,)
        forms = [self.bundle.modules[_FORMS].asset] if _FORMS in islands.parts else []
        # The first is by what `robbieblocks dev` finds the page's script.
        lines += map(head.module_script, [runtime, *forms])
        if styles == "separate":
            # It compares all of the body but the blocks, and an edit has other modules.
            in_head, lines = [*in_head, *lines], []
        added = self._styles(modules)
        loaded = [self.bundle.modules[name] for name in (*modules, PRESSES)]
        maps = [each.browser_map for each in loaded if each.browser_map]
        return PageAssets(
            stylesheets=own.html,
            import_map=import_map,
            head_scripts="\n".join(in_head),
            first_scripts=first,
            scripts="\n".join(lines),
            assets=(*own.linked, runtime, *(each.asset for each in loaded), *maps),
            styles=None if added is None else (*own.texts, *added),
            inline_scripts=inline_scripts,
        )

    def searches(self, component: str) -> bool:
        """Whether the component is the package's reader of indexes, or imports it.

        What others name counts for nothing: the page's policy is wider with it.
        """
        return INDEX_READER in self.bundle.packaged and (
            component_specifier(INDEX_READER) in self._reach(component_specifier(component))
        )

    def maker(self, component: str) -> str:
        """With what the component, or one that it imports, may make HTML or scripts; or ""."""
        return self.html_setter(component) or self._script_maker(component)

    def _named(self, names: re.Pattern[str], component: str) -> str:
        """The first of the names that the code of the component has, or of one that it imports.

        Packages are not searched: none of those that components may import takes HTML from a prop
        of another name than React's, or makes HTML of a text.
        """
        reached = sorted(self._reach(component_specifier(component)))
        scripts = (
            self.bundle.modules[name].script for name in reached if name.startswith(_COMPONENTS)
        )
        return next((found for text in scripts if (found := first_name(names, text))), "")

    def _asked_first(self, islands: Islands) -> frozenset[str]:
        """The preloads of what islands.js imports itself as soon as it runs."""
        names = (_REACT, *map(component_specifier, islands.eager), *islands.eager_parts)
        return frozenset(map(self._preload, names))

    def _template_classes(self, component: str) -> frozenset[str]:
        """The classes of templates that the component's code names, or that of what it imports."""
        reached = self._reach(component_specifier(component))
        scripts = (self.bundle.modules[name].script for name in reached if name != _REACT)
        return frozenset[str]().union(*map(template_classes, scripts))

    def _styles(self, specifiers: Iterable[str]) -> tuple[str, ...] | None:
        modules = [self.bundle.modules[name] for name in specifiers]
        if any(module.computes_styles for module in modules):
            return None
        # An empty element is how packages add rules one by one (CSSOM).
        return ("", *(text for module in modules for text in module.styles))

    def _modules(self, components: Iterable[str], parts: Iterable[str]) -> list[str]:
        """The specifiers of all that these components need in the browser, and of `parts`."""
        reached = (self._reach(component_specifier(key)) for key in components)
        return sorted(self._runtime.union(parts, *reached))

    def _stylesheets(self, components: Collection[str], utilities: Asset | None) -> list[Asset]:
        """The stylesheets of base, components and utilities, in the order of their layers."""
        modules = self.bundle.modules
        used = frozenset[str]().union(*map(self._with_styles, components))
        own = [modules[name].stylesheet for name in sorted(used)]
        listed = (self.bundle.base_stylesheet, *own, utilities)
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
        integrity = ",".join(dict.fromkeys([entry[1] for entry in entries]))
        return f'{{"imports":{{{imports}}},"integrity":{{{integrity}}}}}'

    def _make_styles(
        self,
        components: frozenset[str],
        utilities: Asset | None,
        form: StyleForm,
        classes: frozenset[str],
    ) -> _Styles:
        sheets = self._stylesheets(components, utilities)
        if form in ("linked", "fixed"):
            sheets.remove(self.bundle.base_stylesheet)  # it is in the node's file
        elif form == "inline" and not head.too_large(sheets):
            whole = self.bundle.base_stylesheet
            needed = needed_styles(whole, classes)
            sheets = [needed if sheet is whole else sheet for sheet in sheets]
        linked = tuple(sheets) if form == "separate" else head.too_large(sheets)
        parts: list[str] = []
        texts: list[str] = []
        # In one layer the order of the sheets decides: it stays, whatever is linked.
        for is_linked, alike in itertools.groupby(sheets, key=linked.__contains__):
            if is_linked:
                parts += map(head.stylesheet, alike)
            elif text := head.style_text(alike):
                parts.append(head.style(text))
                texts.append(text)
        return _Styles("\n".join(parts), tuple(texts), linked)


def _reach(bundle: Bundle, specifier: str) -> frozenset[str]:
    """The module and all that it imports."""
    return frozenset(reachable([specifier], bundle.modules))


def _link(write: Callable[[Asset], str], bundle: Bundle, specifier: str) -> str:
    return write(bundle.modules[specifier].asset)
