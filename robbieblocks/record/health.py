"""What is not as it should be on a node: one judgement, for `status`, readiness and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.messages import counted, visible_line
from robbieblocks.record.workers import WorkerSeen

# A worker gives a sign of life every ten seconds, and builds what waits within one.
SILENT_S: Final = 60.0
LATE_S: Final = 60.0

_STATES: Final = {
    "standby": "stop it, if you did not mean two",
    "unreachable": "see that database and site root can be reached and written",
    "unknown node": "insert the node's row into robbieblocks_node_branding, or stop the worker",
    "starting": "wait until it has looked at every app",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be on a node, or on one of its apps, and what to do.

    `stops`: changes don't go out; otherwise they do, but for the pages that are held back.
    """

    node: str
    app: str = ""
    what: str
    remedy: str
    stops: bool = True

    def __str__(self) -> str:
        place = f"{self.node}/{self.app}" if self.app else self.node
        return visible_line(f"{place}: {self.what} -> {self.remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What is known of a node by whoever asks. Times are in seconds.

    `state` is the worker's own, with `why`, where it judges itself; `workers` are those that others
    see, None where that is not asked. `had_worker`: a worker built it last. By app, `errors` says
    why its last build failed, and `held_back` why it left pages as they were; `behind` are apps
    that are not as the rows say.
    """

    node: str
    state: str = "active"
    why: str = ""
    workers: Sequence[WorkerSeen] | None = None
    had_worker: bool = False
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    held_back: Mapping[str, str] = field(default_factory=dict[str, str])
    behind: Sequence[str] = ()
    waiting: int = 0
    oldest_s: float = 0.0


def judge(facts: NodeFacts) -> tuple[Finding, ...]:
    """Everything that is not as it should be, the most pressing first. A pin is as it should be."""
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
    for app in facts.behind:
        remedy = f"robbieblocks build --node {node} --app {app}"
        what = "what is served is not what the rows say"
        found.append(Finding(node=node, app=app, what=what, remedy=remedy))
    for app, error in sorted(facts.held_back.items()):
        what, remedy = _of_error(error)
        found.append(Finding(node=node, app=app, what=what, remedy=remedy, stops=False))
    return tuple(found)


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
    return [
        (
            f"the worker {each.host}:{each.pid} gave no sign of life for {each.silent_s:.0f} s",
            "see whether it hangs, and start it anew",
        )
        for each in facts.workers
        if each.state == "active" and each.silent_s is not None and each.silent_s > SILENT_S
    ]


def _of_error(error: str) -> tuple[str, str]:
    """An error's first line, and the remedy that it names itself; else where to find it."""
    what, _, rest = error.partition("\n")
    _, arrow, remedy = rest.partition("-> ")
    remedy = remedy.partition("\n")[0] if arrow else ""
    return what, remedy or "correct what it names: the next build follows by itself"


def _waiting(changes: int) -> str:
    return f"{counted(changes, 'change')} {'waits' if changes == 1 else 'wait'}"
