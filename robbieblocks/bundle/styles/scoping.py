"""Scopes a component's stylesheet to its blocks: no rule in it reaches anything else.

Nested rules are written out, and every style rule is put behind the block's wrapper, or into a
`@scope` inside of it. Of at-rules only those that hold style rules, and those that define a name,
are kept. Names that are global in CSS get the component's own prefix. Addresses on other sites are
errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import tinycss2
from tinycss2.ast import AtRule, Declaration, Node, QualifiedRule

from robbieblocks.bundle.styles import selectors
from robbieblocks.bundle.styles.declarations import Declarations
from robbieblocks.bundle.styles.global_names import GlobalNames
from robbieblocks.bundle.styles.minifying import minified
from robbieblocks.bundle.styles.named_rules import NAMED, NamedRules
from robbieblocks.bundle.styles.pasted import pasted_around
from robbieblocks.bundle.styles.problems import StylesheetProblems
from robbieblocks.bundle.styles.refused import instead_of
from robbieblocks.bundle.styles.scopes import scope_prelude
from robbieblocks.css_faults import in_media, in_selector, in_sizes
from robbieblocks.css_text import bracket_problem, css_string, long_number
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow

# At-rules that hold style rules.
_GROUPS = frozenset({"media", "supports", "container", "layer", "starting-style"})
_ANCHOR = re.compile(r"\banchor-name\s*+:", re.IGNORECASE | re.ASCII)
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
    elif (around := pasted_around(row.css)) is not None:
        problems.at_offset(*around)
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
        self._names = GlobalNames(row, self._sheet, _GROUPS | {"scope"})
        self._declarations = Declarations(self._names, problems)
        self._named = NamedRules(self._names, self._declarations, problems)
        self._left = _MAX_WRITTEN
        # How deep it is in rules of these kinds.
        self._layers = self._scopes = 0

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
        for what, name in self._names.others_in_code(self._row.code):
            self._problems.report(
                f"{what} {name} is not known to inline styles and utility classes",
                "name it in a class here",
                severity="warning",
            )
        return self._anchors() + self._rules(self._sheet)

    def _anchors(self) -> str:
        """Keeps the anchors of one block from what is positioned by those of another one.

        What a portal shows elsewhere may ask for an anchor in the block.
        """
        has_anchors = _ANCHOR.search(self._row.css) and "ortal" not in self._row.code
        return f"{self._wrapper}{{anchor-scope:all;}}" if has_anchors else ""

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
            elif self._scopes:
                parts = [selectors.of_scope(part) for part in parts]
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
                self._declarations.doubt(each)
                declarations.append(self._declarations.text(each))
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
                is_limited = self._scopes > 0
                text = tinycss2.serialize(each) if is_limited else ""
                parts.append(text or selectors.scoped(each, self._wrapper))
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
        if name in NAMED and parents is None and rule.content is not None:
            return self._named.text(rule)
        if name == "scope" and parents is None and rule.content is not None:
            return self._scope(rule)
        self._problems.at_node(rule, *self._refusal(name, rule, nested=parents is not None))
        return ""

    def _refusal(self, name: str, rule: AtRule, *, nested: bool) -> tuple[str, str]:
        """What is wrong with an at-rule that can't be written, and what to do."""
        if name in _GROUPS or name in NAMED or name == "scope":
            if rule.content is None:
                return f"@{name} has nothing behind it", "write { ... } behind it"
            if nested:
                return f"@{name} stands inside of a rule", "put it beside the rules"
        what = f"@{name} is not available in a component's stylesheet"
        if rule.prelude and rule.prelude[0].serialize() == ":":
            # A variable of Less.
            return what, "write tokens, such as var(--color-primary): this is CSS"
        return what, instead_of(name)

    def _scope(self, rule: AtRule) -> str:
        """A part of the component. What is in it is limited by that, and needs no wrapper."""
        try:
            head = scope_prelude(rule.prelude, self._wrapper, is_inner=self._scopes > 0)
        except selectors.BadSelector as error:
            self._problems.at_node(rule, str(error), error.remedy)
            return ""
        self._scopes += 1
        inside = self._group_body(rule.content or (), None)
        self._scopes -= 1
        return f"@scope {head}{{{inside}}}"

    def _group(self, rule: AtRule, parents: selectors.Written | None) -> str:
        self._declarations.check_urls(rule.prelude)
        judge = {"media": in_media, "container": in_sizes}.get(rule.lower_at_keyword)
        if judge is not None and not self._problems.full:
            for doubt in judge(rule.prelude):
                self._problems.warn(doubt)
        # A container's style may be asked for a registered property.
        self._names.rename(rule.prelude, "")
        is_layer = rule.lower_at_keyword == "layer"
        if is_layer and not self._layers:
            self._names.layer(rule.prelude)
        head = f"@{rule.lower_at_keyword} {tinycss2.serialize(rule.prelude).strip()}"
        if rule.content is None:
            return head + ";"
        # What @supports asks for may be new.
        with self._declarations.asked_for(asked=rule.lower_at_keyword == "supports"):
            self._layers += is_layer
            inside = self._group_body(rule.content, parents)
            self._layers -= is_layer
        return f"{head}{{{inside}}}"

    def _group_body(self, content: Sequence[Node], parents: selectors.Written | None) -> str:
        if parents is not None:
            return self._body(content, parents)
        inner = tinycss2.parse_blocks_contents(content, True, True)
        stray = next((each for each in inner if isinstance(each, Declaration)), None)
        if stray is not None:
            what = "a declaration stands outside of a rule"
            self._problems.at_node(stray, what, "put it into a rule")
        return self._rules(e for e in inner if not isinstance(e, Declaration))
