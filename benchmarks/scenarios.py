"""The rows of the table: each scenario measures whole programs and gives its rows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from benchmarks import edits, machine, peers, previews, processes
from benchmarks.apps import Size
from benchmarks.development import development as developing
from benchmarks.sites import Ground, Site, Worker
from benchmarks.targets import Result, figure, percentile

SMALL: Final = Size(pages=10, components=12)
MEDIUM: Final = Size(pages=1_000, components=200)
LARGE: Final = Size(pages=10_000, components=200)
_IDLE_SECONDS: Final = 20.0
# What is kept for the next edit only is let go within this time.
_REST_SECONDS: Final = 7.0


@dataclass(slots=True)
class Bench:
    """One run of the benchmarks. `live` are the milliseconds of every edit of the small app."""

    ground: Ground
    quick: bool
    say: Callable[[str], None]
    live: list[float] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def rounds(self, quick: int, full: int) -> range:
        """How often something is measured."""
        return range(quick if self.quick else full)

    def add(self, result: Result) -> None:
        """Keep a row, and say it."""
        self.results.append(result)
        shown = figure(result.value, result.target.unit)
        self.say(f"  {result.target.what}: {shown} (to reach: {result.target.text})")


def small_app(bench: Bench) -> None:
    """Commit to live in the small app, Vite's build of the same app between the edits, idleness."""
    with bench.ground.site(SMALL) as site, site.worker() as worker:
        vite = peers.prepare("vite", SMALL, bench.ground.folder / "vite")
        for _ in range(3):
            worker.until_live(edits.of_component)
        vite.build()
        theirs, scripted, pace = [], [], [machine.pace()]
        for number in bench.rounds(3, 6):
            for _ in bench.rounds(7, 20):
                bench.live.append(worker.until_live(edits.of_component))
            vite.edit(f"edition {number}")
            theirs.append(vite.build().wall)
            installed, built = vite.install_and_build()
            scripted.append(installed.wall + built.wall)
            pace.append(machine.pace())
        speed = median(pace)
        ours = median(bench.live)
        bench.add(Result.of("live-p50", bench.live, speed))
        late = percentile(bench.live, 95)
        bench.add(Result(id="live-p95", value=late, runs=tuple(bench.live), machine=speed))
        note = (
            f"vite build {median(theirs):.0f} ms, not prerendered; "
            f"npm install && vite build {median(scripted):.0f} ms: "
            f"{median(scripted) / ours:.1f} times"
        )
        bench.add(Result.of("vite", [wall / ours for wall in theirs], speed, note))
        _rollback(bench, worker)
        _idle(bench, worker)


def _rollback(bench: Bench, worker: Worker) -> None:
    """Back to the release before, as a person types it, until the command has ended."""
    took = []
    for _ in bench.rounds(2, 5):
        worker.until_live(edits.of_component)
        before = worker.site.current.readlink()
        took.append(worker.site.command("rollback", "--reason", "bench").wall)
        if worker.site.current.readlink() == before:
            raise processes.FailedError("the rollback is not live")
        worker.site.command("unpin")
        worker.settle()
    bench.add(Result.of("rollback", took, machine.pace()))


def _idle(bench: Bench, worker: Worker) -> None:
    """Memory, and CPU over twenty seconds, of a worker that has worked and now waits."""
    time.sleep(_REST_SECONDS)
    speed = machine.pace()
    before, began = processes.cpu(worker.pid), time.monotonic()
    shares = []
    while time.monotonic() - began < _IDLE_SECONDS:
        time.sleep(_IDLE_SECONDS / 5)
        shares.append(processes.memory(worker.pid))
    after = processes.cpu(worker.pid)
    used = sum(spent - before.get(pid, 0.0) for pid, spent in after.items())
    percent = used / ((time.monotonic() - began) * 10)
    note = f"{len(processes.family(worker.pid))} processes"
    bench.add(Result.of("idle-memory", shares, speed, note))
    bench.add(Result.of("idle-cpu", [percent], speed, f"{used:.0f} ms in 20 s"))


def development(bench: Bench) -> None:
    """A component's file in the small app, saved while `robbieblocks dev` shows the page."""
    with bench.ground.site(SMALL) as site, developing(site) as open_page:
        for _ in range(3):
            open_page.until_drawn()
        runs = [open_page.until_drawn() for _ in bench.rounds(7, 20)]
        bench.add(Result.of("dev", runs, machine.pace()))


def medium_app(bench: Bench) -> None:
    """The app of 1,000 pages: full builds beside Astro's, edits, and a storm of edits."""
    with bench.ground.site(MEDIUM) as site:
        _full(bench, "full-1000", site, bench.rounds(2, 5))
        with site.worker() as worker:
            worker.until_live(edits.of_component)
            runs = [worker.until_live(edits.of_component) for _ in bench.rounds(7, 20)]
            bench.add(Result.of("edit-1000", runs, machine.pace(), _phases(worker)))
            _storm(bench, worker)


def _full(bench: Bench, key: str, site: Site, rounds: Iterable[int]) -> None:
    runs, peaks, phases, pace = [], [], [], [machine.pace()]
    for _ in rounds:
        site.clear()
        run = site.build(timeout=600)
        runs.append(run.wall)
        peaks.append(run.peak)
        phases.append(json.loads(run.said[run.said.index("{") :])["phases_ms"])
        pace.append(machine.pace())
    note = f"peak memory {max(peaks):.0f} MB"
    if key == "full-1000":
        astro = peers.prepare("astro", site.size, bench.ground.folder / "astro-1000")
        theirs = [astro.build().wall for _ in bench.rounds(1, 3)]
        ratio = median(theirs) / median(runs)
        note += f"; Astro {median(theirs) / 1000:.1f} s: {ratio:.1f} times"
        bench.details["astro-1000"] = theirs
    bench.details[f"phases {key}"] = phases[-1]
    bench.add(Result.of(key, runs, median(pace), note))


def _storm(bench: Bench, worker: Worker) -> None:
    """10,000 rows in one transaction: how many runs tell of it."""
    before = worker.runs()
    took = worker.until_live(edits.of_10_000_rows)
    builds = worker.runs() - before
    bench.add(Result.of("storm", [builds], machine.pace(), f"live after {took / 1000:.1f} s"))


def preview(bench: Bench) -> None:
    """A page edit in a branch, until its comment is written: with an empty cache, and again."""
    cold, warm, pace = [], [], [machine.pace()]
    small = previews.seed(bench.ground)
    small.preview()
    runs = [small.preview().wall for _ in bench.rounds(3, 7)]
    bench.add(Result.of("preview-seed", runs, machine.pace()))
    large = previews.generated(bench.ground, MEDIUM)
    for _ in bench.rounds(1, 2):
        large.forget()
        cold.append(large.preview().wall)
        warm += [large.preview().wall for _ in range(2)]
        pace.append(machine.pace())
    bench.add(Result.of("preview-1000", warm, median(pace)))
    bench.add(Result.of("preview-1000-cold", cold, median(pace)))


def large_app(bench: Bench) -> None:
    """The app of 10,000 pages; not in a quick run."""
    with bench.ground.site(LARGE) as site:
        _full(bench, "full-10000", site, range(2))
        with site.worker() as worker:
            worker.until_live(edits.of_page)
            runs = [worker.until_live(edits.of_page) for _ in range(7)]
            bench.add(Result.of("edit-10000", runs, machine.pace(), _phases(worker)))


def nodes(bench: Bench) -> None:
    """One app on one node, and on many: what each further one adds."""
    count = 10 if bench.quick else 100
    pages = 200
    walls: dict[int, list[float]] = {}
    pace = []
    for number in (1, count):
        size = Size(pages=pages, components=MEDIUM.components, nodes=number)
        with bench.ground.site(size) as site:
            for _ in range(2 if number == 1 or bench.quick else 1):
                site.clear()
                walls.setdefault(number, []).append(site.build(timeout=600).wall)
                pace.append(machine.pace())
    first = median(walls[1])
    runs = [(wall - first) / (count - 1) / first * 100 for wall in walls[count]]
    note = (
        f"{pages:,} pages: 1 node {first / 1000:.1f} s, {count} {median(walls[count]) / 1000:.1f} s"
    )
    bench.add(Result.of("nodes", runs, median(pace), note))


def _phases(worker: Worker) -> str:
    """The phases of the worker's last run, in ms, longest first."""
    for line in reversed(worker.log.read_text().splitlines()):
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("event") == "run.finished":
            found = sorted(event["phases"].items(), key=lambda phase: -phase[1])
            return ", ".join(f"{name} {took:.0f}" for name, took in found if took >= 1)
    return ""


QUICK: Final = (small_app, development, medium_app, preview, nodes)
FULL: Final = (small_app, development, medium_app, preview, large_app, nodes)
