"""What `check` finds on one side and not on the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

import robbieblocks
from robbieblocks import checks
from robbieblocks.cache import Cache
from robbieblocks.check_rules import RULES
from robbieblocks.checks import Checked, Finding
from robbieblocks.errors import Problem, Severity
from robbieblocks.model import Sha256, sha256
from robbieblocks.pipeline import Proposal
from robbieblocks.review.values import NewFinding
from robbieblocks.row_faults import is_passing
from robbieblocks.settings import Settings
from robbieblocks.source_hash import source_hash

_KIND: Final = "findings"
# Any module may say what a build warns of.
_CODE: Final = source_hash(Path(robbieblocks.__file__).parent)
_MOVED: Final = "moved-page"
# Compiling the types of all components twice takes longer than all else; `check` does it. Examples
# are read with the files of both sides. A page has moved from where the base has it.
_LEFT_OUT = {"types": "off", "wrong-example": "off", _MOVED: "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Checks sites, and keeps what it finds: a base is the base of many reviews.

    `made_from` is a hash of everything that a site is made from; what it shows at its instant is in
    the proposal.
    """

    settings: Settings
    cache: Cache

    def of(self, proposal: Proposal, made_from: Sha256) -> tuple[Finding, ...]:
        """What all rules find but those that are left out, each finding once."""
        key = self._key(proposal, made_from)
        kept = self.cache.get_many(_KIND, [key])
        if key in kept:
            return tuple(map(_decoded, orjson.loads(kept[key])))
        found = checks.run(self._checked(proposal))
        if is_passing(each.problem for each in found):
            return found
        self.cache.put_many(_KIND, {key: orjson.dumps(list(map(_encoded, found)))})
        return found

    def moved(self, before: Proposal, after: Proposal) -> Iterator[NewFinding]:
        """Pages that move, and to whose old address nothing is said."""
        level = self.settings.checks.get(
            _MOVED, next(each.level for each in RULES if each.name == _MOVED)
        )
        if level == "off":
            return
        severity: Severity = "error" if level == "error" else "warning"
        manifests = [made.manifest for _, made in sorted(before.composed.items())]
        for found in checks.moved_from(manifests, self._checked(after)):
            problem = replace(found.problem, severity=severity)
            yield NewFinding(rule=_MOVED, problem=problem, nodes=found.nodes)

    def _checked(self, proposal: Proposal) -> Checked:
        return Checked(
            inspection=proposal.inspection,
            settings=replace(self.settings, checks={**self.settings.checks, **_LEFT_OUT}),
            progress=lambda _: None,
        )

    def _key(self, proposal: Proposal, made_from: Sha256) -> Sha256:
        rows = proposal.inspection.content
        parts = (
            _CODE,
            made_from,
            repr(sorted(self.settings.checks.items())),
            *(
                f"{run} {made.manifest.build_hash}"
                for run, made in sorted(proposal.composed.items())
            ),
            *(f"draft {row.key}" for row in rows.pages if row.draft),
            *(f"draft {row.key}" for row in rows.components.values() if row.draft),
        )
        return sha256("\0".join(parts))


def new(before: Iterable[Finding], after: Sequence[Finding]) -> tuple[tuple[NewFinding, ...], int]:
    """The findings that the base does not have, and how many of its own are gone."""
    old = _by_text(before)
    kept = _by_text(after).keys()
    return (
        tuple(
            NewFinding(rule=each.rule, problem=each.problem, nodes=tuple(nodes))
            for each in after
            if (nodes := _new_nodes(each, old)) is not None
        ),
        len(old.keys() - kept),
    )


def _encoded(finding: Finding) -> tuple[str, dict[str, object], tuple[str, ...]]:
    return finding.rule, asdict(finding.problem), finding.nodes


def _decoded(kept: tuple[str, dict[str, Any], list[str]]) -> Finding:
    rule, problem, nodes = kept
    return Finding(rule, Problem(**problem), tuple(nodes))


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
