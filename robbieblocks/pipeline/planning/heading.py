"""The headers that a run's release is to ask web servers for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.errors import Problem, SiteUnavailable
from robbieblocks.messages import counted
from robbieblocks.model import (
    HEADER_LINE_MAX,
    HEADERS_FILE,
    NO_SETTINGS,
    SiteSettings,
    header_fits,
    header_max,
    read_headers_text,
)
from robbieblocks.pipeline.planning.plan import RunPlan
from robbieblocks.prerender import sent_headers

# The setting that makes each header long, and what makes it shorter.
_SETTINGS: Final = {
    "Content-Security-Policy": ("framed_by", "name fewer sites"),
    "Content-Security-Policy-Report-Only": ("hosts", "name fewer hosts"),
    "Permissions-Policy": ("permissions", "name fewer features and sites"),
    "Referrer-Policy": ("referrer", "write a shorter one"),
    "Reporting-Endpoints": ("reports", "write a shorter address"),
}


def with_headers(
    run: RunPlan,
    app_settings: Mapping[str, SiteSettings | None],
    live_file: Callable[[str], bytes],
) -> RunPlan:
    """The plan with the headers that the settings of its node and of its app's frames ask for.

    Where a frame's settings have a mistake, those that are live stay; so does a header that would
    be too long. `live_file` reads a file.
    """
    own = app_settings.get(run.target.app, NO_SETTINGS)
    if own is None:
        return replace(run, headers=_live_headers(run, live_file))
    headers = sent_headers(run.brand.settings, own)
    if not headers:
        return run
    too_long = [name for name, value in headers.items() if not header_fits(name, value)]
    live = _live_headers(run, live_file) if too_long else {}
    kept = {name: live[name] for name in too_long if name in live}
    return replace(
        run,
        headers={**{n: value for n, value in headers.items() if n not in too_long}, **kept},
        notes=(
            *run.notes,
            *(_too_long(run, name, len(headers[name]), name in kept) for name in too_long),
        ),
    )


def _live_headers(run: RunPlan, live_file: Callable[[str], bytes]) -> dict[str, str]:
    if run.live is None or HEADERS_FILE not in run.live.files:
        return {}
    try:
        return read_headers_text(live_file(HEADERS_FILE))
    except SiteUnavailable:
        # A repair writes the file again once the settings are right.
        return {}


def _too_long(run: RunPlan, name: str, length: int, is_kept: bool) -> Problem:
    setting, fewer = _SETTINGS[name]
    instead = "the live one is sent on" if is_kept else "so it is not sent"
    return Problem(
        entity="node_branding",
        key=run.target.node,
        field="settings",
        pointer=f"/{setting}",
        what=f"the header {name} of {run.target.app} would have {counted(length, 'character')}, "
        f"and servers take {header_max(name):,}, {HEADER_LINE_MAX:,} in a line: {instead}",
        remedy=f"{fewer}, here and in the settings of the app's frames",
    )
