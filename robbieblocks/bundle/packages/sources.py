"""The texts that esbuild compiles packages from: entries, shims for the isolate, banners."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A bare isolate has none of these. Packages name them when they are loaded, not to render.
SHIM: Final = """
export class MessageChannel {
  constructor() { this.port1 = {}; this.port2 = { postMessage() {} }; }
}
export class TextEncoder { encode() { return new Uint8Array(0); } }
export const queueMicrotask = () => {};
export const setTimeout = () => 0;
export const clearTimeout = () => {};
export const setInterval = () => 0;
export const clearInterval = () => {};
"""
# The CommonJS builds of React's packages: in the isolate, all use the copies that render.
REACT_IN_ISOLATE: Final = {
    "react": "module.exports=globalThis.__rb.React;",
    "react/jsx-runtime": "module.exports=globalThis.__rb.jsx;",
    "react-dom": "module.exports=globalThis.__rb.dom;",
}
REACT_SCRIPT: Final = """
const React = require("react");
const dom = require("react-dom");
const server = require("react-dom/server.browser");
const jsx = require("react/jsx-runtime");
globalThis.__rb = { React, dom, server, jsx };
"""
_REEXPORT: Final = re.compile(r"""export\s*\{([\w$\s,]+)\}\s*from\s*["'](\./[^"']+)["']""")

# Exported name to the name and the file that a package's index takes it from.
IndexFiles = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PackagePart:
    """A module of a package: all of the package, or the `names` of a subset of its exports."""

    specifier: str
    package: str
    names: frozenset[str] | None = None

    @classmethod
    def whole(cls, specifier: str) -> PackagePart:
        """A package's one module."""
        return cls(specifier, specifier)


def entry(part: PackagePart, names: Iterable[str], modules: Path, files: IndexFiles) -> str:
    """A module that exports the names; of a subset, each straight from its own file.

    Going through the package's index costs half a second where that names thousands of files.
    """
    lines: list[str] = []
    for name in sorted(names):
        original, file = files.get(name, (name, _imported_file(part, modules)))
        lines.append(f"export {{{original} as {name}}} from {json.dumps(file)};\n")
    return "".join(lines)


def index_files(package: Path) -> dict[str, tuple[str, str]]:
    """What the index of a package (its folder) exports from its other files."""
    about = package / "package.json"
    index = package / "index.js"
    if about.is_file():
        index = package / str(json.loads(about.read_text("utf-8")).get("module", "index.js"))
    text = index.read_text(encoding="utf-8") if index.is_file() else ""
    found: dict[str, tuple[str, str]] = {}
    for names, file in _REEXPORT.findall(text):
        for each in names.split(","):
            original, _, renamed = each.strip().partition(" as ")
            found[renamed or original] = (original, str(index.parent / file))
    return found


def externals(package: str, packages: Iterable[str]) -> list[str]:
    """Options that leave the other packages outside of this one's module."""
    inside = {package} if package == "react-dom/client" else {package.partition("/")[0]}
    return [f"--external:{name}" for name in packages if name not in inside]


def require_banner(required: list[str]) -> str:
    """Defines `require` for CommonJS inside of an ES module, for what is left outside of it."""
    imports = "".join(
        f"import*as __rb{n} from{json.dumps(name)};" for n, name in enumerate(required)
    )
    cases = ",".join(f"{json.dumps(name)}:__rb{n}" for n, name in enumerate(required))
    return f"{imports}const require=n=>({{{cases}}})[n];"


def _imported_file(part: PackagePart, modules: Path) -> str:
    """What the entry imports. A package that is left outside is imported by its file."""
    if part.specifier == "react-dom/client":
        return str(modules / "react-dom" / "client.js")
    return part.package
