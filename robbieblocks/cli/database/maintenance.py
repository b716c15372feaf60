"""`robbieblocks db analyze` and `db maintain`."""

from __future__ import annotations

from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_result
from robbieblocks.database import maintenance
from robbieblocks.errors import DatabaseUnavailable, UsageError
from robbieblocks.messages import counted
from robbieblocks.settings import Settings


def analyze(database_url: str | None, format_: str) -> None:
    """Print what may make the database slow, as text or as JSON."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        analysis = maintenance.analyze(connection)
    if format_ == "json":
        print_result(as_json(analysis.as_json()))
        return
    for found in (analysis.database, *analysis.findings):
        print_result(str(found))


def maintain(
    database_url: str | None,
    cadence: maintenance.Cadence,
    *,
    keep_audit_months: int | None,
    dry_run: bool,
) -> None:
    """Carry out the tasks, and print each as it is done; fail in the end where one has failed."""
    if keep_audit_months is not None and cadence != "monthly":
        raise UsageError(f"--keep-audit-months is for monthly, not for {cadence}")
    settings = Settings.from_environment(database_url=database_url)
    done = failed = 0
    with session.opened(settings) as connection:
        for each in maintenance.maintain(
            connection, cadence, keep_audit_months=keep_audit_months, dry_run=dry_run
        ):
            if isinstance(each, maintenance.Done):
                done += 1
                failed += bool(each.error)
                print_result(_line(each))
            else:
                print_result(str(each))
    print_result(f"{cadence}: {counted(done, 'task')}{' to do' if dry_run else ''}")
    if failed:
        raise DatabaseUnavailable(
            f"{failed} of {counted(done, 'task')} failed, see above: run it again; what was done "
            "stays done"
        )


def _line(done: maintenance.Done) -> str:
    if done.error:
        return f"failed: {done.statement}: {done.error}"
    if done.seconds is None:
        return f"would run {done.statement}: {done.task.why}"
    remarks = "".join(f"\n  {remark}" for remark in done.remarks)
    return f"ran {done.statement} in {done.seconds:.1f} s: {done.task.why}{remarks}"
