"""`robbieblocks audit`: what people did to what is live, out of the site root alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from robbieblocks import release
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.messages import visible_line
from robbieblocks.release import Entry, SiteRoot
from robbieblocks.settings import Settings


def run(
    *,
    node: str | None,
    app: str | None,
    kinds: Sequence[str],
    since: str | None,
    limit: int,
    format_: Literal["text", "json"],
) -> None:
    """Print what the audit logs tell, the newest first. Raises SiteUnavailable at the end where one
    can't be read.
    """
    site_root = SiteRoot.of(Settings.from_environment())
    found, errors = release.audit(site_root, node, app)
    if since is not None:
        # Without a time nothing of the pipeline is needed, which takes long to import.
        from robbieblocks.pipeline import read_instant

        first = read_instant(since)
        found = tuple(each for each in found if each.at >= first)
    chosen = [each for each in found if not kinds or each.kind in kinds]
    shown = chosen[:limit]
    if format_ == "json":
        print_result(as_json({"version": 1, "audit": [each.as_json() for each in shown]}))
    elif shown:
        print_result("\n".join(aligned(list(map(line, shown)))))
        if len(chosen) > limit:
            print_result(f"{limit} shown; --limit shows more")
    elif not errors:
        print_result("nothing was pinned, held, frozen or rolled back")
    for error in errors[1:]:
        print_progress(str(error))
    if errors:
        raise errors[0]


def show(site_root: SiteRoot, id_: str, format_: Literal["text", "json"]) -> bool:
    """Print the only entry whose id begins so; False where there is none, or several."""
    wanted = id_.strip().lower()
    found = [each for each in release.audit(site_root)[0] if each.id.startswith(wanted)]
    if not wanted or len(found) != 1:
        return False
    given = found[0].as_json()
    if format_ == "json":
        print_result(as_json({"version": 1, "audit": given}))
    else:
        print_result("\n".join(aligned([(key, str(each)) for key, each in given.items() if each])))
    return True


def line(entry: Entry) -> tuple[str, ...]:
    """The cells of an entry: as many as `deploys list` has for a run."""
    until = f" (until {entry.until:%Y-%m-%d %H:%M}Z)" if entry.until else ""
    note = f" [{entry.note}]" if entry.note else ""
    return (
        entry.id.removeprefix("by hand ")[:8],
        f"{entry.at:%Y-%m-%d %H:%M:%S}Z",
        f"{entry.node or '(all nodes)'}/{entry.app or '(all apps)'}",
        entry.kind,
        entry.release[:12],
        entry.page,
        entry.who or "by itself",
        f"{visible_line(entry.why)}{until}{note}",
    )
