"""What is not as it should be on a node: one judgement, for `status`, readiness and metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from robbieblocks.messages import counted, visible_line
from robbieblocks.record.workers import WorkerSeen

# A worker gives a sign of life every ten seconds, and builds what waits within one.
SILENT_S: Final = 60.0
LATE_S: Final = 60.0

Drift = Literal["", "disk", "rows", "serving"]
DRIFTS: Final[tuple[Drift, ...]] = ("disk", "rows", "serving")
"""How what visitors get drifts from what they should get: a file of the live release is not what
was published, it is older than the rows, or its address answers something else."""
_NAMED_MAX: Final = 3

_STATES: Final = {
    "standby": "stop it, if you did not mean two",
    "unreachable": "see that database and site root can be reached and written",
    "unknown node": "insert the node's row into robbieblocks_node_branding, or stop the worker",
    "starting": "wait until it has looked at every app",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be on a node, or on one of its apps, and what to do.

    `stops`: changes don't go out; otherwise they do, but for the pages that are held back. `kind`
    is that of a drift, empty for anything else.
    """

    node: str
    app: str = ""
    what: str
    remedy: str
    stops: bool = True
    kind: Drift = ""

    def __str__(self) -> str:
        place = f"{self.node}/{self.app}" if self.app else self.node
        return visible_line(f"{place}: {self.what} -> {self.remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What is known of a node by whoever asks. Times are in seconds.

    `state` is the worker's own, with `why`, where it judges itself; `workers` are those that others
    see, None where that is not asked. `had_worker`: a worker built it last. By app, `errors` says
    why its last build failed, and `held_back` why it left pages as they were; `pinned` are the
    apps that a pin holds; `edited` has what of the live release is not as it was published,
    `behind` the pages that are not as the rows say, and `not_served` what visitors get wrongly, and
    what to do.
    """

    node: str
    state: str = "active"
    why: str = ""
    workers: Sequence[WorkerSeen] | None = None
    had_worker: bool = False
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    held_back: Mapping[str, str] = field(default_factory=dict[str, str])
    pinned: Collection[str] = ()
    edited: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    behind: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    not_served: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    waiting: int = 0
    oldest_s: float = 0.0


def judge(facts: NodeFacts) -> tuple[Finding, ...]:
    """Everything that is not as it should be, the most pressing first. Pins and freezes are."""
    node = facts.node
    found: list[Finding] = []
    if facts.state != "active":
        what = f"{facts.state}: {facts.why}" if facts.why else facts.state
        found.append(
            Finding(node=node, what=what, remedy=_STATES.get(facts.state, "start it anew"))
        )
    found += (Finding(node=node, what=what, remedy=remedy) for what, remedy in _of_workers(facts))
    for app, error in sorted(facts.errors.items()):
        what, remedy = _of_error(error)
        found.append(Finding(node=node, app=app, what=what, remedy=remedy))
    if facts.oldest_s > LATE_S and facts.workers != ():
        what = f"{_waiting(facts.waiting)}, the oldest for {facts.oldest_s:.0f} s"
        found.append(Finding(node=node, what=what, remedy="see what the worker logs", stops=False))
    found += _drifts(facts)
    for app, error in sorted(facts.held_back.items()):
        what, remedy = _of_error(error)
        found.append(Finding(node=node, app=app, what=what, remedy=remedy, stops=False))
    return tuple(found)


def _drifts(facts: NodeFacts) -> Iterator[Finding]:
    """Each kind of drift, that of the disk first: it may be what the others come from."""
    node = facts.node
    for app, differences in sorted(facts.edited.items()):
        what = f"edited on the disk: {_some(differences)}"
        remedy = f"robbieblocks build --verify --node {node} --app {app}"
        if app in facts.pinned:
            # What newer rows make is not what was edited, and the pin keeps it back.
            remedy += f"; where newer rows wait, robbieblocks unpin --node {node} --app {app} first"
        yield Finding(node=node, app=app, what=what, remedy=remedy, stops=False, kind="disk")
    for app, pages in sorted(facts.behind.items()):
        what = f"older than the rows: {_some(pages) or 'other files than pages'}"
        remedy = f"robbieblocks build --node {node} --app {app}"
        yield Finding(node=node, app=app, what=what, remedy=remedy, kind="rows")
    for app, (said, remedy) in sorted(facts.not_served.items()):
        what = f"not what is served: {said}"
        yield Finding(node=node, app=app, what=what, remedy=remedy, stops=False, kind="serving")


def _some(names: Sequence[str]) -> str:
    """The first few of many."""
    more = len(names) - _NAMED_MAX
    listed = ", ".join(names[:_NAMED_MAX])
    return f"{listed} and {more} more" if more > 0 else listed


def _of_workers(facts: NodeFacts) -> list[tuple[str, str]]:
    if facts.workers is None:
        return []
    start = f"start `robbieblocks worker --node {facts.node}`"
    if not facts.workers:
        if facts.waiting:
            return [(f"no worker runs, and {_waiting(facts.waiting)}", start)]
        return [("its worker runs no more", start)] if facts.had_worker else []
    if all(each.state == "standby" for each in facts.workers):
        return [("every worker is a standby", "see what holds the node's lock")]
    active = [each for each in facts.workers if each.state == "active"]
    silent = [
        (
            f"the worker {each.host}:{each.pid} gave no sign of life for {each.silent_s:.0f} s",
            "see whether it hangs, and start it anew",
        )
        for each in active
        if each.silent_s is not None and each.silent_s > SILENT_S
    ]
    lacking = [
        (f"the worker {each.host}:{each.pid} lacks a right", f"{each.lacks}; or schema/roles.sql")
        for each in active
        if each.lacks
    ]
    return silent + lacking


def _of_error(error: str) -> tuple[str, str]:
    """An error's first line, and the remedy that it names itself; else where to find it."""
    what, _, rest = error.partition("\n")
    _, arrow, remedy = rest.partition("-> ")
    remedy = remedy.partition("\n")[0] if arrow else ""
    return what, remedy or "correct what it names: the next build follows by itself"


def _waiting(changes: int) -> str:
    return f"{counted(changes, 'change')} {'waits' if changes == 1 else 'wait'}"
