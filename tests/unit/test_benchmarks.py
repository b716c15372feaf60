"""The benchmarks' own promises; nothing here measures time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import performance_page, plot, report
from benchmarks.__main__ import main as benchmark
from benchmarks.apps import Size, component, components, pages
from benchmarks.targets import TARGETS, Result, figure, percentile

ROOT = Path(__file__).resolve().parents[2]
SIZE = Size(pages=30, components=7)


def test_equal_sizes_give_equal_apps() -> None:
    """Two apps of one size are equal, text for text."""
    assert list(pages(SIZE)) == list(pages(SIZE))
    assert list(components(SIZE)) == list(components(SIZE))


def test_apps_are_those_that_earlier_figures_came_from() -> None:
    """The generator still makes the first page that it always made."""
    first = next(pages(SIZE))
    assert first.route == "/bench/"
    assert [key for key, _ in first.blocks] == [key for key, _ in next(pages(SIZE)).blocks]
    assert len(first.blocks) == SIZE.blocks
    assert first.blocks != list(pages(SIZE))[1].blocks


def test_pages_place_only_components_that_there_are() -> None:
    """Every block's component exists, and every route is one of its own."""
    known = {part.key for part in components(SIZE)}
    made = list(pages(SIZE))
    assert {key for page in made for key, _ in page.blocks} <= known
    assert len({page.route for page in made}) == SIZE.pages


def test_an_edit_changes_the_component() -> None:
    """Another note gives other code under the same key."""
    assert component(1).key == component(1, note="other").key
    assert component(1).code != component(1, note="other").code


def test_the_table_of_the_docs_has_the_rows_that_are_measured() -> None:
    """docs/performance.md lists every target, in order, with its bound."""
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) \| ([≤≥] [^|]+?) \|", text, flags=re.MULTILINE)
    assert rows == [(target.what, target.text) for target in TARGETS]


def test_readme_tells_what_the_docs_tell() -> None:
    """Its few figures are those of docs/performance.md, and the drawings are there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    known = dict(
        re.findall(r"^\| ([^|]+?) \| [≤≥] [^|]+? \| ([^|]+?) \|", table, flags=re.MULTILINE)
    )
    told = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| [^|]*\|$", readme, flags=re.MULTILINE)
    told = [(what, median) for what, median in told if what in known]
    assert len(told) >= 5
    assert [known[what] for what, _ in told] == [median for _, median in told]
    for drawing in re.findall(r"\((docs/images/[^)]+)\)", readme):
        assert (ROOT / drawing).is_file()


def test_the_budget_knows_only_rows_that_are_measured() -> None:
    """budget.json holds figures of targets that there are, and names its machine."""
    budget = json.loads(report.BUDGET.read_text(encoding="utf-8"))
    known = {row["id"] for row in budget["results"]}
    assert known
    assert known <= {target.id for target in TARGETS}
    assert budget["machine"]["processors"] > 0


def test_figures_of_some_scenarios_alone_take_no_others_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where what README tells was not measured this day, the budget and the documents stay."""
    kept = [ROOT / "README.md", ROOT / "docs" / "performance.md", report.BUDGET]
    before = [path.read_bytes() for path in kept]
    out = str(tmp_path / "bench.json")
    argv = ["benchmarks", "--only", "none", "--keep-budget", "--out", out]
    monkeypatch.setattr("sys.argv", argv)
    monkeypatch.setattr("robbieblocks.toolchain.ensure", lambda *_: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert benchmark() == 2
    assert "live-p50" in capsys.readouterr().err
    assert [path.read_bytes() for path in kept] == before


@pytest.mark.parametrize(
    ("value", "machine", "worse"),
    [(100.0, 10.0, False), (140.0, 10.0, False), (200.0, 10.0, True), (200.0, 20.0, False)],
)
def test_a_regression_is_told_from_a_slow_machine(
    value: float, machine: float, worse: bool
) -> None:
    """Twice the time is a regression, unless the fixed piece of work took twice as long, too."""
    row = {"id": "full-1000", "unit": "ms", "value": 100.0, "machine_ms": 10.0}
    result = Result.of("full-1000", [value], machine)
    assert bool(report.regressions([result], {"results": [row]})) is worse


def test_a_ratio_that_fell_is_a_regression() -> None:
    """Where more is better, less is worse."""
    row = {"id": "vite", "unit": "x", "value": 20.0, "machine_ms": 10.0}
    assert report.regressions([Result.of("vite", [8.0], 10.0)], {"results": [row]})
    assert not report.regressions([Result.of("vite", [30.0], 10.0)], {"results": [row]})


def test_percentiles_are_values_that_occurred() -> None:
    """The nearest rank, not something in between."""
    assert percentile([3, 1, 2], 50) == 2
    assert percentile(range(1, 101), 95) == 95
    assert percentile([7], 95) == 7


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (60, "ms", "60 ms"),
        (12_000, "ms", "12.0 s"),
        (0.05, "%", "0.05%"),
        (10, "x", "10.0 times"),
        (1, "builds", "1 builds"),
    ],
)
def test_figures_are_written_for_people(value: float, unit: str, text: str) -> None:
    """Units follow, and no more digits than mean something."""
    assert figure(value, unit) == text


def test_drawings_name_what_they_show() -> None:
    """Both drawings are whole SVG with a label for each line."""
    live = plot.distribution([40, 50, 60, 200], 600, (60, 150))
    assert "p50 50 ms" in live
    rows = [{"pages": 10, "full": 900.0, "vite": 500.0}, {"pages": 100, "full": 1200.0}]
    grown = plot.growth(rows, {"full": "full build", "vite": "Vite 8"})
    for drawing in (live, grown):
        assert drawing.startswith("<svg ")
        assert drawing.rstrip().endswith("</svg>")
    assert "full build" in grown
    assert "Vite 8" in grown


def test_labels_stand_in_the_order_of_their_lines() -> None:
    """Of lines that end close together each keeps its place, and no label covers another; a line
    that ends before the others has its label where it begins."""
    rows = [
        {"pages": 10, "low": 100.0, "high": 110.0, "short": 900.0},
        {"pages": 100, "low": 1000.0, "high": 1010.0, "short": 950.0},
        {"pages": 1000, "low": 9000.0, "high": 9010.0},
    ]
    drawn = plot.growth(rows, {"low": "low", "high": "high", "short": "short"})
    places = {
        name: (float(x), float(y))
        for x, y, name in re.findall(r'<text x="([\d.]+)" y="([\d.]+)" style[^>]*>(\w+)<', drawn)
    }
    assert places["low"][1] - places["high"][1] >= 13
    assert places["short"][0] < places["low"][0] / 2


def test_figures_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    """A run's parts replace those of the page; what it did not measure, and the prose, stay."""
    page = tmp_path / "performance.md"
    begin, end = "<!-- measured: {} -->\n", "<!-- end -->"
    page.write_text(
        f"Prose\n{begin.format('queue')}old queue\n{end}\nmore\n{begin.format('table')}old\n{end}\n"
    )
    measured = {
        "date": "2030-01-02T03:04:05+00:00",
        "machine": {
            "processor": "one",
            "processors": 2,
            "memory_mb": 4000,
            "python": "3.11",
            "load": 0.1,
            "load at the end": 0.2,
        },
        "results": [Result.of("storm", [1.0], 10.0, "a note").as_json()],
        "details": {},
    }
    performance_page.write(measured, [page])
    once = page.read_text()
    assert "| ≤ 1 builds | 1 builds | 1 builds to 1 builds | yes | a note |" in once
    assert "old queue" in once
    assert "old\n" not in once.replace("old queue", "")
    performance_page.write(measured, [page])
    assert page.read_text() == once


def test_parts_that_are_measured_again_join_the_run_of_that_day() -> None:
    """They take the place of the earlier figures; of another machine or day none stay."""
    machine = {"processor": "A", "processors": 2, "python": "3.11.7", "load": 0.1}
    rows = [{"id": name, "value": 1.0} for name in ("full-1000", "live-p50")]
    before = {
        "date": "2026-01-02T03:00:00",
        "machine": machine,
        "results": rows,
        "details": {"queue": 1, "capture": 1},
    }
    again = {
        "date": "2026-01-02T09:00:00",
        "machine": machine | {"load": 0.2},
        "results": [{"id": "full-1000", "value": 2.0}],
        "details": {"queue": 2},
    }
    found = report.joined(before, again)
    assert [(row["id"], row["value"]) for row in found["results"]] == [
        ("live-p50", 1.0),
        ("full-1000", 2.0),
    ]
    assert found["details"] == {"queue": 2, "capture": 1}
    assert found["machine"]["load"] == 0.2
    for other in (
        again | {"date": "2026-01-03T00:00:00"},
        again | {"machine": machine | {"processor": "B"}},
    ):
        assert report.joined(before, other) == other
