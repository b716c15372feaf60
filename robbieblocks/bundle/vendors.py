"""React and the packages that components may import, each its own ES module, and its twin.

There is one React on a page: each module leaves the others outside, and the import map joins
them. Of packages that are large sets of independent names (icons, date functions) a component
gets a module with the names it imports, and nothing else is loaded; a package that keeps state
which its users share (a theme, a context) is one module.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from robbieblocks.bundle import esbuild
from robbieblocks.bundle.isolate import Isolate
from robbieblocks.bundle.kept import Kept
from robbieblocks.bundle.shelf import Shelf
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, Module, sha256
from robbieblocks.toolchain import Toolchain

REACT = ("react", "react/jsx-runtime", "react-dom", "react-dom/client")
RUNTIME_NEEDS = ("react", "react-dom/client")

# What decides the bytes besides the toolchain: raise it with any change to this file.
_RECIPE = "2"
_KIND = "vendor"
_EVALUATION_S = 20.0
# Packages are evaluated one after another, where nothing of this toolchain is known yet.
_KEPT: Final = Kept[Isolate](5.0)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_REEXPORT = re.compile(r"""export\s*\{([\w$\s,]+)\}\s*from\s*["'](\./[^"']+)["']""")
_BROWSER = ("--format=esm", "--minify")
_ISOLATE = ("--format=cjs", "--minify", "--inject:shim.js")

# In the isolate these are the ones that render, not copies.
_IN_ISOLATE = {
    "react": "module.exports=globalThis.__rb.React;",
    "react/jsx-runtime": "module.exports=globalThis.__rb.jsx;",
    "react-dom": "module.exports=globalThis.__rb.dom;",
}
_ISOLATE_ENTRY = """
const React = require("react");
const dom = require("react-dom");
const server = require("react-dom/server.browser");
const jsx = require("react/jsx-runtime");
globalThis.__rb = { React, dom, server, jsx };
"""
# A bare isolate has none of these. The packages ask for them when they are loaded, not to render.
_ISOLATE_SHIM = """
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


@dataclass(frozen=True, slots=True)
class Part:
    """A vendor module: a package, and of it the names that it has (None: all)."""

    specifier: str
    package: str
    names: frozenset[str] | None = None


def whole(specifier: str) -> Part:
    """A package's one module."""
    return Part(specifier, specifier)


class Vendors:
    """The vendor modules of one toolchain, each compiled once and then remembered.

    Whole packages are on the shelf, for all sites; which parts of packages there are is decided
    by a site's components, and so they are in its cache.
    """

    def __init__(self, toolchain: Toolchain, shelf: Shelf, cache: Cache) -> None:
        self._toolchain = toolchain
        self._shelf = shelf
        self._cache = cache
        self._names: dict[str, frozenset[str]] = {}
        self._modules: dict[str, Module] = {}
        self._indexes: dict[str, dict[str, tuple[str, str]]] = {}
        self._isolate: str | None = None

    def names(self, specifier: str) -> frozenset[str]:
        """What a package exports, `default` among it where it has one."""
        if specifier not in self._names:
            key = self._key("names", specifier)
            said = self._shelf.kept(_KIND, key, lambda: self._evaluated_names(specifier))
            self._names[specifier] = frozenset(json.loads(said))
        return self._names[specifier]

    def modules(self, parts: Iterable[Part]) -> dict[str, Module]:
        """The modules of these parts and of all that they import, by specifier."""
        wanted = {part.specifier: part for part in parts}
        found: dict[str, Module] = {}
        while missing := [part for name, part in wanted.items() if name not in found]:
            found.update(self._loaded(missing))
            for module in list(found.values()):
                for specifier in module.imports:
                    wanted.setdefault(specifier, whole(specifier))
        return found

    @property
    def isolate(self) -> str:
        """A script that defines globalThis.__rb: React, its DOM, its server and its JSX runtime."""
        if self._isolate is None:
            key = self._key("isolate", _ISOLATE_ENTRY + _ISOLATE_SHIM)
            script = self._shelf.kept(_KIND, key, lambda: self._script(_ISOLATE_ENTRY))
            self._isolate = script.decode()
        return self._isolate

    def _key(self, *what: str) -> str:
        return sha256("\0".join((_RECIPE, self._toolchain.id, *what)))

    def _part_key(self, part: Part) -> str:
        names = "*" if part.names is None else ",".join(sorted(part.names))
        return self._key("module", part.specifier, part.package, names)

    def _loaded(self, parts: list[Part]) -> dict[str, Module]:
        """Modules from memory, else as they are remembered, else compiled, two at a time."""
        ready = {
            p.specifier: self._modules[p.specifier] for p in parts if p.specifier in self._modules
        }
        new = [part for part in parts if part.specifier not in ready]
        wholes = {self._part_key(part): part for part in new if part.names is None}
        subsets = {self._part_key(part): part for part in new if part.names is not None}
        keys = wholes | subsets
        known = self._shelf.get_many(_KIND, wholes) | self._cache.get_many(_KIND, subsets)
        missing = {key: part for key, part in keys.items() if key not in known}
        if missing:
            for part in missing.values():
                # Here: the isolate that says them ends with the thread that started it.
                self._asked_for(part)
            with ThreadPoolExecutor(2) as pool:
                built = dict(zip(missing, pool.map(self._compiled, missing.values()), strict=True))
            self._shelf.put_many(_KIND, {key: built[key] for key in wholes if key in built})
            self._cache.put_many(_KIND, {key: built[key] for key in subsets if key in built})
            known |= built
        for key, part in keys.items():
            ready[part.specifier] = self._modules[part.specifier] = _module(part, known[key])
        return ready

    def _compiled(self, part: Part) -> bytes:
        """Both formats of one module, packed for the cache."""
        names = [name for name in self._asked_for(part) if _IDENTIFIER.fullmatch(name)]
        source = self._entry(part, names)
        outside = self._outside(part.package)
        sources = {"vendor.js": source, "shim.js": _ISOLATE_SHIM}
        sets = [[*_BROWSER, *outside], [*_ISOLATE, *outside]]
        own = _IN_ISOLATE.get(part.specifier)
        if own is not None:
            sets.pop()
        module, *twin = self._built(sources, "vendor.js", *sets)
        imports = module.imports["vendor.js"]
        required = sorted({path for path, kind in imports if kind == "require-call"})
        if required:
            options = [*sets[0], f"--banner:js={_require_banner(required)}"]
            (module,) = self._built(sources, "vendor.js", options)
        script = twin[0].files["vendor.js"] if own is None else own.encode()
        head = {"imports": list(dict.fromkeys(path for path, _ in imports))}
        return packed(json.dumps(head), module.files["vendor.js"], script)

    def _asked_for(self, part: Part) -> frozenset[str]:
        """The names that a part's module exports."""
        return self.names(part.package) if part.names is None else part.names

    def _entry(self, part: Part, names: Iterable[str]) -> str:
        """A module that exports the names; of a part, each straight from its own file.

        Going through the package's index costs half a second where that names thousands of files.
        """
        files = {} if part.names is None else self._files(part.package)
        lines = []
        for name in sorted(names):
            there, file = files.get(name, (name, self._file(part)))
            lines.append(f"export {{{there} as {name}}} from {json.dumps(file)};\n")
        return "".join(lines)

    def _files(self, package: str) -> dict[str, tuple[str, str]]:
        """Exported name to the name and file that the package's index takes it from."""
        if package in self._indexes:
            return self._indexes[package]
        folder = self._toolchain.modules / package
        about = folder / "package.json"
        listed = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
        index = folder / listed.get("module", "index.js")
        text = index.read_text(encoding="utf-8") if index.is_file() else ""
        found: dict[str, tuple[str, str]] = {}
        for names, file in _REEXPORT.findall(text):
            for each in names.split(","):
                there, _, here = each.strip().partition(" as ")
                found[here or there] = (there, str(index.parent / file))
        self._indexes[package] = found
        return found

    def _file(self, part: Part) -> str:
        """What the entry imports: of a package that is left outside, the file itself."""
        if part.specifier == "react-dom/client":
            return str(self._toolchain.modules / "react-dom" / "client.js")
        return part.package

    def _outside(self, package: str) -> list[str]:
        """The packages that stay outside of this one's module."""
        inside = {package} if package == "react-dom/client" else {package.partition("/")[0]}
        return [f"--external:{name}" for name in self._toolchain.packages if name not in inside]

    def _built(
        self, sources: Mapping[str, str], entry: str, *option_sets: Iterable[str]
    ) -> list[esbuild.Output]:
        outputs = esbuild.run_each(self._toolchain, sources, [entry], option_sets)
        for output in outputs:
            if not output.ok:
                said = "; ".join(each.text for each in output.messages)
                raise ProcessFailed(f"the toolchain's own packages don't compile: {said}")
        return outputs

    def _script(self, source: str) -> bytes:
        """A script for a bare isolate, with all that it imports."""
        sources = {"script.js": source, "shim.js": _ISOLATE_SHIM}
        options = ["--format=iife", "--minify", "--inject:shim.js"]
        return self._built(sources, "script.js", options)[0].files["script.js"]

    def _evaluated_names(self, specifier: str) -> bytes:
        """Asks the package itself, in an isolate: CommonJS names can't be read from the text."""
        source = f'import * as all from "{specifier}"; globalThis.__names = Object.keys(all);'
        script = self._script(source).decode()
        with _KEPT.lent("", lambda: Isolate((), _EVALUATION_S)) as isolate:
            isolate.run(script)
            names = json.loads(isolate.run("JSON.stringify(__names)"))
        return json.dumps(sorted(name for name in names if name != "module.exports")).encode()


def _require_banner(required: list[str]) -> str:
    """Gives CommonJS inside of an ES module its `require` of what is outside."""
    imports = "".join(
        f"import*as __rb{n} from{json.dumps(name)};" for n, name in enumerate(required)
    )
    cases = ",".join(f"{json.dumps(name)}:__rb{n}" for n, name in enumerate(required))
    return f"{imports}const require=n=>({{{cases}}})[n];"


def _module(part: Part, content: bytes) -> Module:
    head, module, script = unpacked(content)
    return Module(
        specifier=part.specifier,
        asset=Asset.of(part.package, "js", module),
        script=script.decode(),
        imports=tuple(json.loads(head)["imports"]),
    )


def packed(head: str, *parts: bytes) -> bytes:
    """A JSON head and blobs as one value: reading it parses only the head."""
    blobs = [head.encode(), *parts]
    lengths = struct.pack(f">B{len(blobs)}I", len(blobs), *map(len, blobs))
    return lengths + b"".join(blobs)


def unpacked(content: bytes) -> list[bytes]:
    """What `packed` was given."""
    count = content[0]
    lengths = struct.unpack_from(f">{count}I", content, 1)
    start = 1 + 4 * count
    blobs: list[bytes] = []
    for length in lengths:
        blobs.append(content[start : start + length])
        start += length
    return blobs
