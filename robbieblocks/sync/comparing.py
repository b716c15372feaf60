"""Compares tables with the master by hashes of key ranges, and repairs what differs.

It costs what differs: equal ranges are told apart from others by one hash each.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from robbieblocks.failpoints import reached
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.master_values import Part, TableRule
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.node_values import Repaired

_PARTS: Final = 16
# A range with at most so many rows is fetched whole; a larger one is compared by its own parts.
_FETCHED_MAX: Final = 64
_PAGE: Final = 200
# So many rows of a table are compared at each look (docs/sync.md has what that costs).
_ROWS_A_LOOK: Final = 100_000
_WHOLE_AGAIN: Final = timedelta(days=1)


def compare(
    node: NodeDatabase,
    link: MasterLink,
    rule: TableRule,
    tombstones_from: datetime | None,
    progress: Callable[[], None] = lambda: None,
    within: tuple[str | None, str | None] = (None, None),
    *,
    sends_lost: bool = False,
) -> Repaired:
    """Bring a table, or its keys `within` two, to what the master has, and note that.

    `sends_lost`: what the master has lost of others' changes goes up again, too.
    """
    began = time.monotonic()
    done = Repaired()
    is_equal = True
    ranges = [within]
    while ranges:
        progress()
        low, high = ranges.pop()
        parts = link.hashes(rule.name, low, high, _PARTS)
        ours = node.hashes_of(rule, parts)
        for part in parts:
            count, hash_ = ours.get(part.number, (0, None))
            if (count, hash_) == (part.row_count, part.hash):
                continue
            is_equal = False
            is_whole = len(parts) == 1 or (part.from_key, part.to_key) == (low, high)
            if is_whole or max(count, part.row_count) <= _FETCHED_MAX:
                fetched = _fetch(
                    node, link, rule.name, part, tombstones_from, sends_lost=sends_lost
                )
                done += fetched
            else:
                ranges.append((part.from_key, part.to_key))
    took_ms = round((time.monotonic() - began) * 1000)
    node.compared(rule.name, done.count, took_ms, is_equal=is_equal)
    return done


def compare_next(
    node: NodeDatabase,
    link: MasterLink,
    rule: TableRule,
    tombstones_from: datetime | None,
    progress: Callable[[], None],
) -> Repaired:
    """Compare a table; of a large one the rows behind those of the last look, and all of it where
    that was over a day ago.
    """
    name = f"compared {rule.name}"
    noted: dict[str, str | None] = json.loads(node.noted(name) or "{}")
    now, at = node.clock(), noted.get("at")
    is_recent = at is not None and now - datetime.fromisoformat(at) < _WHOLE_AGAIN
    low = noted.get("after") if is_recent else None
    high = node.step(rule.name, low, _ROWS_A_LOOK) if is_recent else None
    done = compare(node, link, rule, tombstones_from, progress, (low, high))
    node.note(name, json.dumps({"after": high, "at": now.isoformat()}))
    return done


def copy(
    node: NodeDatabase,
    link: MasterLink,
    table: str,
    progress: Callable[[], None] = lambda: None,
) -> int:
    """Merge all rows of a table from the master, page by page; how many changed."""
    changed, after = 0, None
    while True:
        progress()
        page = link.copy(table, after, None, _PAGE)
        if page.count:
            changed += node.receive(page.entries)
        reached("sync: page copied")
        if page.last is None:
            return changed
        after = page.last


def first_look(
    node: NodeDatabase, link: MasterLink, rule: TableRule, tombstones_from: datetime | None
) -> Repaired:
    """Compare a table; one that is empty here is copied, which asks for less."""
    whole = Part(0, None, None, 0, None)
    count, _ = node.hashes_of(rule, [whole])[0]
    copied = copy(node, link, rule.name) if count == 0 else 0
    return Repaired(changed=copied) + compare(node, link, rule, tombstones_from)


def _fetch(
    node: NodeDatabase,
    link: MasterLink,
    table: str,
    part: Part,
    tombstones_from: datetime | None,
    *,
    sends_lost: bool,
) -> Repaired:
    # By pages: what differs may be more than one value of jsonb can hold.
    done, after = Repaired(), part.from_key
    while True:
        page = link.copy(table, after, part.to_key, _PAGE)
        to = part.to_key if page.last is None else page.last
        its = replace(part, from_key=after, to_key=to)
        done += node.repair(table, its, page.entries, tombstones_from, sends_lost=sends_lost)
        if page.last is None:
            return done
        after = page.last
