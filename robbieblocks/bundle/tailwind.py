"""Tailwind's utilities for the classes that components use; no Node, and no pass over files.

Tailwind's own compiler runs in an isolate, in a process of its own, and what it said of a word is
kept: the isolate starts only for words that were never seen and may be classes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import tinycss2
from tinycss2.ast import AtRule

from robbieblocks.bundle import esbuild
from robbieblocks.bundle.css import minified
from robbieblocks.bundle.isolate import Isolate
from robbieblocks.bundle.kept import Kept
from robbieblocks.bundle.shelf import Shelf
from robbieblocks.bundle.theme import property_of, theme_css
from robbieblocks.bundle.utilities import taken
from robbieblocks.bundle.vendors import packed, unpacked
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, TokenRow, sha256
from robbieblocks.toolchain import Toolchain

_RECIPE = "2"
_KIND = "tailwind"
_EVAL_S = 10.0
_VARIABLE = re.compile(r"--[a-zA-Z0-9_-]+")
_MOST_WORDS = 60_000
_MOST_SHEETS = 4000
# The next new class costs milliseconds where the isolate runs, and 60 MB. Then it goes.
_KEPT: Final = Kept[Isolate](5.0)

_ENTRY = 'import{__unstable__loadDesignSystem as load}from"tailwindcss";globalThis.__load=load;'
_START = """
var console = { log() {}, warn() {}, error() {} }, system = null, failure = null;
function start(css) {
  const loadStylesheet = async () => { throw new Error("nothing is loaded here"); };
  const failed = e => { failure = String(e); };
  __load(css, { base: "/", loadStylesheet }).then(d => { system = d; }, failed);
}
function ready() {
  if (!system) return JSON.stringify({ failure: String(failure) });
  const roots = ["static", "functional"].flatMap(kind => [...system.utilities.keys(kind)]);
  const theme = [...system.theme.entries()].map(([name, e]) => [name, e.value]);
  return JSON.stringify({ roots, theme });
}
function asked(words, rules) {
  const css = words.map(word => {
    try { return system.candidatesToCss([word])[0]; } catch { return null; }
  });
  const found = [...rules, ...words.filter((_, n) => css[n])];
  const order = system.getClassOrder(found).filter(([, at]) => at !== null);
  order.sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify({ css, order: order.map(([word]) => word) });
}
"""


@dataclass(slots=True)
class _Known:
    """What Tailwind said under one theme: rules in its order, and words that are no classes.

    `roots` are what every class begins with: of other words nothing is asked.
    """

    rules: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    nothing: set[str] = field(default_factory=set)
    theme: dict[str, str] = field(default_factory=dict)
    keyframes: dict[str, str] = field(default_factory=dict)
    roots: frozenset[str] = frozenset()

    def packed(self) -> bytes:
        return json.dumps(
            {
                "rules": list(self.rules.items()),
                "properties": self.properties,
                "nothing": sorted(self.nothing),
                "theme": self.theme,
                "keyframes": self.keyframes,
                "roots": sorted(self.roots),
            }
        ).encode()

    @classmethod
    def unpacked(cls, content: bytes) -> _Known:
        said: dict[str, Any] = json.loads(content)
        return cls(
            rules=dict(said["rules"]),
            properties=said["properties"],
            nothing=set(said["nothing"]),
            theme=said["theme"],
            keyframes=said["keyframes"],
            roots=frozenset(said["roots"]),
        )

    def lacks(self, words: Iterable[str]) -> list[str]:
        """The words of which Tailwind must be asked; all of them, where it never was."""
        return [
            word
            for word in words
            if word not in self.rules
            and word not in self.nothing
            and (not self.roots or may_be_class(word, self.roots))
        ]


def may_be_class(word: str, roots: Collection[str]) -> bool:
    """Whether a word may be a class of utilities with these names; many that may are none.

    Before a utility stand variants, each with a colon; it may be negative or important, and have
    a value behind a dash and a modifier behind a slash.
    """
    for part in word.split(":"):
        base = part.strip("!")
        if base.startswith("[") or base.partition("/")[0] in roots:
            return True
        at = base.find("-", 1)
        while at > 0:
            if base[:at] in roots:
                return True
            at = base.find("-", at + 1)
    return False


class Tailwind:
    """Utilities under one set of tokens."""

    def __init__(
        self, toolchain: Toolchain, shelf: Shelf, cache: Cache, tokens: Sequence[TokenRow]
    ) -> None:
        self._toolchain = toolchain
        self._shelf = shelf
        self._cache = cache
        self._own = {f"--{property_of(token.key)}" for token in tokens}
        self._css = theme_css(tokens)
        self._key = sha256("\0".join((_RECIPE, toolchain.id, self._css)))
        self._known = _Known()
        self._learnt: frozenset[str] = frozenset()
        self._compiler: _Compiler | None = None
        self._sheets: dict[frozenset[str], Asset | None] = {}

    def prepare(self) -> None:
        """Has Tailwind get ready while other work is done, where it will have to be asked."""
        if not self._known.roots:
            self._recall()
        if not self._known.roots:
            self._asking().prepare()

    def learn(self, words: frozenset[str]) -> None:
        """Makes sure that every word is known; asks Tailwind only about new ones."""
        if self._known.lacks(words - self._learnt):
            # Another process may have asked already.
            self._recall()
            if missing := self._known.lacks(words):
                if len(self._known.nothing) > _MOST_WORDS:
                    self._known.nothing.clear()
                self._asking().ask(self._known, missing)
                self._cache.put_many(_KIND, {self._key: self._known.packed()})
        self._learnt = words if len(self._learnt) > _MOST_WORDS else self._learnt | words

    def _recall(self) -> None:
        content = self._cache.get_many(_KIND, [self._key]).get(self._key)
        if content is not None:
            self._known = _Known.unpacked(content)

    def _asking(self) -> _Compiler:
        if self._compiler is None:
            self._compiler = _Compiler(self._toolchain, self._shelf, self._css)
        return self._compiler

    def used(self, words: frozenset[str]) -> frozenset[str]:
        """Those of the words, all of them learnt before, that a stylesheet has something for."""
        known = self._known
        variables = frozenset(w for w in words if w.startswith("--") and w in known.theme)
        return frozenset(words & known.rules.keys()) | variables

    def sheet(self, used: frozenset[str]) -> Asset | None:
        """The stylesheet of words that are `used`; None where there is none."""
        known = self._known
        if len(self._sheets) > _MOST_SHEETS:
            self._sheets.clear()
        if used not in self._sheets:
            self._sheets[used] = self._written(known, used)
        return self._sheets[used]

    def _written(self, known: _Known, used: frozenset[str]) -> Asset | None:
        if not used:
            return None
        rules = "".join(css for word, css in known.rules.items() if word in used)
        variables = self._variables(known, rules + " ".join(w for w in used if w.startswith("--")))
        palette = "".join(f"{name}:{value};" for name, value in sorted(variables.items()))
        frames = "".join(
            css
            for name, css in sorted(known.keyframes.items())
            if any(
                re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", v) for v in variables.values()
            )
            or re.search(rf"animation[^;{{}}]*(?<![\w-]){re.escape(name)}(?![\w-])", rules)
        )
        registered: dict[str, str] = {}
        for word in sorted(used):
            registered.update(known.properties.get(word, {}))
        css = (
            (f"@layer tokens.palette{{:root{{{palette}}}}}" if palette else "")
            + f"@layer utilities{{{rules}}}{frames}"
            + "".join(registered[name] for name in sorted(registered))
        )
        return Asset.of("utilities", "css", minified(css))

    def _variables(self, known: _Known, css: str) -> dict[str, str]:
        """The theme's variables that the rules refer to, which no token defines."""
        found: dict[str, str] = {}
        todo = _VARIABLE.findall(css)
        while todo:
            name = todo.pop()
            if name in found or name in self._own or name not in known.theme:
                continue
            found[name] = known.theme[name]
            todo += _VARIABLE.findall(known.theme[name])
        return found


class _DiedError(ProcessFailed):
    """The isolate had started well, and did not survive what it was asked."""


class _Compiler:
    """Tailwind's compiler under one theme."""

    def __init__(self, toolchain: Toolchain, shelf: Shelf, css: str) -> None:
        self._script, self._keyframes = _compiler(toolchain, shelf)
        theme = (toolchain.modules / "tailwindcss" / "theme.css").read_text(encoding="utf-8")
        self._css = theme + css + "@tailwind utilities;"
        self._key = sha256("\0".join((toolchain.id, self._css)))

    def prepare(self) -> None:
        """Have an isolate on its way."""
        with _KEPT.lent(self._key, self._started):
            pass

    def ask(self, known: _Known, words: list[str]) -> None:
        """Adds what Tailwind makes of the words to what is known.

        What kills or blocks the isolate, and again when it is alone, is no class.
        """
        try:
            self._learn(known, words)
        except _DiedError:
            if len(words) > 1:
                middle = len(words) // 2
                self.ask(known, words[:middle])
                self.ask(known, words[middle:])
                return
            try:
                self._learn(known, words)
            except _DiedError:
                known.nothing.add(words[0])

    def _learn(self, known: _Known, words: list[str]) -> None:
        with _KEPT.lent(self._key, self._started) as isolate:
            self._learn_theme(known, json.loads(isolate.begun()))
            try:
                answer = isolate.run(f"asked({json.dumps(words)},{json.dumps([*known.rules])})")
            except ProcessFailed as error:
                raise _DiedError(str(error)) from error
        said: dict[str, list[Any]] = json.loads(answer)
        for word, css in zip(words, said["css"], strict=True):
            kept = taken(word, css) if css else None
            if kept is not None:
                known.rules[word], known.properties[word] = kept
            elif may_be_class(word, known.roots):
                known.nothing.add(word)
        known.rules = {word: known.rules[word] for word in said["order"] if word in known.rules}

    def _learn_theme(self, known: _Known, said: dict[str, Any]) -> None:
        if "failure" in said:
            why = said["failure"][:300]
            raise ProcessFailed(f"Tailwind does not take the style tokens: {why}")
        if known.roots:
            return
        known.roots = frozenset(said["roots"])
        known.keyframes = self._keyframes
        known.theme = {
            name: " ".join(str(value).split())
            for name, value in dict(said["theme"]).items()
            if value != f"var({name})" and not str(value).startswith("initial")
        }

    def _started(self) -> Isolate:
        scripts = (_START + self._script, f"start({json.dumps(self._css)});0", "ready()")
        return Isolate(scripts, _EVAL_S)


def _compiler(toolchain: Toolchain, shelf: Shelf) -> tuple[str, dict[str, str]]:
    """Tailwind's compiler as one script, and the keyframes of its theme."""
    theme = toolchain.modules / "tailwindcss" / "theme.css"

    def make() -> bytes:
        options = ["--format=iife", "--minify"]
        output = esbuild.run(toolchain, {"tailwind.js": _ENTRY}, ["tailwind.js"], options)
        if not output.ok:
            raise ProcessFailed(f"Tailwind does not compile: {output.messages[0].text}")
        keyframes = json.dumps(_keyframes(theme.read_text(encoding="utf-8")))
        return packed(keyframes, output.files["tailwind.js"])

    key = sha256("\0".join(("compiler", toolchain.id)))
    keyframes, script = unpacked(shelf.kept(_KIND, key, make))
    return script.decode(), json.loads(keyframes)


def _keyframes(theme: str) -> dict[str, str]:
    """The keyframes in a theme's rules, by name."""
    return {
        tinycss2.serialize(each.prelude).strip(): each.serialize()
        for rule in tinycss2.parse_stylesheet(theme, True, True)
        if isinstance(rule, AtRule) and rule.content is not None
        for each in tinycss2.parse_blocks_contents(rule.content, True, True)
        if isinstance(each, AtRule) and each.lower_at_keyword == "keyframes"
    }


def variables_in(texts: Iterable[str]) -> frozenset[str]:
    """The custom properties that texts refer to."""
    return frozenset(name for text in texts for name in _VARIABLE.findall(text))
