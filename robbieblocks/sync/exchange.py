"""What a node and its master do once they are connected: push, receive, and look at everything.

Every step may be the last: the next process begins with what the databases say.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.errors import SchemaOutdated
from robbieblocks.failpoints import reached
from robbieblocks.messages import counted
from robbieblocks.settings import SyncSettings
from robbieblocks.sync.comparing import compare, compare_next
from robbieblocks.sync.health import SKEW_MAX_MS, SyncHealth
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.master_values import Hello, TableRule
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.node_values import Repaired
from robbieblocks.sync.refusals import heed_schema
from robbieblocks.sync.shapes import differences
from robbieblocks.sync.sharing import Sharing
from robbieblocks.sync.way_down import WayDown
from robbieblocks.worker import Log

BATCH: Final = 200
_TURN: Final = "turn"


def next_turn(node: NodeDatabase) -> dict[str, object]:
    """What a node says next, for the master to tell it from a copy of its database.

    Raises DatabaseUnavailable.
    """
    noted: object = json.loads(node.noted(_TURN) or "{}")
    turn: dict[str, object] = {"turn_before": None, "turn": secrets.token_hex(8)}
    return turn | (noted if isinstance(noted, dict) else {})


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A node's database and its master, both connected."""

    node: NodeDatabase
    link: MasterLink
    address: str
    settings: SyncSettings
    health: SyncHealth
    log: Log
    sharing: Sharing = field(default_factory=Sharing)
    tables: tuple[TableRule, ...] = ()
    way: WayDown = field(init=False)
    _said: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.way = WayDown(
            node=self.node,
            link=self.link,
            address=self.address,
            settings=self.settings,
            health=self.health,
            log=self.log,
            push_all=self.push_all,
            find=self._find,
            check_columns=self.adopt_tables,
        )

    def begin(self) -> Hello:
        """Greet the master, and see that both databases fit together.

        Raises RightsMissing where the master refuses, and SchemaOutdated where this database lacks
        what the master has: then nothing may be sent or merged.
        """
        hello = self._greet()
        self.adopt_tables()
        heed_schema(self.node, hello.schema_version)
        return hello

    def adopt_tables(self) -> None:
        """Keep the same tables in step as the master, in the same way.

        Raises SchemaOutdated where this database lacks one of them, or a column of it.
        """
        self.tables = self.link.tables()
        here = self.node.rules()
        for rule in self.tables:
            if here.get(rule.name) != rule.how:
                self.node.configure(rule)
        for name in here.keys() - {rule.name for rule in self.tables}:
            self.node.configure(TableRule(name, "never", "row", True, {}))
        lacking = [
            each for rule in self.tables for each in differences(rule, self.node.schema(rule.name))
        ]
        if lacking:
            raise SchemaOutdated(
                f"this database is behind the master: {'; '.join(lacking)}: "
                "run `robbieblocks db upgrade` here; changes wait until then"
            )

    def push(self) -> bool:
        """Send a batch of the outbox; whether there was one."""
        batch = self.node.take(BATCH)
        if not batch.count:
            return False
        reached("sync: taken")
        answers = self.link.apply(batch.entries, self.node.clock())
        reached("sync: applied")
        outcomes = self.node.settle(answers)
        reached("sync: settled")
        self.health.count(outcomes)
        refused = outcomes.get("refused")
        if refused:
            self.log.warning("sync.refused", count=refused[0], why=refused[1])
        return True

    def look(self) -> None:
        """Look at everything, put right what is not as it should be, and report the rest."""
        hello = self.begin()
        self.way.open()
        self.push_all()
        done = self.compare(hello, compare if self.way.wants_all() else compare_next)
        self.way.has_all()
        if done.count:
            self.log.info(
                "sync.repaired", changed=done.changed, removed=done.removed, sent=done.sent
            )
        self._find(
            "unknown",
            f"{counted(done.unknown, 'row')} of this database alone, from before it joined "
            f"({', '.join(done.alone)}{', ...' * (len(done.alone) < done.unknown)}): "
            "`SELECT sync_send('TABLE', ARRAY['KEY'])` sends them to the master"
            if done.unknown
            else "",
        )
        self._find(
            "lost",
            f"the master lacks {counted(done.lost, 'row')} of others as they are here: it was "
            "restored from a backup, it seems; `robbieblocks sync resync TABLE` on one node sends "
            "them"
            if done.lost
            else "",
        )
        self._find("rows", "; ".join(self.node.refused_here()))
        self.node.prune()
        self.health.outbox = self.node.outbox()
        self.health.reconciled()

    def compare(self, hello: Hello, compare: Callable[..., Repaired]) -> Repaired:
        """Compare every table that comes down, by a function of `comparing`."""
        done = Repaired()
        for rule in self.tables:
            if rule.comes_down and rule.has_deletes:
                done += compare(self.node, self.link, rule, hello.tombstones_from, self.health.tick)
        self.health.repaired += done
        return done

    def push_all(self) -> None:
        """Send the whole outbox."""
        while self.push():
            self.health.tick()

    def _greet(self) -> Hello:
        outbox = self.health.outbox = self.node.outbox()
        report: dict[str, object] = {
            "waiting": outbox.waiting,
            "refused": outbox.refused,
            "oldest_at": outbox.oldest_at.isoformat() if outbox.oldest_at else None,
            "transport": self.health.transport,
            "schema_version": self.node.schema_version(),
            "findings": self.health.findings,
        }
        turn = self._turn()
        hello = self.link.hello(self.node.clock(), report | turn | self.sharing.key())
        if turn:
            self.node.note(_TURN, json.dumps({"turn_before": turn["turn"]}))
        self._find(
            "twin",
            f"another database has synced as {self.link.node} since this one did: a copy of it is "
            "at work (end its `sync run`, and have it leave and join under a name of its own), or "
            "one of the databases was restored from a backup, and this passes"
            if hello.is_other
            else "",
        )
        self.sharing.believe(hello.cache_keys)
        self._find("cache", self.sharing.why)
        self.health.skew_ms = hello.skew_ms
        self.node.seen(hello.master)
        off = abs(hello.skew_ms) > SKEW_MAX_MS
        self._find(
            "clock",
            f"the clock of this server is {abs(hello.skew_ms) / 1000:.0f} s "
            f"{'ahead of' if hello.skew_ms > 0 else 'behind'} the master's: set it (NTP); until "
            "then the master puts the times of edits right"
            if off
            else "",
        )
        return hello

    def _turn(self) -> dict[str, object]:
        """A new word for this hello, and that of the last one that was answered.

        It is noted before it is said: whether an answer that was lost had arrived is not known.
        """
        if self.node.self() is None:
            return {}
        turn = next_turn(self.node)
        self.node.note(_TURN, json.dumps(turn))
        return turn

    def _find(self, topic: str, what: str) -> None:
        if what and what not in self._said:
            self.log.warning("sync.finding", topic=topic, what=what)
        self._said.discard(self.health.findings_now.get(topic, ""))
        if what:
            self._said.add(what)
        self.health.find(topic, what)
