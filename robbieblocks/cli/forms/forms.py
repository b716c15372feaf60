"""`robbieblocks forms ...`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from robbieblocks import collector, worker
from robbieblocks import forms as receiving
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_exact, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.forms import ReceiverOptions, Submission
from robbieblocks.messages import counted, printable, visible_line
from robbieblocks.model import Json
from robbieblocks.settings import Settings

# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def receive(
    *,
    node: str,
    log_form: Literal["auto", "json", "text"],
    embedded: bool,
    database_url: str | None,
) -> None:
    """Receive forms until SIGTERM or SIGINT."""
    settings = Settings.from_environment(database_url=database_url)
    if not settings.forms.applications:
        raise UsageError(
            "no form is sent to the receiver\n"
            "  -> add one to robbieblocks.toml, such as [forms.contact]"
        )
    collector.enable_for_service()
    with session.located(settings, may_embed=embedded) as found:
        receiving.run(found, ReceiverOptions(node=node), worker.open_log(log_form))


def list_(
    *,
    form: str | None,
    spam: bool,
    most: int,
    format_: Literal["text", "json"],
    database_url: str | None,
) -> None:
    """Print what was sent, without the answers."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        found = receiving.submissions(connection, form=form, with_spam=spam, most=most)
    if format_ == "json":
        print_result(as_json({"version": 1, "submissions": [_about(each) for each in found]}))
        return
    for each in found:
        where = f"{each.node}/{each.app} {each.page}"
        spam_said = "  spam" if each.state == "spam" else ""
        line = f"{each.id}  {each.received_at:%Y-%m-%d %H:%M}  {each.form}  {where}{spam_said}"
        print_result(visible_line(line))
    if not found:
        print_progress("nothing was sent")


def show(identity: str, *, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print one submission. Raises UsageError where there is none."""
    wanted = _id(identity)
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        found = receiving.submissions(connection, identity=wanted, with_spam=True, most=1)
    if not found:
        raise UsageError(f"there is no submission {wanted}: `robbieblocks forms list` has them")
    about = {**_about(found[0]), "fields": dict(found[0].fields)}
    if format_ == "json":
        print_result(as_json({"version": 1, **about}))
        return
    lines = [f"{name}: {value}" for name, value in about.items() if name != "fields"]
    # Further lines of an answer stand apart, so that none looks like another field.
    lines += [
        f"{name}: {_text(value)}".replace("\n", "\n    ") for name, value in found[0].fields.items()
    ]
    print_result("\n".join(lines))


def export(*, form: str | None, spam: bool, database_url: str | None) -> None:
    """Print what was sent as CSV (RFC 4180)."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        found = receiving.submissions(connection, form=form, with_spam=spam)
    print_exact(as_csv(found))


def delete(identities: Sequence[str], *, database_url: str | None) -> None:
    """Remove submissions. Raises UsageError where none is there."""
    wanted = [_id(each) for each in identities]
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        removed = receiving.delete(connection, wanted)
    if not removed:
        raise UsageError("none of them is there: `robbieblocks forms list --spam` has all")
    print_result(f"removed {counted(removed, 'submission')}")


def as_csv(found: Sequence[Submission]) -> str:
    """Submissions as CSV: a column for each field that one of them has."""
    names = list(dict.fromkeys(name for each in found for name in each.fields))
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(
        ["id", "received_at", "form", "node", "app", "page", "state", *map(_inert, names)]
    )
    for each in found:
        cells = [_text(each.fields.get(name, "")) for name in names]
        rows.writerow([*_about(each).values(), *map(_inert, cells)])
    return written.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def _text(value: Json) -> str:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case _:
            return str(value)


def _about(submission: Submission) -> dict[str, str]:
    return {
        "id": str(submission.id),
        "received_at": submission.received_at.isoformat(),
        "form": submission.form,
        "node": submission.node,
        "app": submission.app,
        "page": submission.page,
        "state": submission.state,
    }


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError(f"{printable(text)} is no id of a submission") from None
