"""Writes the at-rules that define a name for the whole page, under the component's own name."""

from __future__ import annotations

import tinycss2
from tinycss2.ast import AtRule, QualifiedRule

from robbieblocks.bundle.styles import selectors
from robbieblocks.bundle.styles.declarations import Declarations, identifier
from robbieblocks.bundle.styles.global_names import GlobalNames, defined_name
from robbieblocks.bundle.styles.named_values import KINDS
from robbieblocks.bundle.styles.problems import StylesheetProblems
from robbieblocks.css_faults import KEYFRAMES, in_descriptors

# The at-rules that this module writes.
NAMED = frozenset({*KEYFRAMES, *KINDS, "property"})


class NamedRules:
    """Writes keyframes, registered properties, counter styles and their like."""

    def __init__(
        self, names: GlobalNames, declarations: Declarations, problems: StylesheetProblems
    ) -> None:
        self._names = names
        self._declarations = declarations
        self._problems = problems

    def text(self, rule: AtRule) -> str:
        """The rule; empty where it has an error."""
        kind = rule.lower_at_keyword
        name = defined_name(rule)
        if kind in KEYFRAMES:
            return self._keyframes(rule)
        is_dashed = kind == "property" or KINDS[kind].is_dashed
        if name is None or name.type != "ident" or (is_dashed and not name.value.startswith("--")):
            remedy = "name a custom property: --angle" if kind == "property" else "name it"
            if is_dashed and kind != "property":
                remedy = "give it a name that begins with --"
            self._problems.at_node(rule, f"@{kind} has no name", remedy)
            return ""
        inside = self._declarations.texts(rule.content or ())
        # What can't be read is not missing besides.
        judged = not (self._problems.has_errors or self._problems.full)
        for doubt in in_descriptors(rule) if judged else ():
            self._problems.warn(doubt)
        new = self._names.properties if kind == "property" else self._names.others[kind]
        return f"@{kind} {identifier(new[name.value])}{{{inside}}}"

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
            frames.append(f"{steps}{{{self._declarations.texts(frame.content, doubted=True)}}}")
        new_name = identifier(self._names.keyframes[name.value])
        return f"@{rule.lower_at_keyword} {new_name}{{{''.join(frames)}}}"
