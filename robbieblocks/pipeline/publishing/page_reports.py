"""What became of each planned page, once its bytes are known."""

from __future__ import annotations

from robbieblocks.model import PageEntry
from robbieblocks.pipeline.planning import PlannedPage, RunPlan, causes_of_problems
from robbieblocks.pipeline.publishing.composing import ComposedRun
from robbieblocks.pipeline.report import PageReport
from robbieblocks.pipeline.site import Site
from robbieblocks.release import live_size


def page_reports(
    run: RunPlan, composed: ComposedRun, site: Site
) -> tuple[tuple[PageReport, ...], tuple[PageEntry, ...]]:
    """The reports of planned pages, by key, and the entries of those that stay as they are."""
    after = composed.manifest.by_key
    unchanged = tuple(entry for entry in run.unchanged if entry.key in after)
    # A page that was not asked for makes way where a new page takes its path.
    displaced = [
        PlannedPage(key=entry.key, route=entry.route, change="removed", live=entry)
        for entry in run.unchanged
        if entry.key not in after
    ]
    pages = sorted((*run.pages, *displaced), key=lambda page: page.key)
    return tuple(_report(page, run, composed, site) for page in pages), unchanged


def _report(page: PlannedPage, run: RunPlan, composed: ComposedRun, site: Site) -> PageReport:
    failed = composed.failed.get(page.key)
    if failed is not None or page.change == "held back":
        return PageReport(
            key=page.key,
            route=page.live.route if page.live else "",
            change="held back",
            causes=page.causes if failed is None else causes_of_problems(failed),
        )
    if _has_same_bytes(page, run, composed):
        return PageReport(key=page.key, route=page.route, change="unchanged", causes=page.causes)
    node, app = run.target.node, run.target.app
    return PageReport(
        key=page.key,
        route=page.route,
        change=page.change,
        causes=page.causes,
        size=len(composed.contents[page.made_from.page.path]) if page.made_from else None,
        size_before=live_size(site.root, node, app, page.live.path) if page.live else None,
    )


def _has_same_bytes(page: PlannedPage, run: RunPlan, composed: ComposedRun) -> bool:
    """Whether a page that was made again is what is live, byte for byte."""
    if page.made_from is None or page.live is None or run.live is None:
        return False
    path = page.made_from.page.path
    return path == page.live.path and run.live.files.get(path) == composed.manifest.files[path]
