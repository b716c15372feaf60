"""Scopes a component's stylesheet to its blocks: no rule in it reaches anything else.

Every style rule is written out (nesting too) and put behind the block's wrapper; of at-rules only
those that hold style rules and keyframes are kept; names that are global in CSS (keyframes,
registered properties) get the component's own prefix; nothing is fetched from elsewhere.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import lightningcss
import tinycss2
from tinycss2.ast import AtRule, Declaration, Node, QualifiedRule

from robbieblocks.bundle import plain, selectors
from robbieblocks.bundle.balance import fault
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow, sha256

LAYERS = "@layer tokens,base,layout,components,utilities,node;"

_GROUPS = frozenset({"media", "supports", "container", "layer", "starting-style"})
_KEYFRAMES = frozenset({"keyframes", "-webkit-keyframes", "-moz-keyframes", "-o-keyframes"})
_ANIMATIONS = frozenset(
    {"animation", "animation-name", "-webkit-animation", "-webkit-animation-name"}
)
_REFUSED = {
    "import": "put the rules here; fonts come from the style tokens",
    "charset": "leave it out: the text is Unicode already",
    "namespace": "leave it out",
    "font-face": "name the font in a style token (font.*): it is hosted for every page",
    "scope": "leave it out: the rules hold for this component's blocks only",
}
_FETCHING = frozenset({"url", "src", "image", "image-set", "-webkit-image-set", "cross-fade"})
_LOCAL_URL = re.compile(
    r"#[^\s\x00-\x1f]*|/(?![/\\])[^\s\x00-\x1f\\]*|data:(?:image|font)/[\w.+-]+[;,].*",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
# What fetches nothing, and is no fault.
_INERT = frozenset(
    {"ident", "number", "percentage", "dimension", "hash", "whitespace", "literal", "comment"}
)
_LONGEST = 500_000

Selectors = Sequence[Sequence[Node]]


def scoped(row: ComponentRow) -> tuple[str, list[Problem]]:
    """The component's CSS in `@layer components`, minified, and what is wrong with it.

    The text is empty where there is none, or an error.
    """
    if not row.css.strip():
        return "", []
    sheet = _Sheet(row)
    if len(row.css) > _LONGEST:
        sheet.add(0, f"the stylesheet has more than {_LONGEST:,} characters", "make it smaller")
    elif (text := plain.scoped(row.css, sheet.wrapper)) is not None:
        return _layered(text), []
    elif (wrong := fault(row.css)) is not None:
        sheet.add(wrong[1], wrong[0], "close each bracket, string and comment")
    else:
        text = sheet.written()
        if not any(each.severity == "error" for each in sheet.problems):
            return _layered(text), sheet.problems
    return "", sheet.problems


def _layered(text: str) -> str:
    return minified(f"@layer components{{{text}}}") if text else ""


def minified(css: str) -> str:
    """The CSS without needless bytes; as it is where the minifier does not know it."""
    with contextlib.suppress(ValueError):
        return lightningcss.process_stylesheet(css, minify=True)
    return css


def is_local(url: str) -> bool:
    """Whether a url() stays on this site: a path, a fragment, or an image or font in the text."""
    return _LOCAL_URL.fullmatch(url.strip()) is not None


def foreign_urls(tokens: Iterable[Node]) -> Iterator[tuple[Node, str]]:
    """What would be fetched from elsewhere, at any depth."""
    for token in tokens:
        if token.type == "url" and not is_local(token.value):
            yield token, token.value
        elif token.type == "function":
            if token.lower_name in _FETCHING:
                for each in token.arguments:
                    if each.type == "string" and not is_local(each.value):
                        yield each, each.value
            yield from foreign_urls(token.arguments)
        elif token.type in ("() block", "[] block", "{} block"):
            yield from foreign_urls(token.content)


def css_string(text: str) -> str:
    """A text as a CSS string that is safe anywhere in a stylesheet (CSSOM, serialize a string)."""
    escaped = re.sub(r"[\x00-\x1f\x7f\"\\<]", lambda found: f"\\{ord(found[0]):x} ", text)
    return f'"{escaped}"'


@dataclass
class _Sheet:
    """One component's stylesheet on its way."""

    row: ComponentRow
    problems: list[Problem] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)

    def written(self) -> str:
        rules = tinycss2.parse_stylesheet(self.row.css, True, True)
        self._collect_names(rules)
        self._warn_of_inline_animations()
        return self._rules(rules)

    @functools.cached_property
    def wrapper(self) -> str:
        return f"[data-rb-component~={css_string(self.row.key)}]"

    def add(self, offset: int, what: str, remedy: str = "") -> None:
        before = self.row.css[:offset]
        line = before.count("\n") + 1
        self._report(line, offset - (before.rfind("\n") + 1) + 1, what, remedy)

    def _at(self, node: Node, what: str, remedy: str = "") -> None:
        self._report(node.source_line, node.source_column, what, remedy)

    def _report(
        self, line: int | None, column: int | None, what: str, remedy: str, *, warn: bool = False
    ) -> None:
        lines = re.split(r"\r\n|\r|\n|\f", self.row.css)
        found = Problem(
            entity="component",
            key=self.row.key,
            field="css_styles",
            what=what,
            remedy=remedy,
            line=line,
            column=column,
            source=lines[line - 1] if line and line <= len(lines) else "",
            severity="warning" if warn else "error",
        )
        if found not in self.problems:
            self.problems.append(found)

    def _collect_names(self, rules: Iterable[Node]) -> None:
        """Names that are global in CSS, and what they are called for this component."""
        prefix = f"rb-{sha256(self.row.key)[:8]}-"
        for rule in rules:
            if not isinstance(rule, AtRule):
                continue
            name = next((t for t in rule.prelude if t.type in ("ident", "string")), None)
            if rule.lower_at_keyword in _KEYFRAMES and name is not None:
                self.renamed[name.value] = prefix + name.value
            elif rule.lower_at_keyword == "property" and name is not None:
                self.properties[name.value] = f"--{prefix}{name.value.removeprefix('--')}"
            elif (
                rule.lower_at_keyword in _GROUPS
                and rule.content is not None
                and any(token.type == "at-keyword" for token in rule.content)
            ):
                self._collect_names(tinycss2.parse_blocks_contents(rule.content, True, True))

    def _warn_of_inline_animations(self) -> None:
        """An inline style can't name keyframes: their names are the component's own."""
        if not re.search(r"\banimation(Name)?\b", self.row.code):
            return
        for name in self.renamed:
            if re.search(rf"[\"'`]([^\"'`\n]* )?{re.escape(name)}\b", self.row.code):
                self._report(
                    None,
                    None,
                    f"the keyframes {name} are not known to inline styles",
                    "set the animation in a class here; inline, set a custom property for it",
                    warn=True,
                )

    # --- rules ------------------------------------------------------------------------------

    def _rules(self, rules: Iterable[Node]) -> str:
        return "".join(self._rule(rule) for rule in rules)

    def _rule(self, rule: Node) -> str:
        if isinstance(rule, QualifiedRule):
            return self._style(rule, None)
        if isinstance(rule, AtRule):
            return self._at_rule(rule, None)
        self._at(rule, _said(rule), "mend the rule, or remove it")
        return ""

    def _style(self, rule: QualifiedRule, parents: Selectors | None) -> str:
        try:
            parts = selectors.split(rule.prelude)
            written = [selectors.nested(parents, part) for part in parts] if parents else parts
        except selectors.BadSelector as error:
            self._at(rule, str(error), "mend the selector")
            return ""
        return self._body(rule.content, written)

    def _body(self, content: Sequence[Node], written: Selectors) -> str:
        """What stands in a style rule: its declarations, then the rules nested in it, in order."""
        parts: list[str] = []
        declarations: list[str] = []

        def flush() -> None:
            if declarations:
                parts.append(f"{self._scoped(content, written)}{{{''.join(declarations)}}}")
                declarations.clear()

        for each in tinycss2.parse_blocks_contents(content, True, True):
            if isinstance(each, Declaration):
                declarations.append(self._declaration(each))
                continue
            flush()
            if isinstance(each, QualifiedRule):
                parts.append(self._style(each, written))
            elif isinstance(each, AtRule):
                parts.append(self._at_rule(each, written))
            else:
                self._at(each, _said(each), "mend the declaration, or remove it")
        flush()
        return "".join(parts)

    def _scoped(self, content: Sequence[Node], written: Selectors) -> str:
        try:
            return ",".join(selectors.scoped(each, self.wrapper) for each in written)
        except selectors.BadSelector as error:
            line = content[0] if content else None
            self._report(
                line.source_line if line else None,
                line.source_column if line else None,
                str(error),
                "select what is inside of the component",
            )
            return self.wrapper

    def _at_rule(self, rule: AtRule, parents: Selectors | None) -> str:
        name = rule.lower_at_keyword
        if any(token.type == "error" for token in rule.prelude):
            self._at(rule, f"@{name} has a broken condition", "mend it, or remove the rule")
            return ""
        if name in _GROUPS and (rule.content is not None or name == "layer"):
            return self._group(rule, parents)
        if name in _KEYFRAMES and parents is None and rule.content is not None:
            return self._keyframes(rule)
        if name == "property" and parents is None and rule.content is not None:
            return self._property(rule)
        remedy = _REFUSED.get(name, "leave it out: it would hold for the whole page")
        self._at(rule, f"@{name} is not available in a component's stylesheet", remedy)
        return ""

    def _group(self, rule: AtRule, parents: Selectors | None) -> str:
        self._check_urls(rule.prelude)
        head = f"@{rule.lower_at_keyword} {tinycss2.serialize(rule.prelude).strip()}"
        if rule.content is None:
            return head + ";"
        if parents is not None:
            return f"{head}{{{self._body(rule.content, parents)}}}"
        inner = tinycss2.parse_blocks_contents(rule.content, True, True)
        stray = next((each for each in inner if isinstance(each, Declaration)), None)
        if stray is not None:
            self._at(stray, "a declaration stands outside of a rule", "put it into a rule")
        return f"{head}{{{self._rules(e for e in inner if not isinstance(e, Declaration))}}}"

    def _keyframes(self, rule: AtRule) -> str:
        name = next((t for t in rule.prelude if t.type in ("ident", "string")), None)
        if name is None:
            self._at(rule, f"@{rule.lower_at_keyword} has no name", "name it")
            return ""
        frames: list[str] = []
        for frame in tinycss2.parse_blocks_contents(rule.content, True, True):
            steps = _steps(frame.prelude) if isinstance(frame, QualifiedRule) else None
            if steps is None:
                self._at(frame, "this is no keyframe", "write from, to, or percentages")
                continue
            found = tinycss2.parse_blocks_contents(frame.content, True, True)
            said = [self._declaration(each) for each in found if isinstance(each, Declaration)]
            frames.append(f"{steps}{{{''.join(said)}}}")
        called = css_string(self.renamed[name.value])
        return f"@{rule.lower_at_keyword} {called}{{{''.join(frames)}}}"

    def _property(self, rule: AtRule) -> str:
        name = next((t for t in rule.prelude if t.type == "ident"), None)
        if name is None or not name.value.startswith("--"):
            self._at(rule, "@property has no name", "name a custom property: --angle")
            return ""
        found = tinycss2.parse_blocks_contents(rule.content, True, True)
        said = [self._declaration(each) for each in found if isinstance(each, Declaration)]
        called = tinycss2.ast.IdentToken(0, 0, self.properties[name.value]).serialize()
        return f"@property {called}{{{''.join(said)}}}"

    # --- values -----------------------------------------------------------------------------

    def _declaration(self, each: Declaration) -> str:
        if not all(token.type in _INERT for token in each.value):
            self._check_urls(each.value)
            broken = next((token for token in each.value if token.type == "error"), None)
            if broken is not None:
                self._at(broken, _said(broken), "mend the value")
                return ""
        if self.renamed or self.properties:
            self._rename(each.value, animation=each.lower_name in _ANIMATIONS)
        name = self.properties.get(each.name, each.name)
        called = tinycss2.ast.IdentToken(0, 0, name).serialize()
        important = "!important" if each.important else ""
        return f"{called}:{tinycss2.serialize(each.value).strip()}{important};"

    def _rename(self, tokens: Iterable[Node], *, animation: bool) -> None:
        for token in tokens:
            if token.type in ("ident", "string"):
                known = self.renamed if animation else self.properties
                if token.type == "ident" and token.value in self.properties:
                    known = self.properties
                if token.value in known and (animation or token.type == "ident"):
                    token.value = known[token.value]
                    if token.type == "string":
                        token.representation = css_string(token.value)
            elif token.type == "function":
                self._rename(token.arguments, animation=animation)
            elif token.type in ("() block", "[] block", "{} block"):
                self._rename(token.content, animation=animation)

    def _check_urls(self, tokens: Iterable[Node]) -> None:
        for token, url in foreign_urls(tokens):
            self._at(
                token,
                f"{url[:80]!r} is elsewhere: a component's stylesheet fetches nothing",
                "use a path on this site, or an image as a data: URL",
            )


def _steps(prelude: Sequence[Node]) -> str | None:
    """Keyframe selectors: `from`, `to`, percentages; None for anything else."""
    kinds = ("ident", "percentage", "whitespace", "comment")
    if not all(t.type in kinds or (t.type == "literal" and t.value == ",") for t in prelude):
        return None
    return tinycss2.serialize([t for t in prelude if t.type != "comment"]).strip() or None


def _said(node: Node) -> str:
    message = getattr(node, "message", "")
    return f"this can't be read as CSS: {message}" if message else "this can't be read as CSS"
