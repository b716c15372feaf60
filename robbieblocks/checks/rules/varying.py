"""Blocks that do not look the same for every visitor, at every time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.sources import Place, in_text, without_comments
from robbieblocks.model import RenderJob
from robbieblocks.prerender import Prerenderer

# What reads the clock, randomness, the locale or the time zone.
_READS: Final = re.compile(
    r"new Date\(\s*\)|\bDate\(\s*\)|Date\.now|Math\.random|performance\.now|crypto\.\w+"
    r"|\.toLocale\w*\(|\bIntl\.\w+|\.get(?:Hours|Minutes|Seconds|Day|Date|Month|FullYear)\("
)
# What is wrong, and the remedy.
_AGAIN: Final = (
    "its HTML differs with the clock, randomness, locale or time zone, so the browser renders it "
    "again after the page is shown",
    "take the value from a prop, or name the locale and time zone",
)
_STAYS: Final = (
    "its HTML differs with the clock, randomness, locale or time zone, and no browser puts it "
    'right, since its hydrate is "never": visitors see 1 January 2025, and the same random numbers',
    "take the value from a prop, name the locale and time zone, or let the block hydrate",
)


def varying_blocks(checked: Checked) -> Iterator[Found]:
    """Blocks that come out otherwise in another isolate, with another clock and locale."""
    jobs: defaultdict[str, dict[RenderJob, str]] = defaultdict(dict)
    stays: defaultdict[RenderJob, set[bool]] = defaultdict(set)
    for page in checked.inspection.pages:
        jobs[page.page.app].update(page.varying.values())
        hydrate = {block.order: block.hydrate for block in page.page.blocks}
        for order, (job, _) in page.varying.items():
            stays[job].add(hydrate[order] == "never")
    differing: dict[tuple[str, bool], None] = {}
    with Prerenderer(elsewhere=True, isolates=1) as elsewhere:
        for app, here in jobs.items():
            bundle = checked.inspection.apps[app].bundle
            blocks = elsewhere.render(list(here), bundle) if here else []
            differing.update(
                ((job.component, stay), None)
                for (job, html), block in zip(here.items(), blocks, strict=True)
                if block.html != html
                for stay in sorted(stays[job])
            )
    for key, stay in differing:
        yield Found(_place(key, checked).problem(*(_STAYS if stay else _AGAIN)))


def _place(key: str, checked: Checked) -> Place:
    for row in checked.sources.reached(key):
        if found := _READS.search(without_comments(row.code)):
            return in_text("component", row.key, "react_code", row.code, found.start())
    return Place("component", key)
