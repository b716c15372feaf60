"""Reading the rows of a build, in one transaction that is over before anything is built."""

from __future__ import annotations

from robbieblocks.model import Snapshot
from robbieblocks.pipeline.session import BuildSession


def read(session: BuildSession) -> Snapshot:
    """All content as one transaction saw it, with the queue rows that it covers.

    What takes long and needs no rows is started beside it: standby trees, and the isolates of a
    first build. Raises DatabaseUnavailable, SchemaOutdated, ProcessFailed.
    """
    request, context = session.request, session.context
    full = request.unasked or context.memory.content is None
    if full and context.standby and not request.dry_run:
        context.maintenance.request(session.site.root, session.targets, standby=True, at_once=True)
    with session.stopwatch.step("read"):
        nodes = {target.node for target in session.targets} | set(request.nodes)
        content = context.memory.read(session.connection, sorted(nodes), full=request.unasked)
    context.start_isolates(_blocks_of_new_apps(content, session))
    return content


def _blocks_of_new_apps(content: Snapshot, session: BuildSession) -> int:
    """How many blocks must be rendered at least: those of apps of which nothing is live."""
    new = {target.app for target, manifest in session.live.items() if manifest is None}
    return sum(len(page.blocks) for page in content.pages if page.app in new)
