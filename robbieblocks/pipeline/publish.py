"""The end of a run: its release is swapped in, or only compared in a dry run, and reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from robbieblocks import failpoints, release
from robbieblocks.errors import Problem, RobbieBlocksError, Transient
from robbieblocks.model import Manifest, PageEntry
from robbieblocks.pipeline.ledger import Ledger
from robbieblocks.pipeline.report import Outcome, PageChange, PageReport, RunReport, Stopwatch
from robbieblocks.pipeline.runs import Run, compose
from robbieblocks.pipeline.targets import Request
from robbieblocks.pipeline.workshop import Workshop
from robbieblocks.release import SiteRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a build publishes to.

    `smoke_url` is what smoke checks ask over HTTP, if anything. `fence` is called right before
    each swap and raises when this process may no longer publish.
    """

    site_root: SiteRoot
    smoke_url: str | None = None
    fence: Callable[[], None] = lambda: None


def conclude(
    run: Run,
    *,
    workshop: Workshop,
    place: Place,
    request: Request,
    ledger: Ledger,
    watch: Stopwatch,
) -> tuple[RunReport, Manifest | None]:
    """Compose a run, publish it and close its row; an error of its own ends this run alone.

    The manifest is None where nothing could be made.
    """
    before = ledger.hash_of(run.target)
    report = RunReport(
        node=run.target.node,
        app=run.target.app,
        outcome="failed",
        build_hash=before,
        hash_before=before,
        components=len(run.app.placed),
        run=ledger.open_runs.get(run.target),
    )
    manifest = None
    try:
        with watch.phase("compose"):
            manifest = compose(run, workshop.shell, workshop.toolchain.id, workshop.failures)
        with watch.phase("report"):
            news, stays = page_reports(run, manifest, place.site_root)
        report = replace(
            report, build_ms=watch.total_ms, problems=run.problems, news=news, stays=stays
        )
        if run.unbranded:
            report = replace(report, error="the node's branding has errors: nothing went out")
        elif request.strict and run.draft.held_back:
            report = replace(report, error=f"{_held_back(run)}; --strict: nothing went out")
        elif pin := held_by_pin(run, place, manifest):
            report = _held_live(run, report, pin)
        else:
            report = _release(run, manifest, report, workshop, place, request, ledger, watch)
    except RobbieBlocksError as error:
        report = replace(report, error=str(error), transient=isinstance(error, Transient))
    failpoints.reached("concluded")
    ledger.finish(run.target, report, _log(report, watch))
    failpoints.reached("closed")
    return report, manifest


def held_by_pin(run: Run, place: Place, manifest: Manifest | None = None) -> str:
    """The hash that a person holds live in place of `manifest`; empty where nothing is held.

    A pin holds what is there: where nothing is live, and where branding has taken the app off the
    node, it holds nothing. Raises SiteUnavailable where the pin can't be read.
    """
    pin = release.pinned(place.site_root, run.target.node, run.target.app)
    if pin is None or run.target.app not in run.node.apps:
        return ""
    app_folder = release.AppFolder.of(place.site_root, run.target.node, run.target.app)
    there = app_folder.live_name is not None
    return pin if there and (manifest is None or manifest.build_hash != pin) else ""


def _held_live(run: Run, report: RunReport, pin: str) -> RunReport:
    """The report of a run that leaves what is live as it is, because of a pin."""
    news = tuple(
        page if page.change == "held back" else _as_it_was(page)
        for page in report.news
        if page.change != "added"
    )
    what = f"release {pin[:12]} is pinned on {run.target.node}, so nothing newer goes out"
    remedy = "remove the file `pinned` beside `current`: the next build brings the content live"
    pinned = Problem(entity="app", key=run.target.app, what=what, remedy=remedy, severity="warning")
    report = replace(report, outcome="unchanged", news=news, problems=(*report.problems, pinned))
    if run.draft.held_back:
        report = replace(report, outcome="failed", error=_held_back(run))
    return report


def _as_it_was(page: PageReport) -> PageReport:
    return replace(page, change="unchanged", size=None, size_before=None)


def _release(
    run: Run,
    manifest: Manifest,
    report: RunReport,
    workshop: Workshop,
    place: Place,
    request: Request,
    ledger: Ledger,
    watch: Stopwatch,
) -> RunReport:
    outcome: Outcome = "published" if manifest.build_hash != report.hash_before else "unchanged"
    if request.dry_run:
        report = replace(
            report,
            files_written=len(run.contents),
            bytes_written=sum(map(len, run.contents.values())),
        )
    else:
        if outcome == "published":
            ledger.begin(run.target)
        report = replace(report, run=ledger.open_runs.get(run.target))
        ledger.deploying(run.target)

        def fence() -> None:
            place.fence()
            ledger.fence(run.target)

        with release.write_release(
            place.site_root, manifest, run.contents, run.assets.values()
        ) as written:
            # While the disk is waited for.
            workshop.keep()
            done = release.make_live(written, fence=fence, smoke_url=place.smoke_url)
        for name in ("write", "sync", "swap", "smoke"):
            watch.add(name, getattr(done, f"{name}_ms"))
        outcome = "published" if done.swapped else "unchanged"
        report = replace(
            report,
            files_written=done.files_written,
            bytes_written=done.bytes_written,
            deploy_ms=round(done.write_ms + done.sync_ms + done.swap_ms),
        )
    report = replace(report, build_hash=manifest.build_hash, outcome=outcome)
    if run.draft.held_back:
        report = replace(report, outcome="failed", error=_held_back(run))
    return report


def _held_back(run: Run) -> str:
    """The pages held back and why, as the deploys row keeps it."""
    lines = [f"held back: {', '.join(sorted(run.draft.held_back))}"]
    lines += (str(p) for p in run.problems if p.severity == "error")
    return "\n".join(lines)


def _log(report: RunReport, watch: Stopwatch) -> str:
    """The run in lines: what it did to which page, and where the time went."""
    lines = [f"{report.outcome} {report.build_hash} (before: {report.hash_before})"]
    lines += (f"{page.change}: {page.key}" for page in report.news if page.change != "unchanged")
    lines += (str(problem) for problem in report.problems)
    if report.error:
        lines.append(report.error)
    spent = ", ".join(f"{name} {value:.1f}" for name, value in watch.phases.items())
    lines.append(f"phases in ms, so far in this build: {spent}")
    return "\n".join(lines)


def page_reports(
    run: Run, manifest: Manifest, site_root: SiteRoot
) -> tuple[tuple[PageReport, ...], tuple[PageEntry, ...]]:
    """What happens to each page, by comparing the manifest with the live one.

    Second are the pages that stay as they are: their entries were taken over.
    """
    before = run.live.by_key if run.live else {}
    after = manifest.by_key
    held_back = run.draft.held_back
    stays = {
        key: new
        for key, new in after.items()
        if before.get(key) is new and key not in held_back and new.path not in run.contents
    }
    reports = []
    for key in sorted({*before, *after, *held_back} - stays.keys()):
        old, new = before.get(key), after.get(key)
        change = _change(run, manifest, key, old, new)
        entry = new or old
        body = run.contents.get(new.path) if new and change in ("added", "changed") else None
        gone = old if change in ("changed", "removed") else None
        reports.append(
            PageReport(
                key=key,
                route=entry.route if entry else "",
                change=change,
                size=None if body is None else len(body),
                size_before=(
                    release.live_size(site_root, run.target.node, run.target.app, gone.path)
                    if gone
                    else None
                ),
            )
        )
    return tuple(reports), tuple(stays.values())


def _change(
    run: Run, manifest: Manifest, key: str, old: PageEntry | None, new: PageEntry | None
) -> PageChange:
    if key in run.draft.held_back:
        return "held back"
    if old is None or run.live is None:
        return "added"
    if new is None:
        return "removed"
    same = old.path == new.path and run.live.files.get(old.path) == manifest.files[new.path]
    return "unchanged" if same else "changed"
