"""Files that every page loads: the script that hydrates islands, and the base stylesheet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from robbieblocks.bundle.compile import Esbuild
from robbieblocks.bundle.component_graph import RESERVED_KEY
from robbieblocks.bundle.entries import packed, unpacked, versioned
from robbieblocks.bundle.toolchain_cache import ToolchainCache
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, Module, component_specifier, sha256
from robbieblocks.toolchain import Toolchain

_KIND: Final = "page file"
_ISLANDS: Final = Path(__file__).parent / "runtime" / "islands.js"


def islands_module(toolchain: Toolchain, esbuild: Esbuild, cache: ToolchainCache) -> Module:
    """The page's own script, compiled. Raises ProcessFailed where esbuild can't run."""
    key = sha256("\0".join(("islands", toolchain.id)))
    head, module = unpacked(cache.get_or_make(_KIND, key, lambda: _compiled_islands(esbuild)))
    return Module(
        specifier=component_specifier(RESERVED_KEY),
        asset=Asset.of("islands", "js", module),
        script="",
        imports=tuple(head.decode().split()),
    )


def base_stylesheet(toolchain: Toolchain, esbuild: Esbuild, cache: Cache, css: str) -> Asset:
    """The templates' own CSS, minified. Raises ProcessFailed where esbuild can't run or read it."""
    key = sha256("\0".join(("base", toolchain.id, css)))
    content = cache.get_many(versioned(_KIND), [key]).get(key)
    if content is None:
        options = ["--external:*", "--minify", "--legal-comments=none"]
        output = esbuild.run({"base.css": css}, ["base.css"], options)
        if not output.ok:
            first = output.messages[0]
            raise ProcessFailed(f"the templates' CSS, line {first.line}: {first.text}")
        content = output.files["base.css"]
        cache.put_many(versioned(_KIND), {key: content})
    return Asset.of("base", "css", content)


def _compiled_islands(esbuild: Esbuild) -> bytes:
    options = ["--external:*", "--format=esm", "--minify"]
    output = esbuild.run({"islands.js": _ISLANDS.read_bytes()}, ["islands.js"], options)
    if not output.ok:
        raise ProcessFailed(f"the page's own script does not compile: {output.messages[0].text}")
    names = sorted({name for name, _ in output.imports["islands.js"]})
    return packed("\n".join(names), output.files["islands.js"])
