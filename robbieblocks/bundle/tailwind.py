"""Tailwind's utilities for the classes that components use; no Node, and no pass over files.

Tailwind's own compiler runs in an isolate, and what it said of a word is kept: the isolate starts
only for words that were never seen. Words come from stored texts, so they may be hostile: a rule
is kept only if it styles the element that has the class, or what is in it, and fetches nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import tinycss2
from py_mini_racer import JSEvalException, MiniRacer
from tinycss2.ast import AtRule, Node, QualifiedRule

from robbieblocks.bundle import esbuild
from robbieblocks.bundle.css import foreign_urls, minified
from robbieblocks.bundle.shelf import Shelf
from robbieblocks.bundle.theme import property_of, theme_css
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, TokenRow, sha256
from robbieblocks.toolchain import Toolchain

_RECIPE = "1"
_KIND = "tailwind"
_EVAL_S = 10.0
_MEMORY = 256 * 1024 * 1024
_GROUPS = frozenset({"media", "supports", "container", "starting-style"})
_VARIABLE = re.compile(r"--[a-zA-Z0-9_-]+")
_MOST_WORDS = 60_000
_MOST_SHEETS = 4000

_ENTRY = 'import{__unstable__loadDesignSystem as load}from"tailwindcss";globalThis.__load=load;'
_START = """
var console = { log() {}, warn() {}, error() {} }, system = null, failure = null;
function start(css) {
  const loadStylesheet = async () => { throw new Error("nothing is loaded here"); };
  const failed = e => { failure = String(e); };
  __load(css, { base: "/", loadStylesheet }).then(d => { system = d; }, failed);
}
function theme() {
  return JSON.stringify([...system.theme.entries()].map(([name, e]) => [name, e.value]));
}
function compiled(words) {
  return JSON.stringify(words.map(word => {
    try { return system.candidatesToCss([word])[0]; } catch { return null; }
  }));
}
function ordered(words) {
  const order = system.getClassOrder(words).filter(([, at]) => at !== null);
  order.sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(order.map(([word]) => word));
}
"""


@dataclass(slots=True)
class _Known:
    """What Tailwind said under one theme: rules in its order, and words that are no classes."""

    rules: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    nothing: set[str] = field(default_factory=set)
    theme: dict[str, str] = field(default_factory=dict)
    keyframes: dict[str, str] = field(default_factory=dict)

    def packed(self) -> bytes:
        return json.dumps(
            {
                "rules": list(self.rules.items()),
                "properties": self.properties,
                "nothing": sorted(self.nothing),
                "theme": self.theme,
                "keyframes": self.keyframes,
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
        )

    def lacks(self, words: Iterable[str]) -> list[str]:
        return [word for word in words if word not in self.rules and word not in self.nothing]


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
        self._known: _Known | None = None
        self._compiler: _Compiler | None = None
        self._sheets: dict[frozenset[str], Asset | None] = {}

    def learn(self, words: Collection[str]) -> None:
        """Makes sure that every word is known; asks Tailwind only about new ones."""
        known = self._known
        if known is None or known.lacks(words):
            # Another process may have asked already.
            content = self._cache.get_many(_KIND, [self._key]).get(self._key)
            known = _Known.unpacked(content) if content else known or _Known()
        missing = [word for word in known.lacks(words) if not word.startswith("--")]
        if missing:
            if len(known.nothing) > _MOST_WORDS:
                known.nothing.clear()
            if self._compiler is None or self._compiler.asked > _MOST_WORDS:
                self._compiler = _Compiler(self._toolchain, self._shelf, self._css)
            self._compiler.ask(known, missing)
            self._cache.put_many(_KIND, {self._key: known.packed()})
        self._known = known

    def used(self, words: frozenset[str]) -> frozenset[str]:
        """Those of the words, all of them learnt before, that a stylesheet has something for."""
        known = self._known or _Known()
        variables = frozenset(w for w in words if w.startswith("--") and w in known.theme)
        return frozenset(words & known.rules.keys()) | variables

    def sheet(self, used: frozenset[str]) -> Asset | None:
        """The stylesheet of words that are `used`; None where there is none."""
        known = self._known or _Known()
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


class _Compiler:
    """Tailwind's compiler in an isolate; started anew where one died of a word.

    It stays warm: the next new class in this process costs a few milliseconds (and 15 MB).
    """

    def __init__(self, toolchain: Toolchain, shelf: Shelf, css: str) -> None:
        self._script = _script(toolchain, shelf)
        folder = toolchain.modules / "tailwindcss"
        self._css = (
            (folder / "theme.css").read_text(encoding="utf-8") + css + "@tailwind utilities;"
        )
        self._isolate: MiniRacer | None = None
        self.asked = 0

    def ask(self, known: _Known, words: list[str]) -> None:
        """Adds what Tailwind makes of the words to what is known."""
        self.asked += len(words)
        if not known.theme:
            self._learn_theme(known)
        for word, css in self._compiled(words):
            taken = _taken(word, css) if css else None
            if taken is None:
                known.nothing.add(word)
            else:
                known.rules[word], known.properties[word] = taken
        order = json.loads(self._call("ordered", list(known.rules)))
        known.rules = {word: known.rules[word] for word in order}

    def _learn_theme(self, known: _Known) -> None:
        entries = dict(json.loads(self._call("theme")))
        known.theme = {
            name: " ".join(str(value).split())
            for name, value in entries.items()
            if value != f"var({name})" and not str(value).startswith("initial")
        }
        for rule in tinycss2.parse_stylesheet(self._css, True, True):
            if not isinstance(rule, AtRule) or rule.content is None:
                continue
            for each in tinycss2.parse_blocks_contents(rule.content, True, True):
                if isinstance(each, AtRule) and each.lower_at_keyword == "keyframes":
                    known.keyframes[tinycss2.serialize(each.prelude).strip()] = each.serialize()

    def _compiled(self, words: list[str]) -> Iterator[tuple[str, str | None]]:
        """Each word's CSS; what kills or blocks the isolate is found by halves, and is no class."""
        try:
            yield from zip(words, json.loads(self._call("compiled", words)), strict=True)
        except JSEvalException:
            self._close()
            if len(words) == 1:
                yield words[0], None
                return
            middle = len(words) // 2
            yield from self._compiled(words[:middle])
            yield from self._compiled(words[middle:])

    def _call(self, function: str, *arguments: object) -> str:
        if self._isolate is None:
            self._isolate = self._started()
        said = ",".join(json.dumps(each) for each in arguments)
        return str(self._isolate.eval(f"{function}({said})", timeout_sec=_EVAL_S))

    def _started(self) -> MiniRacer:
        isolate = MiniRacer()
        isolate.set_hard_memory_limit(_MEMORY)
        isolate.eval(_START + self._script)
        isolate.eval(f"start({json.dumps(self._css)});0", timeout_sec=_EVAL_S)
        if not isolate.eval("system !== null"):
            failure = str(isolate.eval("String(failure)"))[:300]
            isolate.close()
            raise ProcessFailed(f"Tailwind does not take the style tokens: {failure}")
        return isolate

    def _close(self) -> None:
        if self._isolate is not None:
            self._isolate.close()
            self._isolate = None


def _script(toolchain: Toolchain, shelf: Shelf) -> str:
    """Tailwind's compiler as one script."""

    def make() -> bytes:
        options = ["--format=iife", "--minify"]
        output = esbuild.run(toolchain, {"tailwind.js": _ENTRY}, ["tailwind.js"], options)
        if not output.ok:
            raise ProcessFailed(f"Tailwind does not compile: {output.messages[0].text}")
        return output.files["tailwind.js"]

    key = sha256("\0".join(("compiler", _RECIPE, toolchain.id)))
    return shelf.kept(_KIND, key, make).decode()


def _taken(word: str, css: str) -> tuple[str, dict[str, str]] | None:
    """A class's rules and the custom properties they register; None where they are not safe."""
    rules: list[str] = []
    properties: dict[str, str] = {}
    for rule in tinycss2.parse_stylesheet(css, True, True):
        if isinstance(rule, AtRule) and rule.lower_at_keyword == "property":
            name = tinycss2.serialize(rule.prelude).strip()
            if not name.startswith("--tw-"):
                return None
            properties[name] = rule.serialize()
        elif _safe(word, rule):
            rules.append(_flat(rule))
        else:
            return None
    return ("".join(rules), properties) if rules else None


def _flat(rule: Node) -> str:
    """The rule with the conditions that are nested in it written around it: older browsers."""
    if not isinstance(rule, QualifiedRule):
        return str(rule.serialize())
    selector = tinycss2.serialize(rule.prelude).strip()

    def written(content: Sequence[Node]) -> str:
        parts: list[str] = []
        declarations = ""
        for each in tinycss2.parse_blocks_contents(content, True, True):
            if isinstance(each, AtRule):
                condition = tinycss2.serialize(each.prelude).strip()
                parts.append(f"@{each.lower_at_keyword} {condition}{{{written(each.content)}}}")
            else:
                declarations += each.serialize() + ";"
        return (f"{selector}{{{declarations}}}" if declarations else "") + "".join(parts)

    return written(rule.content)


def _safe(word: str, rule: Node, *, inside: bool = False) -> bool:
    """Whether a rule styles only the element with the class, or what it holds."""
    if isinstance(rule, QualifiedRule):
        selects = inside or _selects(word, rule.prelude)
        return selects and not _ends_early(rule.prelude) and _safe_content(word, rule.content)
    if isinstance(rule, AtRule) and rule.lower_at_keyword in _GROUPS and rule.content is not None:
        if any(token.type == "error" for token in rule.prelude) or _fetches(rule.prelude):
            return False
        if inside:
            return _safe_content(word, rule.content)
        found = tinycss2.parse_blocks_contents(rule.content, True, True)
        return all(_safe(word, each) for each in found)
    return False


def _safe_content(word: str, content: Sequence[Node]) -> bool:
    if _fetches(content):
        return False
    for each in tinycss2.parse_blocks_contents(content, True, True):
        if each.type == "declaration":
            if any(token.type == "error" for token in each.value):
                return False
        elif not (isinstance(each, AtRule) and _safe(word, each, inside=True)):
            return False
    return True


def _fetches(tokens: Iterable[Node]) -> bool:
    return next(foreign_urls(tokens), None) is not None


def _ends_early(prelude: Sequence[Node]) -> bool:
    return any(t.type == "error" or (t.type == "literal" and t.value == ";") for t in prelude)


def _selects(word: str, selector: Sequence[Node]) -> bool:
    """Whether each alternative of a selector list names the class, not just asks for it.

    `body:has(.x)` asks for the class and styles the body: so the inside of `:has` and `:not` does
    not count.
    """
    parts: list[list[Node]] = [[]]
    for token in selector:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return all(_names(word, part) for part in parts)


def _names(word: str, part: Sequence[Node]) -> bool:
    for before, token in zip([None, *part], part, strict=False):
        if token.type == "ident" and token.value == word:
            named = before is not None and before.type == "literal" and before.value == "."
        else:
            named = (
                token.type == "function"
                and token.lower_name in ("is", "where")
                and _selects(word, token.arguments)
            )
        if named:
            return True
    return False


def variables_in(texts: Iterable[str]) -> frozenset[str]:
    """The custom properties that texts refer to."""
    return frozenset(name for text in texts for name in _VARIABLE.findall(text))
