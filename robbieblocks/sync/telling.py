"""Says in what state a sync is: in its health, in its log, and in the node's own database.

`robbieblocks sync status` is another process: what it says of the one that syncs stands there.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from robbieblocks.errors import RobbieBlocksError
from robbieblocks.sync.health import State, SyncHealth
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.worker import Log

_NOTED: Final = "told"
# States that a person chose, or that are as they should be.
_QUIET: Final = ("active", "standby", "paused")
# In these the last look at everything is over, and what it found may be so no more.
_TOLD_LATER: Final = ("behind", "refused")
# What `status` sees for itself.
_SEEN_THERE: Final = ("clock", "transport", "rows")


@dataclass(slots=True)
class Telling:
    """What was said so far."""

    health: SyncHealth
    log: Log
    _whys: set[str] = field(default_factory=set[str])
    _noted: str = ""

    def now(self, state: State, why: str, own: NodeDatabase | None) -> None:
        """Say the state and why it is so, each reason once while the state stays."""
        if state != self.health.state:
            self._whys.clear()
        if state != self.health.state or why not in self._whys:
            log = self.log.info if state in _QUIET else self.log.warning
            log("sync.state", state=state, **({"why": why} if why else {}))
            self._whys.add(why)
        self.health.state, self.health.why = state, why
        # Who stands by is not the one that syncs.
        if own is None or state == "standby":
            return
        found = json.dumps(
            {"state": state, "why": why, "findings": self.health.findings_now.copy()}
        )
        if found != self._noted:
            # Where the node's own database is lost, the next round finds that out.
            with suppress(RobbieBlocksError):
                own.note(_NOTED, found)
                self._noted = found


def told(own: NodeDatabase) -> list[str]:
    """What the process that syncs this database has found, as of its last look.

    Raises DatabaseUnavailable.
    """
    noted: object = json.loads(own.noted(_NOTED) or "null")
    if not isinstance(noted, dict):
        return []
    said = cast("dict[str, Any]", noted)
    if said.get("state") == "cut off":
        # The master may answer whoever looks at the status, and refuse the work.
        return [str(said.get("why") or "")]
    if said.get("state") in _TOLD_LATER:
        return [f"{said['state']}: {said.get('why') or ''}"]
    if said.get("state") != "active":
        return []
    findings = cast("dict[str, object]", said.get("findings") or {})
    return [str(what) for topic, what in findings.items() if topic not in _SEEN_THERE]
