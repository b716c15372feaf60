"""The stylesheet that an app's pages link at a fixed address: whether and why it differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from robbieblocks.model import sha256, sheet_file
from robbieblocks.pipeline.brand_fingerprint import sheet_digests
from robbieblocks.pipeline.planning.causes import OTHER_VERSION, CauseFinder, Tokens
from robbieblocks.pipeline.planning.plan import PlannedSheet, RunPlan
from robbieblocks.prerender import NodeSheet


def with_sheet(run: RunPlan, now: datetime, live_tokens: Callable[[], Tokens]) -> RunPlan:
    """The run with the stylesheet as it is to be; without one, where its app has and had none."""
    was = run.live.files.get(sheet_file(run.target.app)) if run.live else None
    if run.app.styles != "fixed" and was is None:
        return run
    base = run.app.bundle.base_stylesheet
    sheet = NodeSheet.of(run.brand, run.target.app, base)
    planned = PlannedSheet(sheet=sheet, digests=sheet_digests(run.brand, base))
    if run.live and was and was != sha256(sheet.content) and run.target.app in run.node.apps:
        finder = CauseFinder(run.node.id, now, run.brand, live_tokens)
        found = finder.of_inputs(run.live.sheet_digests, planned.digests)
        planned = replace(planned, causes=found or (OTHER_VERSION,))
    return replace(run, sheet=planned)
