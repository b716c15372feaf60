"""What is wrong with one component's stylesheet: as a whole, and collected as problems."""

from __future__ import annotations

import re

from tinycss2.ast import Node

from robbieblocks.css_faults import Doubt
from robbieblocks.errors import Problem, Severity
from robbieblocks.model import ComponentRow

_MAX_PROBLEMS = 20
_LINE_BREAK = re.compile(r"\r\n|\r|\n|\f")


class StylesheetProblems:
    """The problems found so far, each once, with the line that it stands on quoted."""

    def __init__(self, row: ComponentRow) -> None:
        self._row = row
        self.found: list[Problem] = []

    @property
    def has_errors(self) -> bool:
        """Whether one of them is more than a warning."""
        return any(each.severity == "error" for each in self.found)

    @property
    def full(self) -> bool:
        """Whether no further warning is taken, so that none has to be looked for."""
        return len(self.found) >= _MAX_PROBLEMS

    def warn(self, doubt: Doubt, rule: str = "unknown-property") -> None:
        """Report what a browser passes over, and the rule of checks that finds it, too."""
        line, column = doubt.node.source_line, doubt.node.source_column
        what, remedy = doubt.what, doubt.remedy
        self.report(what, remedy, line=line, column=column, severity="warning", rule=rule)

    def at_offset(self, offset: int, what: str, remedy: str) -> None:
        """Report a problem at a character of the text."""
        before = self._row.css[:offset]
        line_start = before.rfind("\n") + 1
        self.report(what, remedy, line=before.count("\n") + 1, column=offset - line_start + 1)

    def at_node(self, node: Node, what: str, remedy: str) -> None:
        """Report a problem at a token, rule or declaration."""
        self.report(what, remedy, line=node.source_line, column=node.source_column)

    def unreadable(self, node: Node, remedy: str) -> None:
        """Report what the parser could not read."""
        message = getattr(node, "message", "")
        if "{} block" in message:
            # The parser's words are about how it reads.
            message, remedy = "", "write name: value; or a selector with { ... } behind it"
        if "bad URL" in message:
            message, remedy = "", 'write the address in quotes: url("...")'
        what = "this can't be read as CSS" + (f": {message}" if message else "")
        self.at_node(node, what, remedy)

    def report(
        self,
        what: str,
        remedy: str,
        *,
        line: int | None = None,
        column: int | None = None,
        severity: Severity = "error",
        rule: str = "",
    ) -> None:
        """Report a problem at a line and column, where they are known; of very many the first."""
        if len(self.found) >= _MAX_PROBLEMS and (severity != "error" or self.has_errors):
            return
        lines = _LINE_BREAK.split(self._row.css)
        problem = Problem(
            entity="component",
            key=self._row.key,
            field="css_styles",
            what=what,
            remedy=remedy,
            line=line,
            column=column,
            source=lines[line - 1] if line and line <= len(lines) else "",
            severity=severity,
            rule=rule,
        )
        if problem not in self.found:
            self.found.append(problem)
