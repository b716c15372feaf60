"""React and the packages that components may import: each an ES module and a CommonJS build.

There is one React on a page (`react`): each module leaves the others outside, and the import map
joins them. Of packages that are large sets of independent names (icons, date functions) a component
gets a module with the names it imports; a package that keeps state which its users share (a
theme, a context) is one module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from robbieblocks.bundle import react
from robbieblocks.bundle.compile import Esbuild, Output
from robbieblocks.bundle.entries import ToolchainCache, packed, unpacked, versioned
from robbieblocks.bundle.processes import KeepAlive, ScriptIsolate
from robbieblocks.bundle.run_at_load import compiled_at_once
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, Module, sha256
from robbieblocks.toolchain import Toolchain

_KIND: Final = "package"
_SCRIPT_TIMEOUT_S: Final = 20.0
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_BROWSER: Final = ("--format=esm", "--minify")
_ISOLATE: Final = ("--format=cjs", "--minify", "--inject:shim.js")
# A bare isolate has none of these. Packages name them when they are loaded, not to render.
_SHIM: Final = """
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
_REEXPORT: Final = re.compile(r"""export\s*\{([\w$\s,]+)\}\s*from\s*["'](\./[^"']+)["']""")

# Exported name to the name and the file that a package's index takes it from.
_IndexFiles = Mapping[str, tuple[str, str]]


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


class Packages:
    """The modules of one toolchain's packages, each compiled once and then cached.

    Whole packages are cached beside the toolchain, for all sites. Which subsets there are is
    decided by a site's components, so they are in the site's cache. `isolates` keeps the isolate
    in which packages are evaluated, one after another, where nothing of a toolchain is known yet.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        esbuild: Esbuild,
        toolchain_cache: ToolchainCache,
        site_cache: Cache,
        isolates: KeepAlive[ScriptIsolate],
    ) -> None:
        self._toolchain = toolchain
        self._esbuild = esbuild
        self._toolchain_cache = toolchain_cache
        self._site_cache = site_cache
        self._isolates = isolates
        self._names: dict[str, frozenset[str]] = {}
        self._modules: dict[str, Module] = {}
        self._indexes: dict[str, _IndexFiles] = {}

    def names(self, specifier: str) -> frozenset[str]:
        """The names that a package exports, `default` among them where it has one."""
        if specifier not in self._names:
            key = self._key("names", specifier)
            make = partial(self._evaluated_names, specifier)
            names = self._toolchain_cache.get_or_make(_KIND, key, make)
            self._names[specifier] = frozenset(json.loads(names))
        return self._names[specifier]

    def modules(self, parts: Iterable[PackagePart]) -> dict[str, Module]:
        """The modules of these parts and of all that they import, by specifier."""
        wanted = {part.specifier: part for part in parts}
        found: dict[str, Module] = {}
        while missing := [part for name, part in wanted.items() if name not in found]:
            found.update(self._loaded(missing))
            for module in list(found.values()):
                for specifier in module.imports:
                    wanted.setdefault(specifier, PackagePart.whole(specifier))
        return found

    @cached_property
    def react_script(self) -> str:
        """A script that defines globalThis.__rb: React, its DOM, its server and its JSX runtime."""
        key = self._key("react script", react.SCRIPT)
        # What packages have for React Native counts on no browser, such as a reader of UTF-16.
        make = partial(self._script, react.SCRIPT, "react-native,browser")
        return self._toolchain_cache.get_or_make(_KIND, key, make).decode()

    @cached_property
    def react_for_developers(self) -> Asset:
        """The file of React that its developer tools know; visitors load less."""
        part = PackagePart.whole("react")
        entry = react.one_file(self.names, for_developers=True)
        key = self._key("react for developers")
        made = self._toolchain_cache.get_or_make(_KIND, key, lambda: self._compiled(part, entry))
        return _module(part, made).asset

    def _key(self, *what: str) -> str:
        return sha256("\0".join((self._toolchain.id, *what)))

    def _part_key(self, part: PackagePart) -> str:
        names = "*" if part.names is None else ",".join(sorted(part.names))
        return self._key("module", part.specifier, part.package, names)

    def _loaded(self, parts: list[PackagePart]) -> dict[str, Module]:
        """Modules from memory, else from a cache, else compiled, two at a time."""
        new = [part for part in parts if part.specifier not in self._modules]
        wholes = {self._part_key(part): part for part in new if part.names is None}
        subsets = {self._part_key(part): part for part in new if part.names is not None}
        keys = wholes | subsets
        cached = self._toolchain_cache.get_many(_KIND, wholes)
        cached |= self._site_cache.get_many(versioned(_KIND), subsets)
        missing = {key: part for key, part in keys.items() if key not in cached}
        if missing:
            made = self._compiled_parts(missing)
            self._toolchain_cache.put_many(_KIND, {key: made[key] for key in made.keys() & wholes})
            self._site_cache.put_many(
                versioned(_KIND), {key: made[key] for key in made.keys() & subsets}
            )
            cached |= made
        for key, part in keys.items():
            self._modules[part.specifier] = _module(part, cached[key])
        return {part.specifier: self._modules[part.specifier] for part in parts}

    def _compiled_parts(self, parts: Mapping[str, PackagePart]) -> dict[str, bytes]:
        """The entries of parts by key, compiled two at a time."""
        # Names are evaluated here: the kernel ends the isolate with the thread that started it.
        entries = [self._entry(part) for part in parts.values()]
        with ThreadPoolExecutor(2) as pool:
            made = pool.map(self._compiled, parts.values(), entries)
            return dict(zip(parts, made, strict=True))

    def _entry(self, part: PackagePart) -> react.Entry:
        """What is compiled to the part's module."""
        entry = react.entry(part.specifier, self.names)
        if entry is not None:
            return entry
        names = [name for name in self._exported(part) if _IDENTIFIER.fullmatch(name)]
        files: Mapping[str, tuple[str, str]] = (
            {} if part.names is None else self._index_files(part.package)
        )
        return react.Entry(_entry(part, names, files))

    def _compiled(self, part: PackagePart, entry: react.Entry) -> bytes:
        text, more = entry
        outside = _externals(part.package, self._toolchain.packages)
        browser, isolate = [*_BROWSER, *outside, *more], [*_ISOLATE, *outside]
        in_isolate = react.IN_ISOLATE.get(part.specifier)
        option_sets = [browser] if in_isolate is not None else [browser, isolate]
        module, *common_js = self._built("vendor.js", text, *option_sets)
        imports = module.imports["vendor.js"]
        required = sorted({path for path, kind in imports if kind == "require-call"})
        if required:
            banner = f"--banner:js={_require_banner(required)}"
            (module,) = self._built("vendor.js", text, [*browser, banner])
        script = in_isolate.encode() if in_isolate is not None else common_js[0].files["vendor.js"]
        head = {"imports": list(dict.fromkeys(path for path, _ in imports))}
        code = compiled_at_once(module.files["vendor.js"])
        return packed(json.dumps(head), code, script)

    def _exported(self, part: PackagePart) -> frozenset[str]:
        return self.names(part.package) if part.names is None else part.names

    def _index_files(self, package: str) -> _IndexFiles:
        if package not in self._indexes:
            self._indexes[package] = _read_index(self._toolchain.modules / package)
        return self._indexes[package]

    def _built(self, entry: str, text: str, *option_sets: Iterable[str]) -> list[Output]:
        files = {entry: text, "shim.js": _SHIM}
        outputs = self._esbuild.run_each(files, [entry], option_sets)
        for output in outputs:
            if output.errors:
                messages = "; ".join(each.text for each in output.errors)
                raise ProcessFailed(f"the toolchain's own packages don't compile: {messages}")
        return outputs

    def _script(self, text: str, conditions: str = "browser") -> bytes:
        # No file that stands in for another in browsers: it would count on what is not there.
        neutral = ["--platform=neutral", "--main-fields=module,main", f"--conditions={conditions}"]
        options = ["--format=iife", "--minify", "--inject:shim.js", *neutral]
        return self._built("script.js", text, options)[0].files["script.js"]

    def _evaluated_names(self, specifier: str) -> bytes:
        """The exported names as JSON. CommonJS names can't be read from the text: it is run."""
        text = f'import * as all from "{specifier}"; globalThis.__names = Object.keys(all);'
        script = self._script(text).decode()
        with self._isolates.borrow("", lambda: ScriptIsolate((), _SCRIPT_TIMEOUT_S)) as isolate:
            isolate.run(script)
            names: list[str] = json.loads(str(isolate.run("JSON.stringify(__names)")))
        return json.dumps(sorted(name for name in names if name != "module.exports")).encode()


def _module(part: PackagePart, content: bytes) -> Module:
    head, module, script = unpacked(content)
    return Module(
        specifier=part.specifier,
        asset=Asset.of(react.file_of(part.package), "js", module),
        script=script.decode(),
        imports=tuple(json.loads(head)["imports"]),
    )


def _entry(part: PackagePart, names: Iterable[str], files: _IndexFiles) -> str:
    """A module that exports the names; of a subset, each straight from its own file.

    Going through the package's index costs half a second where that names thousands of files.
    """
    lines: list[str] = []
    for name in sorted(names):
        original, file = files.get(name, (name, part.package))
        lines.append(f"export {{{original} as {name}}} from {json.dumps(file)};\n")
    return "".join(lines)


def _read_index(package: Path) -> dict[str, tuple[str, str]]:
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


def _externals(package: str, packages: Iterable[str]) -> list[str]:
    """Options that leave the other packages outside of this one's module."""
    inside = react.inside(package)
    return [f"--external:{name}" for name in packages if name not in inside]


def _require_banner(required: list[str]) -> str:
    """Defines `require` for CommonJS inside of an ES module, for what is left outside of it."""
    imports = "".join(
        f"import*as __rb{n} from{json.dumps(name)};" for n, name in enumerate(required)
    )
    cases = ",".join(f"{json.dumps(name)}:__rb{n}" for n, name in enumerate(required))
    return f"{imports}const require=n=>({{{cases}}})[n];"
