"""The measured parts of README.md and of docs/, written from a run's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import sync_page
from benchmarks.processes import ROOT
from benchmarks.targets import BY_ID, TARGETS, figure, markdown_table

PAGES: Final = (ROOT / "README.md", ROOT / "docs" / "performance.md", sync_page.PAGE)
_PART: Final = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_EDITS: Final = ("one component", "one page", "one token", "one branding")


# What README tells, and of which rows also what was measured beside them.
HEADLINES: Final = ("live-p50", "live-p95", "vite", "edit-1000", "edit-10000", "full-1000")
_BESIDE: Final = ("vite", "full-1000")


def write(measured: Mapping[str, Any], pages: Sequence[Path] = PAGES) -> None:
    """Put a run's figures in the place of the earlier ones; parts not measured stay."""
    made = parts(measured)

    def renewed(found: re.Match[str]) -> str:
        new = made.get(found[2])
        return found[0] if new is None else f"{found[1]}{new}\n{found[3]}"

    for page in pages:
        page.write_text(_PART.sub(renewed, page.read_text(encoding="utf-8")), encoding="utf-8")


def parts(measured: Mapping[str, Any]) -> dict[str, str]:
    """Each measured part as Markdown, by its name."""
    details = measured["details"]
    found = {"machine": _machine(measured), "table": _table(measured["results"])}
    found["headlines"] = _headlines(measured["results"])
    makers = {
        "growth_by_pages": ("pages", ("full", "again", *_EDITS, "vite", "astro", "peak_mb")),
        "growth_by_nodes": ("nodes", ("full", "again", *_EDITS, "peak_mb")),
    }
    for name, (first, columns) in makers.items():
        if name in details:
            found[name] = _growth(details[name], first, columns)
    if "capture" in details:
        found["capture"] = markdown_table(
            ("statement", "with change capture", "without"),
            [
                (row["statement"], f"{row['with_ms']:.2f} ms", f"{row['without_ms']:.2f} ms")
                for row in details["capture"]
            ],
        )
    if "queue" in details:
        found["queue"] = _queue(details["queue"])
    if "unified" in details:
        found["unified"] = markdown_table(
            ("what", "with it", "without"),
            [(row["what"], row["with"], row["without"]) for row in details["unified"]],
        )
    plain = {"visitor": _visitor, "content": _content, "lighthouse": _lighthouse, "styles": _styles}
    found |= {name: table(details[name]) for name, table in plain.items() if name in details}
    phases = {k.removeprefix("phases "): v for k, v in details.items() if k.startswith("phases ")}
    if phases:
        found["phases"] = _phases(phases)
    return found | sync_page.parts(measured, found["machine"])


def _machine(measured: Mapping[str, Any]) -> str:
    about = measured["machine"]
    return (
        f"Measured {measured['date'][:10]} on {about['processor']} with "
        f"{about['processors']} processors, "
        f"{about['memory_mb'] / 1000:.0f} GB, Python {about['python']}, "
        f"load {about['load']} when it began and {about['load at the end']} when it ended."
    )


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    found = {row["id"]: row for row in results}
    rows: list[tuple[str, ...]] = []
    for target in TARGETS:
        row = found.get(target.id)
        if row is None:
            rows.append((target.what, target.text, "", "", "", "not measured in this run"))
            continue
        spread = f"{figure(row['min'], target.unit)} to {figure(row['max'], target.unit)}"
        reached = "yes" if row["reached"] else "no"
        value = figure(row["value"], target.unit)
        rows.append((target.what, target.text, value, spread, reached, row["note"]))
    return markdown_table(("what", "to reach", "median", "spread", "reached", "beside it"), rows)


def _headlines(results: Sequence[Mapping[str, Any]]) -> str:
    found = {row["id"]: row for row in results}
    return markdown_table(
        ("what", "median", "beside it"),
        [
            (
                BY_ID[key].what,
                figure(found[key]["value"], BY_ID[key].unit),
                found[key]["note"] if key in _BESIDE else "",
            )
            for key in HEADLINES
            if key in found
        ],
    )


def _growth(rows: Sequence[Mapping[str, Any]], first: str, columns: Sequence[str]) -> str:
    head = {"full": "full build", "again": "nothing changed", "peak_mb": "peak memory"}
    head |= {"vite": "Vite 8, full", "astro": "Astro 7, full"}
    return markdown_table(
        (first, *(head.get(column, column) for column in columns)),
        [
            (f"{row[first]:,}", *(_cell(row.get(column), column) for column in columns))
            for row in rows
        ],
    )


def _cell(value: float | None, column: str) -> str:
    return "" if value is None else figure(value, "MB" if column == "peak_mb" else "ms")


def _queue(found: Mapping[str, float]) -> str:
    filled = f"{found['processed_rows']:,} processed rows ({found['size_mb']:,.0f} MB)"
    return markdown_table(
        ("queue", "a look at what waits", "an acknowledgement"),
        [
            (label, f"{found[f'look_{key}_ms']:.2f} ms", f"{found[f'acknowledge_{key}_ms']:.2f} ms")
            for label, key in (("empty", "empty"), (filled, "full"))
        ],
    )


def _visitor(rows: Sequence[Mapping[str, Any]]) -> str:
    kinds = ("html", "css", "js", "font", "other")
    return markdown_table(
        (
            "site",
            "protocol",
            "page",
            "requests",
            *(f"{kind} KB" for kind in kinds),
            "LCP",
            "TBT",
            "CLS",
        ),
        [
            (
                *(str(row[key]) for key in ("site", "protocol", "page")),
                f"{row['requests']:.0f}",
                *(f"{row[f'{kind}_kb']:.1f}" for kind in kinds),
                *(figure(row[f"{key}_ms"], "ms") for key in ("lcp", "tbt")),
                f"{row['cls']:.3f}",
            )
            for row in rows
        ],
    )


def _content(rows: Sequence[Mapping[str, Any]]) -> str:
    return markdown_table(
        ("edit", "pages", "median", "slowest", "pages written", "CPU"),
        [
            (
                row["edit"],
                f"{row['pages']:,}",
                *(figure(row[key], "ms") for key in ("ms", "max_ms")),
                f"{row['written']:,}",
                figure(row["cpu_ms"], "ms"),
            )
            for row in rows
        ],
    )


def _lighthouse(rows: Sequence[Mapping[str, Any]]) -> str:
    scores = ("performance", "accessibility", "best-practices", "seo")
    return markdown_table(
        ("node", "page", *scores, "LCP", "TBT", "CLS"),
        [
            (
                row["node"],
                row["page"],
                *(str(row[score]) for score in scores),
                *(figure(row[f"{key}_ms"], "ms") for key in ("lcp", "tbt")),
                f"{row['cls']:.3f}",
            )
            for row in rows
        ],
    )


def _styles(rows: Sequence[Mapping[str, Any]]) -> str:
    edits = ("one component", "one token", "one branding")
    return markdown_table(
        ("pages", "styles", "pages on disk", "full build", *edits),
        [
            (
                f"{row['pages']:,}",
                row["styles"],
                figure(row["html_mb"], "MB"),
                *(figure(row[key], "ms") for key in ("full", *edits)),
            )
            for row in rows
        ],
    )


def _phases(found: Mapping[str, Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(name for phases in found.values() for name in phases))
    return markdown_table(
        ("phase", *(BY_ID[key].what for key in found)),
        [
            (name, *(f"{phases.get(name, 0):,.0f} ms" for phases in found.values()))
            for name in names
        ],
    )
