"""Runs every rule that is not off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.check_rules import RULES
from robbieblocks.checks import unused
from robbieblocks.checks.finding import Checked, Finder, Finding, Found
from robbieblocks.errors import Problem, Severity
from robbieblocks.row_faults import blame


def _of_build(severity: Severity) -> Finder:
    def find(checked: Checked) -> Iterator[Found]:
        problems = checked.inspection.problems
        yield from (Found(each) for each in problems if each.severity == severity)

    return find


# By the names of `check_rules.RULES`.
FINDERS: Final[Mapping[str, Finder]] = {
    "build-error": _of_build("error"),
    "build-warning": _of_build("warning"),
    "unused-component": unused.unused_components,
}


def run(checked: Checked) -> tuple[Finding, ...]:
    """What all rules find, each finding once: errors first, else in the order of the rules."""
    found: dict[Finding, None] = {}
    for rule in RULES:
        level = checked.settings.checks.get(rule.name, rule.level)
        if level != "off":
            severity: Severity = "error" if level == "error" else "warning"
            found.update(dict.fromkeys(_findings(rule.name, severity, checked)))
    return tuple(sorted(found, key=lambda each: each.problem.severity))


def _findings(rule: str, severity: Severity, checked: Checked) -> Iterator[Finding]:
    faults: list[Problem] = []
    found: list[Found] = []
    with blame(faults.append, "rule", rule):
        found += FINDERS[rule](checked)
    for problem, nodes in (*found, *map(Found, faults)):
        yield Finding(rule, replace(problem, severity=severity), nodes)
