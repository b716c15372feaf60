"""Tailwind's compiler for one theme, in an isolate: its CLI takes too long, and needs Node.

`__unstable__loadDesignSystem` is no public API of Tailwind. The toolchain's lock file pins the
version, and a test notices when another version gives something else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import tinycss2
from tinycss2.ast import AtRule

from robbieblocks.bundle.compile import Esbuild
from robbieblocks.bundle.entries import ToolchainCache, packed, unpacked
from robbieblocks.bundle.processes import KeepAlive, ScriptIsolate
from robbieblocks.bundle.tailwind.classes import KnownClasses
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import sha256
from robbieblocks.process import Killed
from robbieblocks.toolchain import Toolchain

_KIND: Final = "tailwind"
_SCRIPT_TIMEOUT_S: Final = 10.0
_ENTRY: Final = (
    'import{__unstable__loadDesignSystem as load}from"tailwindcss";globalThis.__load=load;'
)
_SCRIPT: Final = """
var console = { log() {}, warn() {}, error() {} }, system = null, failure = null;
function start(css) {
  const loadStylesheet = async () => { throw new Error("nothing is loaded here"); };
  const failed = e => { failure = String(e); };
  __load(css, { base: "/", loadStylesheet }).then(d => { system = d; }, failed);
}
function described() {
  if (!system) return JSON.stringify({ failure: String(failure) });
  const roots = ["static", "functional"].flatMap(kind => [...system.utilities.keys(kind)]);
  const theme = [...system.theme.entries()].map(([name, e]) => [name, e.value]);
  return JSON.stringify({ roots, theme });
}
function compiled(words, classes) {
  const css = words.map(word => {
    try { return system.candidatesToCss([word])[0]; } catch { return null; }
  });
  const found = [...classes, ...words.filter((_, n) => css[n])];
  const order = system.getClassOrder(found).filter(([, at]) => at !== null);
  order.sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify({ css, order: order.map(([word]) => word) });
}
"""


class _IsolateDied(ProcessFailed):
    """The isolate had started well, and ended over the words that it was asked about."""


class DesignSystem:
    """Tailwind's compiler with a theme, the CSS that follows Tailwind's own theme.

    `isolates` keeps the isolate that was asked last for the next question.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        esbuild: Esbuild,
        cache: ToolchainCache,
        isolates: KeepAlive[ScriptIsolate],
        theme_css: str,
    ) -> None:
        own = (toolchain.modules / "tailwindcss" / "theme.css").read_text(encoding="utf-8")
        key = sha256("\0".join(("compiler", toolchain.id)))
        entry = cache.get_or_make(_KIND, key, lambda: _compiler(esbuild, own))
        keyframes, script = unpacked(entry)
        self._keyframes: dict[str, str] = json.loads(keyframes)
        self._script = script.decode()
        self._css = own + theme_css + "@tailwind utilities;"
        self._key = sha256("\0".join((toolchain.id, self._css)))
        self._isolates = isolates

    def prepare(self) -> None:
        """Start an isolate, which gets ready while other work is done."""
        with self._isolates.borrow(self._key, self.start):
            pass

    def ask(self, known: KnownClasses, words: Sequence[str]) -> KnownClasses:
        """What is known, and what Tailwind makes of the words.

        A word that ends or blocks the isolate, and does so again when asked alone, is no class.
        Raises ProcessFailed where Tailwind can't start, or does not accept the theme, and where
        others kill it over and over: that says nothing of the words.
        """
        try:
            return self._asked(known, words)
        except _IsolateDied:
            if len(words) > 1:
                middle = len(words) // 2
                return self.ask(self.ask(known, words[:middle]), words[middle:])
        except Killed:
            # As it started.
            return self._asked(known, words)
        try:
            return self._asked(known, words)
        except _IsolateDied as error:
            if isinstance(error.__cause__, Killed):
                raise
            return known.without(words[0])

    def start(self) -> ScriptIsolate:
        """An isolate that loads Tailwind."""
        scripts = (_SCRIPT + self._script, f"start({json.dumps(self._css)});0", "described()")
        return ScriptIsolate(scripts, _SCRIPT_TIMEOUT_S)

    def _asked(self, known: KnownClasses, words: Sequence[str]) -> KnownClasses:
        with self._isolates.borrow(self._key, self.start) as isolate:
            described = self._with_theme(known, json.loads(str(isolate.first_result())))
            question = f"compiled({json.dumps(words)},{json.dumps([*described.rules])})"
            try:
                answer = json.loads(str(isolate.run(question)))
            except ProcessFailed as error:
                raise _IsolateDied(str(error)) from error
        return described.with_answer(words, answer["css"], answer["order"])

    def _with_theme(self, known: KnownClasses, description: dict[str, Any]) -> KnownClasses:
        if "failure" in description:
            why = description["failure"][:300]
            raise ProcessFailed(f"Tailwind does not take the style tokens: {why}")
        if known.roots:
            return known
        theme = {
            name: " ".join(str(value).split())
            for name, value in description["theme"]
            if value != f"var({name})" and not str(value).startswith("initial")
        }
        return replace(
            known, theme=theme, keyframes=self._keyframes, roots=frozenset(description["roots"])
        )


def _compiler(esbuild: Esbuild, theme: str) -> bytes:
    """The keyframes of Tailwind's theme and its compiler as one script, as a cache entry."""
    options = ["--format=iife", "--minify"]
    output = esbuild.run({"tailwind.js": _ENTRY}, ["tailwind.js"], options)
    if output.errors:
        raise ProcessFailed(f"Tailwind does not compile: {output.errors[0].text}")
    return packed(json.dumps(_keyframes(theme)), output.files["tailwind.js"])


def _keyframes(theme: str) -> dict[str, str]:
    return {
        tinycss2.serialize(each.prelude).strip(): each.serialize()
        for rule in tinycss2.parse_stylesheet(theme, True, True)
        if isinstance(rule, AtRule) and rule.content is not None
        for each in tinycss2.parse_blocks_contents(rule.content, True, True)
        if isinstance(each, AtRule) and each.lower_at_keyword == "keyframes"
    }
