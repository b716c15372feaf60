"""`robbieblocks preview`."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from psycopg import Connection

from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.previewing.addresses import check_address
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.new_folder import check_is_new, write_new_folder
from robbieblocks.pipeline import BuildContext
from robbieblocks.prerender import Prerenderer
from robbieblocks.pull_request import MOST_CHARACTERS, marked
from robbieblocks.review import (
    Asked,
    Base,
    Review,
    as_html,
    as_markdown,
    as_object,
    as_text,
    report_folder,
    review,
    take_pictures,
)
from robbieblocks.settings import Settings

if TYPE_CHECKING:
    from robbieblocks.pictures import Browser

Form = Literal["text", "json", "markdown", "html"]
# Of a comment, for what is added where it is posted: the marker, links, the commit.
_ROOM: Final = 4_000


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How the result is shown.

    `out` is a new folder for it, and `comment_file` the file of a comment. With `screenshots` there
    are pictures, taken in the browser's sandbox or without one. `pictures_url` is the address that
    the folder will have.
    """

    form: Form = "text"
    out: Path | None = None
    comment_file: Path | None = None
    screenshots: bool = False
    sandbox: bool = True
    pictures_url: str = ""


def run(asked: Asked, shown: Shown, settings: Settings, prerenderer: Prerenderer) -> None:
    """Compare, print the result, and write it as a folder and as a pull request's comment."""
    out, comment_file = shown.out, shown.comment_file
    if out is not None:
        check_is_new(out)
    if comment_file is not None:
        # An empty file says that nothing changes: while that is not known there must be none.
        _write(comment_file, "")
        # What is no file of its own, such as /dev/stdout, is not ours to remove.
        if comment_file.is_file() and not comment_file.is_symlink():
            comment_file.unlink()
    browser = _browser(shown, settings)
    with BuildContext.open(settings, print_progress, prerenderer=prerenderer) as context:
        made = review(
            asked,
            settings=settings,
            context=context,
            connect=lambda: _database(settings),
            now=datetime.now(UTC),
            progress=print_progress,
        )
    if browser is not None:
        found = take_pictures(
            made, named=asked.pages, settings=settings, browser=browser, progress=print_progress
        )
        made = replace(made, review=replace(made.review, pictures=found))
    if out is not None:
        plan = f"{as_json(as_object(made.review))}\n"
        report = report_folder(made, command=_command(made.review.base, asked, shown))
        _write_folder(out, {**report, Path("plan.json"): plan.encode()})
    print_result(_printed(made.review, asked, shown))
    if comment_file is not None and made.review.changed:
        _write(comment_file, marked(_markdown(made.review, asked, shown, MOST_CHARACTERS - _ROOM)))
    elif comment_file is not None:
        _write(comment_file, "")
        print_progress(f"{comment_file} is empty: nothing changes, so there is nothing to comment")


def _browser(shown: Shown, settings: Settings) -> Browser | None:
    """The browser for pictures, where they are asked for. Raises UsageError."""
    url = shown.pictures_url
    if url and not (shown.screenshots and shown.out):
        raise UsageError(
            "--pictures-url is the address of a folder with pictures\n"
            "  -> make it with --screenshots and --out"
        )
    check_address("--pictures-url", url)
    if not shown.screenshots:
        return None
    from robbieblocks.pictures import find_browser

    return find_browser(settings.browser, sandbox=shown.sandbox)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} can't be written: {error.strerror}\n"
            "  -> name a file in a folder that is there, with --comment-file"
        ) from error


def _write_folder(out: Path, files: Mapping[Path, bytes]) -> None:
    try:
        write_new_folder(out, files)
    except OSError as error:
        reason = error.strerror or error
        raise SiteUnavailable(f"can't write the preview {out}: {reason}") from error


def _command(base: Base, asked: Asked, shown: Shown) -> str:
    """The command that shows the same: a name such as HEAD^1 is another commit in another clone."""
    words = ["robbieblocks", "preview", "--against", base.commit[:12] or asked.against]
    for option, values in (("page", asked.pages), ("app", asked.apps), ("node", asked.nodes)):
        for value in values:
            words += [f"--{option}", value]
    words += [f"--{name}" for name in ("drafts", "prune") if getattr(asked, name)]
    words += ["--screenshots"] if shown.screenshots else []
    return shlex.join(words)


def _printed(made: Review, asked: Asked, shown: Shown) -> str:
    if shown.form == "json":
        return as_json(as_object(made))
    if shown.form == "markdown":
        return _markdown(made, asked, shown, MOST_CHARACTERS)
    if shown.form == "html":
        return as_html(made, command=_command(made.base, asked, shown))
    return as_text(made)


def _markdown(made: Review, asked: Asked, shown: Shown, most: int) -> str:
    return as_markdown(
        made,
        command=_command(made.base, asked, shown),
        most=most,
        pictures_url=shown.pictures_url,
    )


@contextmanager
def _database(settings: Settings) -> Generator[Connection]:
    """The database that is live; the embedded one where it is there already."""
    embedded = settings.home / "postgres" / "seeded"
    if not session.is_named(settings) and not embedded.exists():
        raise UsageError(
            "no database is named, so there is nothing live\n"
            "  -> set ROBBIEBLOCKS_DATABASE_URL, the PG* variables or --database-url; or name a "
            "git revision or a folder with --against"
        )
    with session.opened(settings) as connection:
        yield connection
