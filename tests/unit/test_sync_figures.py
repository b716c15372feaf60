"""What a run of the benchmarks writes into docs/sync.md; nothing here measures time."""

from __future__ import annotations

import re

from benchmarks import sync_page

_SYNC = {
    "databases_in_step": [
        {"what": "commit on the master to notification on a node", "ms": 7.25},
        {"what": "catching up on 100,000 edits of the master", "ms": 61_200.0},
    ],
    "published_tables": [
        {"way": way, "what": what, "value": 2.5}
        for way in ("tables", "tables with whole rows", "log")
        for what in (
            "a large value edited on the node, another column later",
            "deleted on the node, changed later",
            "a key that both took",
            "ms of a write",
            "ms from commit to notification",
            "bytes of WAL an edit",
        )
    ],
    "fleet": [
        {"what": "8 nodes with databases", "last_ms": 16.0, "cpu_ms_an_edit": 3.5},
        {"what": "0 sessions that listen", "cpu_ms_an_edit": 4.0},
        {"what": "1000 sessions that listen", "last_ms": 46.0, "cpu_ms_an_edit": 13.0},
        {"what": "0 more subscribers", "cpu_ms_an_edit": 4.0},
        {
            "what": "128 more subscribers",
            "last_ms": 1.4,
            "cpu_ms_an_edit": 29.6,
            "mb_a_subscriber": 1.6,
        },
        {"what": "WAL", "bytes_an_edit": 6_300.0},
        {"what": "asking for changes", "ms_a_call": 4.2},
        {"what": "comparing 100,000 rows on the master", "first_s": 0.8, "all_s": 0.9},
    ],
    "fleet_of_workers": [
        {
            "what": "quiet",
            "workers_cpu_%": 1.1,
            "nodes_cpu_%": 0.5,
            "master_cpu_%": 0.0,
            "mb_a_worker": 114.0,
            "sessions_on_the_master": 16.0,
        },
        {
            "what": "a block, without",
            "first_ms": 74.0,
            "median_ms": 187.0,
            "last_ms": 230.0,
            "workers_cpu_ms": 240.0,
            "nodes_cpu_ms": 150.0,
            "master_cpu_ms": 80.0,
        },
    ],
}


def test_the_figures_of_the_sync_are_written_by_a_run() -> None:
    """A run writes every part of docs/sync.md that says that it is measured, and no other."""
    made = sync_page.parts({"details": _SYNC}, "Measured today.")
    text = sync_page.PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<!-- measured: (\w+) -->\n", text)
    assert set(re.findall(r"<!-- measured: (\w+) -->\n", text)) == made.keys()
    assert made["sync_machine"] == "Measured today."
    assert "| catching up on 100,000 edits of the master | 61.2 s |" in made["databases_in_step"]
    assert "| WAL an edit | 2 bytes | 2 bytes | 2 bytes |" in made["published_tables"]
    assert "| 128 subscribers more | 1.4 ms | 29.6 ms |" in made["fleet"]
    said = made["fleet_says"]
    assert "That is 0.20 ms of CPU an edit, and 1.6 MB." in said
    assert "0.20 s of one processor" in said
    assert "full at 5 edits a second" in said
    assert "served after 4.2 s" in said
    assert "some 630,000 edits" in said
    assert "| one page, without | 74 ms, 187 ms, 230 ms |  | 240 ms |" in made["fleet_of_workers"]
    assert "1.1 % of a processor together" in made["workers_say"]


def test_no_machine_is_said_of_what_another_run_measured() -> None:
    """Where a part of docs/sync.md was not measured this time, the page keeps what it says."""
    for left_out in _SYNC:
        some = {name: rows for name, rows in _SYNC.items() if name != left_out}
        made = sync_page.parts({"details": some}, "Measured today.")
        assert "sync_machine" not in made
        assert left_out not in made
