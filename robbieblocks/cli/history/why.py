"""`robbieblocks why`."""

from __future__ import annotations

from typing import Literal

from robbieblocks import history
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_result
from robbieblocks.history import Change, Why
from robbieblocks.messages import visible_line
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings


def run(
    address: str, *, node: str | None, format_: Literal["text", "json"], database_url: str | None
) -> None:
    """Print where what a page shows comes from."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        found = history.why(
            connection, SiteRoot.of(settings), address, node, settings.freeze_windows
        )
    if format_ == "json":
        print_result(as_json({"version": 1, "why": _object(found)}))
    else:
        print_result("\n".join(map(visible_line, _lines(found))))


def _lines(found: Why) -> list[str]:
    def by(change: Change | None) -> str:
        if change is None:
            return ""
        return (
            f": last changed {change.at:%Y-%m-%d %H:%M:%S}Z by {change.by or '(unknown)'} "
            f"(change {str(change.id)[:8]}{', not live yet' if found.waits(change) else ''})"
        )

    lines = [
        f"page {found.page.key} at {found.page.route} on {found.node}{by(found.page_change)}",
        *found.held,
    ]
    of_frame = f" of frame {found.frame}" if found.frame else ""
    if found.element and found.block is None:
        lines.append(f"{found.element}: no block's: the layout made it")
    if found.block is not None:
        lines.append(f"{found.element}: block {found.block}{of_frame}{by(found.block_change)}")
    lines += [f"component {key}{by(change)}" for key, change in found.components]
    lines += [
        f"token {each.key}: {each.value}, set by {each.set_by}{by(each.change)}"
        for each in found.tokens
    ]
    lines.append(f"branding of {found.node}{by(found.node_change)}")
    run = found.run
    lines.append(
        f"release {found.build_hash[:12]}"
        + (
            f", live since run {str(run.id)[:8]} at {run.started:%Y-%m-%d %H:%M:%S}Z "
            f"({run.triggered_by})"
            if run
            else ", of which the history has no run"
        )
    )
    return lines


def _object(found: Why) -> dict[str, object]:
    def changed(change: Change | None) -> dict[str, object] | None:
        if change is None:
            return None
        waits = found.waits(change)
        return {"id": str(change.id), "at": change.at.isoformat(), "by": change.by, "waits": waits}

    return {
        "node": found.node,
        "app": found.app,
        "page": {
            "key": found.page.key,
            "route": found.page.route,
            "file": found.page.path,
            "change": changed(found.page_change),
        },
        "element": found.element,
        "block": None
        if found.block is None
        else {
            "order": found.block,
            "frame": found.frame or None,
            "change": changed(found.block_change),
        },
        "components": [{"key": key, "change": changed(change)} for key, change in found.components],
        "tokens": [
            {
                "key": each.key,
                "value": each.value,
                "set_by": each.set_by,
                "change": changed(each.change),
            }
            for each in found.tokens
        ],
        "branding": {"node": found.node, "change": changed(found.node_change)},
        "release": found.build_hash,
        "run": str(found.run.id) if found.run else None,
        "held": list(found.held),
    }
