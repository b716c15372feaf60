"""What a review says, in the words that its text and its Markdown share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from robbieblocks.messages import counted, listed, size
from robbieblocks.pipeline import Cause
from robbieblocks.review.values import (
    EFFECTS,
    FieldChange,
    NewFinding,
    PageEffect,
    Review,
    RowChange,
)

COMES_OUT: Final = {
    "removed": "removed",
    "held back": "held back",
    "changed": "changed",
    "added": "added",
    "identical": "byte-identical",
}
DANGEROUS: Final = ("removed", "held back")
_NAMED_MAX: Final = 3


def verdict(review: Review) -> str:
    """All of it in one line."""
    rows = len(review.rows)
    differ = f" ({counted(rows, 'row')} differ{'s' if rows == 1 else ''})" if rows else ""
    if not review.changed:
        return f"Nothing changes for visitors: every page comes out byte-identical{differ}"
    nodes = {page.node for page in review.pages if page.effect != "identical"}
    parts = [
        f"{count:,} {COMES_OUT[effect]}"
        for effect in EFFECTS
        if (count := len({page.key for page in review.pages if page.effect == effect}))
    ]
    errors = sum(each.problem.severity == "error" for each in review.findings)
    warnings = len(review.findings) - errors
    said = f"Pages: {', '.join(parts)}" if parts else f"No page changes{differ}"
    if nodes:
        said += f", on {listed(sorted(nodes), 4)}"
    for count, noun in ((errors, "new error"), (warnings, "new warning")):
        if count:
            said += f"; {counted(count, noun)}"
    if any(run.brake for run in review.runs):
        said += "; held by the brake"
    return said


def cause_text(cause: Cause) -> str:
    """A cause as a subject: `token color.primary`, `block 2 of play-home`."""
    match cause:
        case ("page_block", page, order):
            return f"block {order} of {page}"
        case _:
            return str(cause)


def group_sentence(causes: Sequence[Cause], pages: Sequence[PageEffect]) -> str:
    """What a cause does: `token x touches 41 pages on 2 nodes: 3 change, 38 come out ...`."""
    keys = {page.key for page in pages}
    nodes = sorted({page.node for page in pages})
    on = nodes[0] if len(nodes) == 1 else counted(len(nodes), "node")
    subject = " and ".join(map(cause_text, causes[:_NAMED_MAX]))
    if len(causes) > _NAMED_MAX:
        subject += f" and {len(causes) - _NAMED_MAX} more"
    outcomes = [
        (len({page.key for page in pages if page.effect == effect}), effect)
        for effect in EFFECTS
        if any(page.effect == effect for page in pages)
    ]
    if {("page", key, "") for key in keys} == set(causes):
        return f"{subject} {_EFFECTS[outcomes[0][1]][0]} on {on}"
    verb = "touches" if len(causes) == 1 else "touch"
    named = next(iter(keys)) if len(keys) == 1 else counted(len(keys), "page")
    said: Iterable[str] = (
        f"{count:,} {_EFFECTS[effect][count != 1]}" for count, effect in outcomes
    )
    if len(outcomes) == 1:
        outcome = _EFFECTS[outcomes[0][1]]
        said = (f"it {outcome[0]}" if len(keys) == 1 else f"all {outcome[1]}",)
    elif len(keys) == 1:
        said = _by_nodes(pages)
    return f"{subject} {verb} {named} on {on}: {', '.join(said)}"


def _by_nodes(pages: Sequence[PageEffect]) -> Iterator[str]:
    """What becomes of one page that comes out otherwise on each node."""
    for effect in EFFECTS:
        nodes = sorted(page.node for page in pages if page.effect == effect)
        if nodes:
            yield f"it {_EFFECTS[effect][0]} on {listed(nodes, _NAMED_MAX)}"


# With one page, and with several.
_EFFECTS: Final = {
    "removed": ("is removed", "are removed"),
    "held back": ("is held back", "are held back"),
    "changed": ("changes", "change"),
    "added": ("is added", "are added"),
    "identical": ("comes out byte-identical", "come out byte-identical"),
}


def field_name(change: FieldChange) -> str:
    """Which field: `title`, `block 2 blackjack-table: maxBet`."""
    if change.block is None:
        return change.field or "text"
    block = f"block {change.block} {change.component}"
    return f"{block}: {change.field}" if change.field else block


def row_name(row: RowChange) -> str:
    """Which row: `page robbie-play-home`."""
    return f"{row.entity} {row.key}"


def sizes(before: int | None, after: int | None) -> str:
    """Bytes before and after: `12.0 kB -> 12.4 kB (+400 B)`; empty where nothing differs."""
    if before == after:
        return ""
    if before is None or after is None:
        return size(before or after or 0)
    more = after - before
    said = size(after) if size(before) == size(after) else f"{size(before)} -> {size(after)}"
    return f"{said} ({'+' if more > 0 else '-'}{size(abs(more))})"


def base_text(review: Review) -> str:
    """What was compared with: `main (1a2b3c4d5e6f of 2026-11-28), state 0f1e2d3c4b5a`."""
    base = review.base
    commit = f" ({base.commit[:12]} of {base.date[:10]})" if base.commit else ""
    return f"{base.name}{commit}, state {base.hash[:12]}"


def dangers(review: Review) -> Iterator[str]:
    """What must not be missed: removals, and what the brake holds."""
    removed: dict[str, list[str]] = {}
    for page in review.pages:
        if page.effect == "removed":
            removed.setdefault(page.key, []).append(page.node)
    for key, nodes in removed.items():
        yield f"{key} is removed from {listed(nodes, 6)}"
    held: dict[tuple[str, str], list[str]] = {}
    for run in review.runs:
        if run.brake:
            held.setdefault((run.app, run.brake), []).append(run.node)
    for (app, brake), nodes in held.items():
        on = listed(nodes, 6)
        yield f"the brake holds {app} on {on}: {brake}; `robbieblocks build` says how to approve it"


def alike_findings(findings: Iterable[NewFinding]) -> list[list[NewFinding]]:
    """The findings, those together that say the same of several places."""
    found: dict[tuple[str, ...], list[NewFinding]] = {}
    for each in findings:
        wrong = each.problem
        found.setdefault((each.rule, wrong.what, wrong.remedy, wrong.source), []).append(each)
    return list(found.values())


def cut(lines: Iterable[str], most: int, what: str) -> Iterator[str]:
    """The first lines; the last says how many more there are."""
    found = list(lines)
    yield from found[:most]
    if len(found) > most:
        yield f"and {counted(len(found) - most, what)} more"
