"""`robbieblocks deploys list`, `show` and `diff`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from robbieblocks import history, release, review
from robbieblocks.cli import session
from robbieblocks.cli.history import audit
from robbieblocks.cli.history.changes import as_object as change_object
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.errors import UsageError
from robbieblocks.history import AskedRuns, Change, PageTouched, Run
from robbieblocks.messages import counted, listed, visible, visible_line
from robbieblocks.pipeline import causes_text, read_instant
from robbieblocks.release import Entry, SiteRoot
from robbieblocks.settings import Settings

Form = Literal["text", "json"]

_PAGES_MAX: Final = 50
_CHANGES_MAX: Final = 40


def list_(
    *,
    node: str | None,
    app: str | None,
    status: str | None,
    since: str | None,
    limit: int,
    runs_only: bool,
    format_: Form,
    database_url: str | None,
) -> None:
    """Print runs, and what people did in between, the newest first."""
    asked = AskedRuns(
        node=node,
        app=app,
        status=status,
        since=None if since is None else read_instant(since),
        limit=limit,
    )
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        runs = history.runs(connection, asked)
    # A status is that of a run.
    acts = () if runs_only or status else _acts(settings, asked)
    # Which acts are older than the last run that is shown is not known to be between two.
    last = runs[-1].started if len(runs) == limit else None
    between = [each for each in acts if last is None or each.at >= last]
    # A rollback is a run and an act, and one line.
    ids = {str(run.id) for run in runs}
    both: list[Run | Entry] = [*runs, *(each for each in between if each.id not in ids)]
    merged = sorted(both, key=_moment, reverse=True)[:limit]
    found = [each for each in merged if isinstance(each, Run)]
    shown = {str(each.id) for each in merged}
    done = [each for each in between if each.id in shown]
    if format_ == "json":
        told = {"deploys": list(map(_object, found)), "audit": [each.as_json() for each in done]}
        print_result(as_json({"version": 1, **told}))
        return
    if not merged:
        print_result("no run")
        return
    entries = {each.id: each for each in done}
    lines = [
        _line(each, entries.get(str(each.id))) if isinstance(each, Run) else audit.line(each)
        for each in merged
    ]
    print_result("\n".join(aligned(lines)))
    if len(merged) == limit:
        print_result(f"{limit} shown; --limit shows more")


def _acts(settings: Settings, asked: AskedRuns) -> tuple[Entry, ...]:
    """What the audit logs tell; a log that can't be read is told, and hides no run."""
    found, errors = release.audit(SiteRoot.of(settings), asked.node, asked.app)
    for error in errors:
        print_progress(str(error))
    return tuple(each for each in found if asked.since is None or each.at >= asked.since)


def _moment(each: Run | Entry) -> datetime:
    return each.started if isinstance(each, Run) else each.at


def show(id_: str, *, format_: Form, database_url: str | None) -> None:
    """Print one run, with what it did to pages and the changes that it took along.

    Of what people did in between, what the audit log has.
    """
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        try:
            run = history.run(connection, id_)
        except UsageError:
            if audit.show(SiteRoot.of(settings), id_, format_):
                return
            raise
        changes = history.changes_of(connection, run)
    if format_ == "json":
        told = {"log": run.log, "changes": list(map(change_object, changes))}
        print_result(as_json({"version": 1, "deploy": _object(run) | told}))
        return
    lines = _head(run) + _pages(run.touched, run.more_pages) + _people(changes)
    if run.error:
        lines += ["", visible(run.error)]
    if run.phases_ms:
        spent = ", ".join(f"{name} {value}" for name, value in run.phases_ms.items())
        lines += ["", f"phases in ms: {visible_line(spent)}"]
    if run.log:
        lines += ["", "log:", *(f"  {line}" for line in visible(run.log).split("\n"))]
    print_result("\n".join(lines))


def diff(first: str, second: str, *, format_: Form, database_url: str | None) -> None:
    """Print what differs between what two runs left."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        found = history.between(
            connection, history.run(connection, first), history.run(connection, second)
        )
    if format_ == "json":
        print_result(
            as_json(
                {
                    "version": 1,
                    "first": _object(found.first),
                    "second": _object(found.second),
                    "runs": [str(run.id) for run in found.runs],
                    "pages": list(map(_page_object, found.touched)),
                    "changes": list(map(change_object, found.changes)),
                }
            )
        )
        return
    one, two = found.first, found.second
    lines = [
        visible_line(
            f"{one.target}: {one.build_hash[:12]} ({one.started:%Y-%m-%d %H:%M:%S}Z) -> "
            f"{two.build_hash[:12]} ({two.started:%Y-%m-%d %H:%M:%S}Z), "
            f"{counted(len(found.runs), 'run')}"
        )
    ]
    if one.build_hash == two.build_hash:
        lines.append("nothing differs: both left the same release")
    lines += _pages(found.touched, sum(run.more_pages for run in found.runs))
    print_result("\n".join(lines + _people(found.changes)))


def _object(run: Run) -> dict[str, object]:
    """The stable form that `--format json` prints; docs/output.md describes it."""
    return {
        "id": str(run.id),
        "node": run.node,
        "app": run.app,
        "status": run.status,
        "build_hash": run.build_hash,
        "hash_before": run.hash_before or None,
        "plan": run.plan or None,
        "started": run.started.isoformat(),
        "completed": run.completed.isoformat() if run.completed else None,
        "triggered_by": run.triggered_by,
        "worker": run.worker,
        "pages_count": run.pages,
        "components_count": run.components,
        "build_ms": run.build_ms,
        "deploy_ms": run.deploy_ms,
        "error": run.error,
        "pages": list(map(_page_object, run.touched)),
        "more_pages": run.more_pages,
        "phases_ms": dict(run.phases_ms),
        "change_ids": list(map(str, run.change_ids)),
    }


def _page_object(page: PageTouched) -> dict[str, object]:
    causes = [cause.as_json() for cause in page.causes]
    return {"key": page.key, "change": page.change, "causes": causes}


def _line(run: Run, entry: Entry | None = None) -> tuple[str, ...]:
    """The cells of a run; `entry` is what the audit log says of the same rollback."""
    touched = len(run.touched) + run.more_pages
    return (
        str(run.id)[:8],
        f"{run.started:%Y-%m-%d %H:%M:%S}Z",
        run.target,
        "held" if run.error.startswith("held:") else run.status,
        run.build_hash[:12],
        f"{counted(touched, 'page')}" if run.plan or touched else "",
        run.triggered_by,
        _first_line(f"{entry.who}: {entry.why}" if entry else run.error),
    )


def _first_line(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 60 else line[:59] + "…"


def _head(run: Run) -> list[str]:
    times = [
        f"{name} {value} ms"
        for name, value in (("built in", run.build_ms), ("live in", run.deploy_ms))
        if value is not None
    ]
    lines = [
        f"run {run.id}",
        f"{run.target}: {run.status}, asked for by {run.triggered_by}, ran in {run.worker or '?'}",
        f"at {run.started:%Y-%m-%d %H:%M:%S}Z" + "".join(f", {each}" for each in times),
        f"release {run.hash_before or '?'} -> {run.build_hash}",
    ]
    return list(map(visible_line, lines + ([f"plan {run.plan}"] if run.plan else [])))


def _pages(touched: Sequence[PageTouched], more: int) -> list[str]:
    lines = [
        visible_line(f"  {page.change}: {page.key}{causes_text(page.causes)}")
        for page in touched[:_PAGES_MAX]
    ]
    more += len(touched[_PAGES_MAX:])
    if more:
        lines.append(f"  and {counted(more, 'page')} more")
    return ["", "pages:", *lines] if lines else []


def _people(changes: Sequence[Change]) -> list[str]:
    """What people did, in editors' terms, with who did it."""
    if not changes:
        return []
    authors = sorted({change.by or "(unknown)" for change in changes})
    lines = ["", visible_line(f"changes, by {listed(authors, 6)}:")]
    for change in changes[:_CHANGES_MAX]:
        found = history.difference(change)
        told = review.row_text(found) if found else f"? {visible_line(change.key)}"
        head, *rest = told.split("\n")
        who = visible_line(f"{change.by or '(unknown)'}, {change.at:%H:%M:%S}Z")
        lines += [f"  {str(change.id)[:8]} {head}  ({who})", *(f"  {line}" for line in rest)]
    if len(changes) > _CHANGES_MAX:
        lines.append(f"  and {counted(len(changes) - _CHANGES_MAX, 'change')} more")
    return lines
