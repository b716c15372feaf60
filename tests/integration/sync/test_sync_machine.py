"""Any order of edits, cuts, lost answers and replays ends with equal databases, and no loss.

`FUZZ_EXAMPLES` is how many orders are tried, `SYNC_WAYS` how changes come to each node.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from typing import Any, ClassVar, cast

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.clusters import Cluster
from tests.integration.sync import pages, sites
from tests.integration.sync.sites import Fleet, Site, Way

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(0 if "FUZZ_EXAMPLES" in os.environ else 300),
]

_SITES = st.integers(0, 3)
_NODES = st.integers(1, 3)
# One subscribes, and others ask.
_WAYS = cast("tuple[Way, ...]", tuple(os.environ.get("SYNC_WAYS", "stream,poll,poll").split(",")))
_ANY = st.integers(0, 10**6)


class Edits(RuleBasedStateMachine):
    """A master and three nodes to which the log is brought when a rule says so: to some by a
    subscription, to the others by asking for it.

    Each write has a text of its own. What a statement writes over, its site has seen. In the end a
    text stands in a row, or somebody who saw it wrote over it, or a conflict keeps it.
    """

    fleet: ClassVar[Fleet]

    @initialize()
    def begin(self) -> None:
        self.sites: list[Site] = [self.fleet.master, *self.fleet.nodes]
        self._pull(*self.fleet.nodes)
        self.first: dict[str, Any] = {
            node.name: self.fleet.poll(node, None) for node in self.fleet.nodes
        }
        self.written: set[str] = set()
        self.seen: set[str] = set()
        self.lost_answers: list[tuple[Site, list[Any]]] = []
        self.slow: Site | None = None
        self.names = [pages.key() for _ in range(3)]
        self.widget = pages.component(self.fleet.master)
        self.fleet.master.run("DELETE FROM sync_conflicts")
        self._pull(*self.fleet.nodes)

    def _text(self) -> str:
        text = pages.key()
        self.written.add(text)
        return text

    def _mine(self, site: Site) -> list[dict[str, Any]]:
        return site.rows(
            "SELECT id::text, page_key, meta_title FROM robbieblocks_pages"
            " WHERE page_key = ANY (%s) ORDER BY page_key, id",
            self.names,
        )

    def _blocks(self, site: Site) -> list[dict[str, Any]]:
        return site.rows(
            "SELECT b.id::text, b.page_id::text, b.block_order, b.props ->> 'text' AS text"
            " FROM robbieblocks_page_blocks b JOIN robbieblocks_pages p ON p.id = b.page_id"
            " WHERE p.page_key = ANY (%s) ORDER BY b.block_order, b.id",
            self.names,
        )

    @rule(at=_SITES, named=st.integers(0, 2))
    def make_page(self, at: int, named: int) -> None:
        site = self.sites[at]
        if self.names[named] not in {row["page_key"] for row in self._mine(site)}:
            pages.page(site, self.names[named], self._text())

    @rule(at=_SITES, choice=_ANY)
    def change_page(self, at: int, choice: int) -> None:
        site = self.sites[at]
        if found := self._mine(site):
            row = found[choice % len(found)]
            self.seen.add(row["meta_title"])
            pages.retitle(site, row["id"], self._text())

    @rule(at=_SITES, choice=_ANY)
    def remove_page(self, at: int, choice: int) -> None:
        site = self.sites[at]
        if found := self._mine(site):
            row = found[choice % len(found)]
            blocks = [b["text"] for b in self._blocks(site) if b["page_id"] == row["id"]]
            self.seen |= {row["meta_title"], *blocks}
            pages.remove(site, "pages", row["id"])

    @rule(at=_SITES, choice=_ANY, order=st.integers(1, 3))
    def make_block(self, at: int, choice: int, order: int) -> None:
        site = self.sites[at]
        if found := self._mine(site):
            page = found[choice % len(found)]["id"]
            if order not in pages.orders(site, page).values():
                text = json.dumps({"text": self._text()})
                pages.block(site, page, self.widget, order, text)

    @rule(at=_SITES, choice=_ANY)
    def change_block(self, at: int, choice: int) -> None:
        site = self.sites[at]
        if found := self._blocks(site):
            row = found[choice % len(found)]
            self.seen.add(row["text"])
            site.run(
                "UPDATE robbieblocks_page_blocks SET props = %s WHERE id = %s",
                json.dumps({"text": self._text()}),
                row["id"],
            )

    @rule(at=_SITES, choice=_ANY, to=st.integers(1, 3))
    def move_block(self, at: int, choice: int, to: int) -> None:
        site = self.sites[at]
        if found := self._blocks(site):
            row = found[choice % len(found)]
            site.run(
                "SELECT robbieblocks_move_block((SELECT page_key FROM robbieblocks_pages"
                " WHERE id = %s), %s, %s)",
                row["page_id"],
                row["block_order"],
                to,
            )

    @rule(at=_SITES, choice=_ANY)
    def remove_block(self, at: int, choice: int) -> None:
        site = self.sites[at]
        if found := self._blocks(site):
            row = found[choice % len(found)]
            self.seen.add(row["text"])
            pages.remove(site, "page_blocks", row["id"])

    @rule(at=_SITES, choice=_ANY, to=_ANY)
    def move_block_to_another_page(self, at: int, choice: int, to: int) -> None:
        site = self.sites[at]
        if (blocks := self._blocks(site)) and (found := self._mine(site)):
            page = found[to % len(found)]["id"]
            site.run(
                "UPDATE robbieblocks_page_blocks SET page_id = %s, block_order = %s WHERE id = %s",
                page,
                max([0, *pages.orders(site, page).values()]) + 1,
                blocks[choice % len(blocks)]["id"],
            )

    @rule(at=_SITES)
    def exchange_names(self, at: int) -> None:
        site = self.sites[at]
        if len(found := self._mine(site)) > 1:
            first, second = found[:2]
            rename = "UPDATE robbieblocks_pages SET page_key = %s WHERE id = %s"
            with site.owner.transaction():
                for name, row in ((pages.key(), first), (first["page_key"], second)):
                    site.run(rename, name, row["id"])
                site.run(rename, second["page_key"], first["id"])

    @rule(at=_SITES, choice=_ANY)
    def make_page_again(self, at: int, choice: int) -> None:
        site = self.sites[at]
        if found := self._mine(site):
            row = found[choice % len(found)]
            blocks = [b["text"] for b in self._blocks(site) if b["page_id"] == row["id"]]
            self.seen |= {row["meta_title"], *blocks}
            pages.remove(site, "pages", row["id"])
            pages.again(site, row["id"], row["page_key"], self._text())

    @rule(at=_NODES)
    def restore_a_backup_of_the_outbox(self, at: int) -> None:
        self.sites[at].run("UPDATE pending_sync SET sent_at = NULL WHERE synced_at IS NULL")

    @rule(at=_NODES)
    def pull(self, at: int) -> None:
        self._pull(self.sites[at])

    @rule(at=_NODES)
    def pull_all_again(self, at: int) -> None:
        # As where a subscription is given up: what came by it is asked for once more.
        node = self.sites[at]
        self.fleet.poll(node, self.first[node.name])

    @rule(at=_NODES)
    def push(self, at: int) -> None:
        self.fleet.send(self.sites[at])

    @rule(at=_NODES)
    def push_and_lose_the_answer(self, at: int) -> None:
        node = self.sites[at]
        entries = node.value("SELECT sync_outbox_take(3)")
        self.fleet.hand_over(node, entries, settle=False)
        self.lost_answers.append((node, entries))

    @rule(choice=_ANY)
    def push_an_old_batch(self, choice: int) -> None:
        if self.lost_answers:
            node, entries = self.lost_answers[choice % len(self.lost_answers)]
            self.fleet.hand_over(node, entries)

    @rule(choice=_ANY)
    def restore(self, choice: int) -> None:
        master = self.fleet.master
        open_ = [c for c in self.fleet.conflicts() if c["resolved_at"] is None]
        if open_:
            before = self._texts(master)
            with contextlib.suppress(psycopg.IntegrityError):
                master.run("SELECT sync_conflicts_restore(%s)", open_[choice % len(open_)]["id"])
            self.seen |= before - self._texts(master)

    def _texts(self, site: Site) -> set[str]:
        return {row["meta_title"] for row in self._mine(site)} | {
            row["text"] for row in self._blocks(site)
        }

    @rule(at=_SITES, minutes=st.sampled_from([-90, -2, 0, 2, 90]))
    def set_the_clock(self, at: int, minutes: int) -> None:
        self.sites[at].run("UPDATE sync_self SET clock_offset_ms = %s", minutes * 60_000)

    @rule()
    def begin_slowly(self) -> None:
        # It has the number of its transaction, and holds no row that another one edits.
        if self.slow is None:
            master = self.fleet.master
            self.slow = replace(master, owner=master.cluster.connect(master.database, sites.OWNER))
            self.slow.owner.autocommit = False
            pages.page(self.slow, title=self._text())

    @rule(choice=_ANY)
    def end_slowly(self, choice: int) -> None:
        if self.slow is not None:
            if found := self._mine(self.slow):
                row = found[choice % len(found)]
                self.seen.add(row["meta_title"])
                pages.retitle(self.slow, row["id"], self._text())
            self.slow.owner.commit()
            self.slow.owner.close()
            self.slow = None

    def _pull(self, *nodes: Site) -> None:
        for node in nodes:
            self.fleet.bring(node)

    def teardown(self) -> None:
        if not hasattr(self, "names"):
            return
        self.end_slowly(0)
        for _ in range(10):
            sent = [self.fleet.send(node) for node in self.fleet.nodes]
            self._pull(*self.fleet.nodes)
            if not any(sent):
                break
        for site in self.sites:
            site.run("UPDATE sync_self SET clock_offset_ms = 0")
            assert site.value("SELECT waiting FROM sync_outbox_state()") == 0, site.name
        contents = [site.content() for site in self.sites]
        for site, content in zip(self.sites, contents, strict=True):
            assert content == contents[0], site.name
        conflicts = self.fleet.conflicts()
        kept = json.dumps(conflicts, default=str)
        live = json.dumps(contents[0])
        untraced = {t for t in self.written - self.seen if t not in live and t not in kept}
        assert untraced == set()
        texts = [block["text"] for block in self._blocks(self.fleet.master)]
        assert len(texts) == len(set(texts))
        told = [(c["row_key"], c["master_version"], c["replica_version"]) for c in conflicts]
        assert len(told) == len(set(told))


def test_every_order_of_edits_ends_alike(
    servers: list[Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal rows everywhere, nothing waits, each text has a trace, and none is there twice."""
    monkeypatch.setattr("robbieblocks.sync.way_down._PAGE", 2)
    with sites.fleet(servers, 99, ways=_WAYS) as fleet:
        for node in fleet.nodes:
            fleet.hold(node)
        Edits.fleet = fleet
        run_state_machine_as_test(
            Edits,
            settings=settings(
                max_examples=int(os.environ.get("FUZZ_EXAMPLES", "6")),
                stateful_step_count=40,
                deadline=None,
                derandomize="FUZZ_EXAMPLES" not in os.environ,
                database=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
