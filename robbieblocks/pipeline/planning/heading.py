"""The headers that a run's release is to ask web servers for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from robbieblocks.errors import Problem, SiteUnavailable
from robbieblocks.messages import counted
from robbieblocks.model import (
    HEADER_MAX,
    HEADERS_FILE,
    NO_SETTINGS,
    SiteSettings,
    read_headers_text,
)
from robbieblocks.pipeline.planning.plan import RunPlan
from robbieblocks.prerender import sent_headers


def with_headers(
    run: RunPlan,
    app_settings: Mapping[str, SiteSettings | None],
    live_file: Callable[[str], bytes],
) -> RunPlan:
    """The plan with the headers that the settings of its node and of its app's frames ask for.

    Where a frame's settings have a mistake, those that are live stay. `live_file` reads a file.
    """
    own = app_settings.get(run.target.app, NO_SETTINGS)
    if own is None:
        return replace(run, headers=_live_headers(run, live_file))
    headers = sent_headers(run.brand.settings, own)
    if not headers:
        return run
    too_long = [name for name, value in headers.items() if len(value) > HEADER_MAX]
    return replace(
        run,
        headers={name: value for name, value in headers.items() if name not in too_long},
        notes=(*run.notes, *(_too_long(run, name, len(headers[name])) for name in too_long)),
    )


def _live_headers(run: RunPlan, live_file: Callable[[str], bytes]) -> dict[str, str]:
    if run.live is None or HEADERS_FILE not in run.live.files:
        return {}
    try:
        return read_headers_text(live_file(HEADERS_FILE))
    except SiteUnavailable:
        # A repair writes the file again once the settings are right.
        return {}


def _too_long(run: RunPlan, name: str, length: int) -> Problem:
    return Problem(
        entity="node_branding",
        key=run.target.node,
        field="settings",
        what=f"the header {name} of {run.target.app} would have {counted(length, 'character')}, "
        f"and servers take {HEADER_MAX:,}, so it is not sent",
        remedy="name fewer hosts, here and in the settings of the app's frames",
        severity="warning",
    )
