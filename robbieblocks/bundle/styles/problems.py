"""What is wrong with one component's stylesheet: as a whole, and collected as problems."""

from __future__ import annotations

import re

from tinycss2.ast import Node

from robbieblocks.errors import Problem, Severity
from robbieblocks.model import ComponentRow

_TOKEN = re.compile(
    r"/\*.*?(?:\*/|(?P<open_comment>\Z))"
    r"|\\(?:\r\n|.)"
    r"|\"(?:[^\"\\\n]|\\.)*(?:\"|(?P<open_double>\n|\Z))"
    r"|'(?:[^'\\\n]|\\.)*(?:'|(?P<open_single>\n|\Z))"
    r"|url\(\s*(?![\s\"'])(?:[^)\\]|\\.)*(?:\)|(?P<open_url>\Z))"
    r"|(?P<bracket>[][(){}])",
    re.DOTALL | re.IGNORECASE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPEN = {
    "open_comment": "comment",
    "open_double": "string",
    "open_single": "string",
    "open_url": "url(",
}
_MAX_DEPTH = 32
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
        )
        if problem not in self.found:
            self.found.append(problem)


def bracket_problem(css: str) -> tuple[str, int] | None:
    """The bracket, string or comment that is never closed or opened, and its offset; or None.

    Browsers close at the end of a stylesheet what is still open, without an error; an editor needs
    one.
    """
    opened: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(css):
        if match.lastgroup is None:
            continue
        if match.lastgroup in _OPEN:
            return f"this {_OPEN[match.lastgroup]} is never closed", match.start()
        bracket = match[0]
        if bracket not in _PAIRS:
            opened.append((bracket, match.start()))
            if len(opened) > _MAX_DEPTH:
                return f"brackets are nested more than {_MAX_DEPTH} deep", match.start()
        elif not opened:
            return f"this {bracket} closes nothing", match.start()
        elif (last := opened.pop())[0] != _PAIRS[bracket]:
            return f"this {last[0]} is closed by a {bracket}", last[1]
    if opened:
        return f"this {opened[-1][0]} is never closed", opened[-1][1]
    return None
