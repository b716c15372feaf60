"""What `check` finds on one side and not on the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from robbieblocks import checks
from robbieblocks.checks import Checked, Finding
from robbieblocks.pipeline import Inspection
from robbieblocks.review.values import NewFinding
from robbieblocks.settings import Settings

# Compiling the types of all components twice takes longer than all else; `check` does it. Examples
# are read with the files of both sides.
_LEFT_OUT = {"types": "off", "wrong-example": "off"}


def new(
    before: Inspection, after: Inspection, settings: Settings
) -> tuple[tuple[NewFinding, ...], int]:
    """The findings that the base does not have, and how many of its own are gone."""
    quick = replace(settings, checks={**settings.checks, **_LEFT_OUT})
    old = _by_text(_findings(before, quick))
    found = _findings(after, quick)
    kept = _by_text(found).keys()
    return (
        tuple(
            NewFinding(rule=each.rule, problem=each.problem, nodes=tuple(nodes))
            for each in found
            if (nodes := _new_nodes(each, old)) is not None
        ),
        len(old.keys() - kept),
    )


def _findings(inspection: Inspection, settings: Settings) -> tuple[Finding, ...]:
    return checks.run(Checked(inspection=inspection, settings=settings, progress=lambda _: None))


def _text(finding: Finding) -> tuple[str, ...]:
    """What makes a finding the same, wherever edits above it have moved it to."""
    problem = finding.problem
    return finding.rule, problem.entity, problem.key, problem.field, problem.page, problem.what


def _by_text(findings: Iterable[Finding]) -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for each in findings:
        found.setdefault(_text(each), set()).update(each.nodes)
    return found


def _new_nodes(finding: Finding, before: dict[tuple[str, ...], set[str]]) -> tuple[str, ...] | None:
    """The nodes on which a finding is new; None where it is new on none."""
    known = before.get(_text(finding))
    if known is None:
        return finding.nodes
    nodes = tuple(node for node in finding.nodes if node not in known)
    return nodes or None
