"""Findings of checks for people, for programs, and as annotations of a GitHub workflow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from robbieblocks.checks import Finding
from robbieblocks.messages import visible


def as_text(findings: Sequence[Finding]) -> str:
    """Each finding with its place, text and remedy, then how many there are."""
    return "\n\n".join((*map(_text, findings), _counted(findings)))


def _text(finding: Finding) -> str:
    nodes = f"\n  on {', '.join(finding.nodes)}" if finding.nodes else ""
    return f"{finding.problem.severity} ({finding.rule}): {finding.problem}{nodes}"


def _counted(findings: Iterable[Finding]) -> str:
    levels = [str(finding.problem.severity) for finding in findings]
    counts = [(levels.count(level), level) for level in ("error", "warning")]
    return ", ".join(f"{n} {level}{'' if n == 1 else 's'}" for n, level in counts)


def as_object(findings: Sequence[Finding]) -> dict[str, object]:
    """The stable form that `--format json` prints."""
    return {
        "version": 1,
        "findings": [
            {"rule": each.rule, "nodes": each.nodes, **each.problem.as_json()} for each in findings
        ],
    }


def as_annotations(findings: Sequence[Finding]) -> str:
    """One workflow command a finding, then how many there are."""
    return "\n".join((*map(_annotation, findings), _counted(findings)))


def _annotation(finding: Finding) -> str:
    problem = finding.problem
    title = _property(f"{finding.rule}: {problem.where}")
    return f"::{problem.severity} title={title}::{_data(_text(finding))}"


def _data(text: str) -> str:
    """The message of a workflow command: on one line, and nothing in it begins another."""
    escaped = visible(text).replace("%", "%25").replace("\r", "%0D")
    return escaped.replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
