"""The page's own scripts: the one that each page with islands loads, and its parts.

A part is what few visits need. Pages that may need it name it in their import maps; `islands.js`
imports it when it does. What every page may need has its address in `islands.js` itself: that is
shorter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from robbieblocks.bundle.compile import Esbuild
from robbieblocks.bundle.component_graph import RESERVED_KEY
from robbieblocks.bundle.entries import ToolchainCache, packed, unpacked
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import PRESSES, RUNTIME_PARTS, Asset, Module, component_specifier, sha256

_KIND: Final = "page file"
_RUNTIME: Final = Path(__file__).parent / "runtime"
_MAIN: Final = "islands"
# By the names of their files.
_PARTS: Final = {**RUNTIME_PARTS, "presses": PRESSES}


def page_scripts(
    esbuild: Esbuild, cache: ToolchainCache, toolchain: str
) -> tuple[Module, dict[str, Module]]:
    """The script of all pages with islands, and its parts by specifier.

    They are compiled once for each `toolchain`, which is its id.
    """
    key = sha256("\0".join(("page scripts", toolchain)))
    main, *parts = unpacked(cache.get_or_make(_KIND, key, lambda: _compiled(esbuild)))
    made = {
        specifier: _module(specifier, name, content)
        for (name, specifier), content in zip(_PARTS.items(), parts, strict=True)
    }
    return _module(component_specifier(RESERVED_KEY), _MAIN, main), made


def _module(specifier: str, name: str, content: bytes) -> Module:
    return Module(specifier=specifier, asset=Asset.of(name, "js", content), script="")


def _compiled(esbuild: Esbuild) -> bytes:
    parts = _built(esbuild, list(_PARTS))
    address = _module(PRESSES, "presses", parts["presses"]).asset.url
    known = [f"--alias:{PRESSES}={address}", f"--external:{address}"]
    main = _built(esbuild, [_MAIN], *known)[_MAIN]
    return packed(main.decode(), *parts.values())


def _built(esbuild: Esbuild, names: list[str], *options: str) -> dict[str, bytes]:
    outside = [f"--external:{name}" for name in ("react", *RUNTIME_PARTS.values())]
    files = {file.name: file.read_bytes() for file in sorted(_RUNTIME.glob("*.js"))}
    entries = [f"{name}.js" for name in names]
    output = esbuild.run(files, entries, [*outside, *options, "--format=esm", "--minify"])
    if output.errors:
        raise ProcessFailed(f"the page's own scripts do not compile: {output.errors[0].text}")
    return {name: output.files[entry] for name, entry in zip(names, entries, strict=True)}
