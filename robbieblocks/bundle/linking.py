"""Modules that name the components they import by file, so that a page can load a changed one.

A browser resolves `@robbieblocks/<key>` once in a page's life. A file's name changes with its
content, and so with that of all it imports: what has not changed stays the very same module.
"""

from __future__ import annotations

import re
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Final

from robbieblocks.bundle.browser_maps import with_map, without_comment
from robbieblocks.model import Asset, Bundle, Module, component_specifier
from robbieblocks.source_maps import moved

_COMPONENTS: Final = component_specifier("")
# As esbuild writes an import, minified: `from"@robbieblocks/a"`, `import"..."`, `import("...")`.
_IMPORT: Final = re.compile(rb'(\b(?:from|import)\s*+\(?\s*+)"([^"\\]+)"')


def linked(bundle: Bundle) -> Bundle:
    """The bundle with its components linked; no component imports itself, however indirectly."""
    imports = {
        name: [each for each in module.imports if each.startswith(_COMPONENTS)]
        for name, module in bundle.modules.items()
        if name.startswith(_COMPONENTS)
    }
    modules = dict(bundle.modules)
    for name in TopologicalSorter(imports).static_order():
        if imports.get(name):
            urls = {each.encode(): modules[each].asset.url.encode() for each in imports[name]}
            modules[name] = _with_urls(modules[name], urls)
    return replace(bundle, modules=modules)


def _with_urls(module: Module, urls: dict[bytes, bytes]) -> Module:
    """The module with the imports of `urls` by URL."""

    def by_url(found: re.Match[bytes]) -> bytes:
        url = urls.get(found[2])
        return found[0] if url is None else found[1] + b'"' + url + b'"'

    before = without_comment(module)
    content = _IMPORT.sub(by_url, before)
    stem = module.specifier.removeprefix(_COMPONENTS)
    made = replace(module, asset=Asset.of(stem, "js", content), browser_map=None)
    if module.browser_map is None:
        return made
    # Imports are the first that esbuild writes: all that can fail stands behind them.
    source_map = module.browser_map.content.decode()
    return with_map(made, moved(source_map, _columns(content) - _columns(before)))


def _columns(text: bytes) -> int:
    """How many columns a text has, as source maps count them: in UTF-16."""
    return len(text.decode("utf-8", "replace").encode("utf-16-le")) // 2
