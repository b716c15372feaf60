"""What a plan says of rows that are not published yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from robbieblocks.errors import Problem
from robbieblocks.model import Snapshot, component_specifier
from robbieblocks.pipeline.planning.plan import RunPlan


def with_drafts(
    run: RunPlan, content: Snapshot, conflicts: Mapping[str, Iterable[Problem]]
) -> RunPlan:
    """The plan with its drafts, and a warning for each page in whose place a draft is shown and
    each component that is a draft.
    """
    app = run.target.app
    pages = {page.key: page for page in content.pages if page.app == app}
    replaced = [
        problem
        for key, found in conflicts.items()
        for problem in found
        if key in pages and problem.severity == "warning"
    ]
    components = [
        Problem(
            entity="component",
            key=row.key,
            field="is_published",
            what="it is not published: it is shown because drafts are",
            remedy="set its is_published before a page that places it is published",
            severity="warning",
        )
        for row in content.components.values()
        if row.draft and component_specifier(row.key) in run.app.bundle.modules
    ]
    drafts = tuple([key for key, page in pages.items() if page.draft])
    return replace(run, drafts=drafts, notes=(*run.notes, *replaced, *components))
