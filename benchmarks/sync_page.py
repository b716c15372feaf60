"""The measured parts of docs/sync.md, written from a run's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.processes import ROOT
from benchmarks.targets import figure, markdown_table

PAGE: Final = ROOT / "docs" / "sync.md"
# What of a run is on that page, by its function's name.
SCENARIOS: Final = ("databases_in_step", "published_tables", "fleet", "fleet_of_workers")
_KEPT_WAL_BYTES: Final = 4_000_000_000
_MANY: Final = 1_000
_WAYS: Final = ("tables", "tables with whole rows", "log")
_PLACES: Final = ("first", "median", "last")
_Rows = Sequence[Mapping[str, Any]]


def parts(measured: Mapping[str, Any], machine: str) -> dict[str, str]:
    """Each measured part as Markdown, by its name. `machine` says on what it was measured.

    The machine is said where all of the page is of this run.
    """
    details = measured["details"]
    makers = {
        "databases_in_step": {"databases_in_step": _databases_in_step},
        "published_tables": {"published_tables": _published_tables},
        "fleet": {"fleet": _fleet, "fleet_says": _fleet_says},
        "fleet_of_workers": {"fleet_of_workers": _workers, "workers_say": _workers_say},
    }
    found = {
        name: make(details[scenario])
        for scenario, made in makers.items()
        if scenario in details
        for name, make in made.items()
    }
    return {**found, "sync_machine": machine} if makers.keys() <= details.keys() else found


def _databases_in_step(rows: _Rows) -> str:
    return markdown_table(
        ("what", "median"), [(row["what"], figure(row["ms"], "ms")) for row in rows]
    )


def _published_tables(rows: _Rows) -> str:
    found = {(row["way"], row["what"]): row["value"] for row in rows}
    asked = (
        (
            "rows that differ: a large value edited on the node, another column later on the "
            "master",
            "a large value edited on the node, another column later",
            "{:.0f} of 100",
        ),
        (
            "rows that are missing: deleted on the node, edited later on the master",
            "deleted on the node, changed later",
            "{:.0f} of 100",
        ),
        ("rows that differ: both made a page of one key", "a key that both took", "{:.0f} of 100"),
        ("a write on the master, median", "ms of a write", "{:.1f} ms"),
        (
            "from its commit to the notification on the node, median",
            "ms from commit to notification",
            "{:.1f} ms",
        ),
        ("WAL an edit", "bytes of WAL an edit", "{:,.0f} bytes"),
    )
    return markdown_table(
        ("what", "the tables", "the tables, `REPLICA IDENTITY FULL`", "the log"),
        [(said, *(how.format(found[way, what]) for way in _WAYS)) for said, what, how in asked],
    )


def _fleet(rows: _Rows) -> str:
    return markdown_table(
        ("beside the eight nodes", "last one hears after", "CPU an edit"),
        [
            (_beside(row["what"]), figure(row["last_ms"], "ms"), _ms(row["cpu_ms_an_edit"]))
            for row in rows
            if "last_ms" in row
        ],
    )


def _beside(what: str) -> str:
    if what.endswith("with databases"):
        return "none: the nodes' own databases, to their notification"
    count, _, kind = what.partition(" ")
    return f"{int(count):,} {'subscribers more' if 'subscribers' in kind else kind}"


def _fleet_says(rows: _Rows) -> str:
    by_name = {row["what"]: row for row in rows}
    streams = [row for row in rows if row["what"].endswith("more subscribers")]
    listeners = [row for row in rows if row["what"].endswith("sessions that listen")]
    asked, wal = by_name["asking for changes"]["ms_a_call"], by_name["WAL"]["bytes_an_edit"]
    each, most = _growth(streams), _count(streams[-1])
    memory = streams[-1].get("mb_a_subscriber")
    said = [
        f"**Subscribers are the bound.** Each has a process on the master that reads all of the "
        f"server's WAL, also that of other databases. That is {each:.2f} ms of CPU an edit"
        f"{'' if memory is None else f', and {memory:.1f} MB'}. By that {_MANY:,} take "
        f"{each * _MANY / 1000:.2f} s of one processor for each edit (not measured beyond {most} "
        f"and the eight), so one processor is full at {1000 / (each * _MANY):.0f} edits a second.",
        f"**Listening is cheap.** {_count(listeners[-1]):,} sessions cost "
        f"{_cpu(listeners[-1]) - _cpu(listeners[0]):.1f} ms of CPU an edit. What a node then asks "
        f"takes {asked:.1f} ms, so {_MANY:,} that poll have the last of them served after "
        f"{asked * _MANY / 1000:.1f} s by one processor; they need no slot and keep no WAL.",
        f"**A slot keeps WAL for the slowest node alone**: {wal:,.0f} bytes an edit of one block, "
        f"so `max_slot_wal_keep_size` of 4 GB lasts for some "
        f"{round(_KEPT_WAL_BYTES / wal, -4):,.0f} edits of a node that is away. It is the same "
        f"WAL for all slots.",
    ]
    said += [
        f"**{row['what'].capitalize()}**, of some 200 bytes each, takes {row['first_s']:.1f} s, "
        f"and for eight nodes that compare equal rows {row['all_s']:.1f} s together."
        for row in rows
        if "first_s" in row
    ]
    return "\n".join(f"- {line}" for line in said)


def _growth(rows: _Rows) -> float:
    """Milliseconds of CPU that one subscriber more costs an edit."""
    first, last = rows[0], rows[-1]
    return (_cpu(last) - _cpu(first)) / (_count(last) - _count(first))


def _count(row: Mapping[str, Any]) -> int:
    return int(row["what"].partition(" ")[0])


def _cpu(row: Mapping[str, Any]) -> float:
    return float(row["cpu_ms_an_edit"])


def _workers(rows: _Rows) -> str:
    return markdown_table(
        (
            "an edit on the master",
            "live on the first, the median, the last node",
            "blocks rendered",
            "CPU of all workers",
        ),
        [
            (
                row["what"].replace("a block,", "one page,"),
                ", ".join(figure(row[f"{place}_ms"], "ms") for place in _PLACES),
                f"{row['blocks_rendered']:,.0f}" if "blocks_rendered" in row else "",
                figure(row["workers_cpu_ms"], "ms"),
            )
            for row in rows
            if "first_ms" in row
        ],
    )


def _workers_say(rows: _Rows) -> str:
    by_name = {row["what"]: row for row in rows}
    page, quiet = by_name["a block, without"], by_name["quiet"]
    return (
        f"An edit of a page takes the nodes' server {figure(page['nodes_cpu_ms'], 'ms')} of CPU "
        f"and the master {figure(page['master_cpu_ms'], 'ms')}, for all eight.\n\n"
        f"Quiet for a minute, the eight workers take {quiet['workers_cpu_%']:.1f} % of a processor "
        f"together, the nodes' server {quiet['nodes_cpu_%']:.1f} %, the master "
        f"{quiet['master_cpu_%']:.1f} %, a worker with its child processes "
        f"{quiet['mb_a_worker']:.0f} MB. They have {quiet['sessions_on_the_master']:.0f} sessions "
        f"on the master."
    )


def _ms(value: float) -> str:
    return f"{value:.1f} ms"
