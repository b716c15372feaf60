"""Findings of checks for people, for programs, and as annotations of a GitHub workflow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from robbieblocks.checks import Finding
from robbieblocks.content import ContentPlaces, FilePlace
from robbieblocks.errors import Problem
from robbieblocks.messages import printable, visible, visible_line


class ReportedFinding(NamedTuple):
    """A finding, and the file of the project that holds its row, if there is one."""

    rule: str
    problem: Problem
    nodes: tuple[str, ...]
    place: FilePlace | None

    @classmethod
    def of(cls, finding: Finding, places: ContentPlaces, project: Path) -> Self:
        """The finding, with a file of the project as seen from the workflow's checkout, or else
        from the current folder.
        """
        place = places.of(finding.problem)
        if place is not None and place.file.is_relative_to(project):
            file = os.path.relpath(place.file, os.environ.get("GITHUB_WORKSPACE") or None)
            return cls(*finding, place._replace(file=Path(file)))
        return cls(*finding, None)


def as_text(findings: Sequence[ReportedFinding]) -> str:
    """Each finding with its place, text and remedy, then how many there are."""
    return "\n\n".join((*map(_text, findings), _counted(findings)))


def _text(finding: ReportedFinding) -> str:
    lines = [f"{finding.problem.severity} ({finding.rule}): {finding.problem}"]
    if any(f" on {printable(node)}" not in finding.problem.what for node in finding.nodes):
        lines.append(f"  on {visible_line(', '.join(finding.nodes))}")
    # A problem of a file names it itself.
    if finding.place and finding.problem.entity != "file":
        lines.append(f"  in {visible_line(str(finding.place.file))}:{finding.place.line}")
    return "\n".join(lines)


def _counted(findings: Sequence[ReportedFinding]) -> str:
    errors = sum(each.problem.severity == "error" for each in findings)
    counts = ((errors, "error"), (len(findings) - errors, "warning"))
    return ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts)


def as_object(findings: Sequence[ReportedFinding]) -> dict[str, object]:
    """The stable form that `--format json` prints."""
    return {"version": 1, "findings": [_object(each) for each in findings]}


def _object(finding: ReportedFinding) -> dict[str, object]:
    found: dict[str, object] = {"rule": finding.rule, **finding.problem.as_json()}
    found["level"] = found.pop("severity")
    if finding.nodes:
        found["nodes"] = finding.nodes
    if finding.place:
        found |= {"file": finding.place.file.as_posix(), "file_line": finding.place.line}
    return found


def as_annotations(findings: Sequence[ReportedFinding]) -> str:
    """One workflow command a finding, then how many there are."""
    return "\n".join((*map(_annotation, findings), _counted(findings)))


def _annotation(finding: ReportedFinding) -> str:
    properties: dict[str, object] = {}
    if finding.place:
        file, line, column = finding.place
        properties = {"file": file.as_posix(), "line": line}
        if column is not None:
            properties["col"] = column
    properties["title"] = finding.rule
    named = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{finding.problem.severity} {named}::{_data(str(finding.problem))}"


def _data(text: str) -> str:
    """The message of a workflow command: on one line, so that nothing in it begins another."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
