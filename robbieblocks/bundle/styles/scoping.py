"""Scopes a component's stylesheet to its blocks: no rule in it reaches anything else.

Nested rules are written out, and every style rule is put behind the block's wrapper. Of at-rules
only those that hold style rules, keyframes and registered properties are kept. Names that are
global in CSS get the component's own prefix. Addresses on other sites are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import tinycss2
from tinycss2.ast import AtRule, Declaration, IdentToken, Node, QualifiedRule

from robbieblocks.bundle.styles import selectors
from robbieblocks.bundle.styles.global_names import GlobalNames, defined_name
from robbieblocks.bundle.styles.minifying import minified
from robbieblocks.bundle.styles.problems import StylesheetProblems
from robbieblocks.bundle.styles.refused import instead_of
from robbieblocks.css_faults import (
    KEYFRAMES,
    in_declaration,
    in_media,
    in_selector,
    in_sizes,
    unknown_keyframes,
)
from robbieblocks.css_text import (
    address_text,
    bracket_problem,
    css_string,
    foreign_urls,
    long_number,
    missing_media,
)
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow

# At-rules that hold style rules.
_GROUPS = frozenset({"media", "supports", "container", "layer", "starting-style"})
# Tokens that hold no address, no error and no other tokens.
_PLAIN_TOKENS = frozenset(
    {"ident", "number", "percentage", "dimension", "hash", "whitespace", "literal", "comment"}
)
_MAX_CHARACTERS = 500_000
_MAX_WRITTEN = 1_000_000
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def scoped_stylesheet(row: ComponentRow) -> tuple[str, list[Problem]]:
    """The component's CSS in `@layer components`, minified, and what is wrong with it.

    The text is empty where the component has no CSS, or an error in it.
    """
    if not row.css.strip():
        return "", []
    problems = StylesheetProblems(row)
    if len(row.css) > _MAX_CHARACTERS:
        what = f"the stylesheet has more than {_MAX_CHARACTERS:,} characters"
        problems.at_offset(0, what, "make it smaller")
    elif (number := long_number(row.css)) is not None:
        what = f"the stylesheet holds a number of {len(number[0]):,} digits"
        problems.at_offset(number.start(), what, "shorten it")
    elif (wrong := bracket_problem(row.css)) is not None:
        problems.at_offset(wrong[1], wrong[0], "close each bracket, string and comment")
    else:
        rules = _Scoper(row, problems).scoped()
        if not problems.has_errors:
            # tinycss2 makes half a pair of the escape \d800, for which CSS Syntax has U+FFFD.
            rules = _HALF_A_PAIR.sub("\ufffd", rules)
            layer = minified(f"@layer components{{{rules}}}") if rules else ""
            return layer, problems.found
    return "", problems.found


class _Scoper:
    """Writes one component's rules again, each behind the wrapper."""

    def __init__(self, row: ComponentRow, problems: StylesheetProblems) -> None:
        self._row = row
        self._problems = problems
        self._wrapper = f"[data-rb-component~={css_string(row.key)}]"
        # A mark of the byte order is no part of the first selector.
        self._sheet = tinycss2.parse_stylesheet(row.css.removeprefix("\ufeff"), True, True)
        self._names = GlobalNames(row, self._sheet, _GROUPS)
        self._left = _MAX_WRITTEN
        self._asking = 0

    def scoped(self) -> str:
        """The rules; not to be used where a problem was found."""
        for name in self._names.inline_animations(self._row.code):
            self._problems.report(
                f"the keyframes {name} are not known to inline styles and utility classes",
                "set the animation in a class here; inline, set a custom property for it",
                severity="warning",
            )
        for name in self._names.unknown:
            self._problems.report(
                f"the component's code does not know {name}: registered, it gets a name of its own",
                "choose a name that does not begin as tokens do",
                severity="warning",
            )
        return self._rules(self._sheet)

    # --- rules ------------------------------------------------------------------------------

    def _rules(self, rules: Iterable[Node]) -> str:
        return "".join(self._rule(rule) for rule in rules)

    def _rule(self, rule: Node) -> str:
        if isinstance(rule, QualifiedRule):
            return self._style(rule, None)
        if isinstance(rule, AtRule):
            return self._at_rule(rule, None)
        self._problems.unreadable(rule, "mend the rule, or remove it")
        return ""

    def _style(self, rule: QualifiedRule, outer: selectors.Written | None) -> str:
        for doubt in () if self._problems.full else in_selector(rule.prelude, self._row.code):
            self._problems.warn(doubt)
        try:
            parts = selectors.split(rule.prelude)
            if outer is not None:
                self._write(len(parts) * len(outer.parents.text))
                parts = [selectors.nested(outer.parents, part) for part in parts]
        except selectors.BadSelector as error:
            self._problems.at_node(rule, str(error), error.remedy)
            return ""
        return self._body(rule.content, selectors.Written(parts))

    def _write(self, characters: int) -> None:
        """Count selectors that are written out: nested rules and lists multiply each other."""
        self._left -= characters
        if self._left < 0:
            raise selectors.BadSelector(
                f"the rules grow to more than {_MAX_WRITTEN:,} characters when nested selectors "
                "and lists of selectors are written out"
            )

    def _body(self, content: Sequence[Node], written: selectors.Written) -> str:
        """The inside of a style rule: its declarations and the rules nested in it, in order."""
        parts: list[str] = []
        declarations: list[str] = []

        def flush() -> None:
            if declarations:
                parts.append(f"{self._behind(content, written)}{{{''.join(declarations)}}}")
                declarations.clear()

        for each in tinycss2.parse_blocks_contents(content, True, True):
            if isinstance(each, Declaration):
                self._doubt(each)
                declarations.append(self._declaration(each))
                continue
            flush()
            if isinstance(each, QualifiedRule):
                parts.append(self._style(each, written))
            elif isinstance(each, AtRule):
                parts.append(self._at_rule(each, written))
            else:
                self._problems.unreadable(each, "mend the declaration, or remove it")
        flush()
        return "".join(parts)

    def _behind(self, content: Sequence[Node], written: selectors.Written) -> str:
        try:
            parts: list[str] = []
            for each in written.selectors:
                parts.append(selectors.scoped(each, self._wrapper))
                self._write(len(parts[-1]))
            return ",".join(parts)
        except selectors.BadSelector as error:
            first = content[0] if content else None
            self._problems.report(
                str(error),
                "select what is inside of the component",
                line=first.source_line if first else None,
                column=first.source_column if first else None,
            )
            return self._wrapper

    # --- at-rules ---------------------------------------------------------------------------

    def _at_rule(self, rule: AtRule, parents: selectors.Written | None) -> str:
        name = rule.lower_at_keyword
        if any(token.type == "error" for token in rule.prelude):
            what = f"@{name} has a broken condition"
            self._problems.at_node(rule, what, "mend it, or remove the rule")
            return ""
        if name in _GROUPS and (rule.content is not None or name == "layer"):
            return self._group(rule, parents)
        if name in KEYFRAMES and parents is None and rule.content is not None:
            return self._keyframes(rule)
        if name == "property" and parents is None and rule.content is not None:
            return self._property(rule)
        what = f"@{name} is not available in a component's stylesheet"
        self._problems.at_node(rule, what, instead_of(name))
        return ""

    def _group(self, rule: AtRule, parents: selectors.Written | None) -> str:
        self._check_urls(rule.prelude)
        judge = {"media": in_media, "container": in_sizes}.get(rule.lower_at_keyword)
        if judge is not None and not self._problems.full:
            for doubt in judge(rule.prelude):
                self._problems.warn(doubt)
        # A container's style may be asked for a registered property.
        self._names.rename(rule.prelude, "")
        head = f"@{rule.lower_at_keyword} {tinycss2.serialize(rule.prelude).strip()}"
        if rule.content is None:
            return head + ";"
        # What @supports asks for may be new.
        self._asking += rule.lower_at_keyword == "supports"
        try:
            return f"{head}{{{self._group_body(rule.content, parents)}}}"
        finally:
            self._asking -= rule.lower_at_keyword == "supports"

    def _group_body(self, content: Sequence[Node], parents: selectors.Written | None) -> str:
        if parents is not None:
            return self._body(content, parents)
        inner = tinycss2.parse_blocks_contents(content, True, True)
        stray = next((each for each in inner if isinstance(each, Declaration)), None)
        if stray is not None:
            what = "a declaration stands outside of a rule"
            self._problems.at_node(stray, what, "put it into a rule")
        return self._rules(e for e in inner if not isinstance(e, Declaration))

    def _keyframes(self, rule: AtRule) -> str:
        name = defined_name(rule)
        if name is None:
            self._problems.at_node(rule, f"@{rule.lower_at_keyword} has no name", "name it")
            return ""
        frames: list[str] = []
        for frame in tinycss2.parse_blocks_contents(rule.content or (), True, True):
            steps = selectors.keyframe(frame.prelude) if isinstance(frame, QualifiedRule) else None
            if steps is None:
                remedy = "write from, to, or percentages"
                self._problems.at_node(frame, "this is no keyframe", remedy)
                continue
            frames.append(f"{steps}{{{self._declarations(frame.content, doubted=True)}}}")
        new_name = _identifier(self._names.keyframes[name.value])
        return f"@{rule.lower_at_keyword} {new_name}{{{''.join(frames)}}}"

    def _property(self, rule: AtRule) -> str:
        name = defined_name(rule)
        if name is None or name.type != "ident" or not name.value.startswith("--"):
            remedy = "name a custom property: --angle"
            self._problems.at_node(rule, "@property has no name", remedy)
            return ""
        new_name = _identifier(self._names.properties[name.value])
        return f"@property {new_name}{{{self._declarations(rule.content or ())}}}"

    # --- declarations -----------------------------------------------------------------------

    def _doubt(self, each: Declaration) -> None:
        """Warn of what browsers pass over."""
        if self._problems.full or self._asking:
            return
        for doubt in in_declaration(each):
            self._problems.warn(doubt)
        # Templates and nodes have keyframes, too.
        for doubt in unknown_keyframes(each, self._names.keyframes, surely=False):
            self._problems.warn(doubt, "unknown-keyframes")

    def _declarations(self, content: Sequence[Node], *, doubted: bool = False) -> str:
        found = tinycss2.parse_blocks_contents(content, True, True)
        said = [each for each in found if isinstance(each, Declaration)]
        for each in said if doubted else ():
            self._doubt(each)
        return "".join(map(self._declaration, said))

    def _declaration(self, each: Declaration) -> str:
        if not all(token.type in _PLAIN_TOKENS for token in each.value):
            self._check_urls(each.value)
            broken = next((token for token in each.value if token.type == "error"), None)
            if broken is not None:
                self._problems.unreadable(broken, "mend the value")
                return ""
        self._names.rename(each.value, each.lower_name)
        name = _identifier(self._names.properties.get(each.name, each.name))
        important = "!important" if each.important else ""
        return f"{name}:{tinycss2.serialize(each.value).strip()}{important};"

    def _check_urls(self, tokens: Iterable[Node]) -> None:
        for token in foreign_urls(tokens):
            if missing := missing_media(address_text(token)):
                self._problems.at_node(token, *missing)
                continue
            self._problems.at_node(
                token,
                f"{address_text(token)[:80]!r} is elsewhere, or may be: a component's stylesheet "
                "fetches nothing",
                "use a path on this site, or an image as a data: URL",
            )


def _identifier(name: str) -> str:
    """A name as CSS writes it, with escapes where it needs them."""
    return IdentToken(0, 0, name).serialize()
