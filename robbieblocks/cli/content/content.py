"""`robbieblocks content ...`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer

from robbieblocks import content
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.content import Exported, RowMerge, RowName, Side
from robbieblocks.errors import ContentError, DatabaseUnavailable, RightsMissing, UsageError
from robbieblocks.messages import counted, did_you_mean, printable
from robbieblocks.objectstore import Originals
from robbieblocks.settings import Settings

Form = Literal["text", "json"]

_ALL = "all"
_KINDS = ("page/", "component/", "token/", "node/")
_VERBS = {"add": "add", "update": "change", "remove": "remove", "keep": "keep"}
_DONE = {"add": "added", "update": "changed", "remove": "removed", "keep": "kept"}
# What an import has done is counted as a whole; a dry run names every row.
_NAMED_MAX = 10


def export(
    folder: Path | None,
    *,
    prune: bool,
    theirs: Iterable[str],
    ours: Iterable[str],
    database_url: str | None,
    branding_alone: bool,
) -> None:
    """Write the rows as files, and print which files that changed; exit 1 where one is kept."""
    side = sides(theirs, ours)
    settings = Settings.from_environment(database_url=database_url)
    folders = _folders(folder, settings, branding_alone)
    own = _folders(None, settings, branding_alone)
    with session.opened(settings) as connection:
        found = content.stored(connection, whole=prune)
        if branding_alone:
            found = found.only("node")
        side.check((*found.content.rows(), *found.unreadable))
        done = content.export(
            found,
            *folders,
            prune=prune,
            side=side,
            own=_same(folders, own),
            originals=Originals(settings.media_bucket),
        )
        try:
            content.remember_export(connection, found, done.in_step)
        except (RightsMissing, DatabaseUnavailable) as error:
            print_progress(f"the exported files don't count as imported: {error}")
    _print_export(done)
    unreadable = (*found.unreadable.values(), *done.unreadable)
    for problem in unreadable:
        print_progress(str(problem))
    if unreadable or not all(each.chosen for each in done.kept):
        raise typer.Exit(1)


def _print_export(done: Exported) -> None:
    for name, files in (("wrote", done.written), ("removed", done.removed)):
        for file in files:
            print_result(f"{name}  {file}")
    for file in done.strange:
        print_result(f"left   {file}: no row is kept there; --prune removes the file")
    for token in done.strange_tokens:
        print_result(f"left   {token}: there is no such row; --prune removes it from its file")
    for file, row, why, chosen in done.kept:
        remedy = f"import it, or overwrite it with --ours {row or _ALL}"
        print_result(f"kept   {file}{f' ({row})' if row else ''}: {why}")
        if not chosen:
            print_result(f"       -> {remedy}")
    print_result(
        f"{len(done.written)} written, {len(done.removed)} removed, {done.unchanged} as they were"
        + (f", {len(done.kept)} kept" if done.kept else "")
    )


def _same(one: Iterable[Path | None], other: Iterable[Path | None]) -> bool:
    return all((a and a.resolve()) == (b and b.resolve()) for a, b in zip(one, other, strict=True))


def import_(
    folder: Path | None,
    *,
    dry_run: bool,
    prune: bool,
    theirs: Iterable[str],
    ours: Iterable[str],
    format_: Form,
    database_url: str | None,
    branding_alone: bool,
) -> None:
    """Merge files into the rows, and print what was done; exit 1 where a row is in conflict."""
    side = sides(theirs, ours)
    settings = Settings.from_environment(database_url=database_url)
    files = content.load(*_folders(folder, settings, branding_alone))
    if problems := content.too_large(files.media, settings.media_size_max_mb):
        raise ContentError(problems)
    with session.opened(settings) as connection:
        if theirs or ours:
            held = content.stored(connection)
            side.check((*files.rows(), *held.content.rows(), *held.unreadable))
        merged = content.import_(
            connection,
            files,
            prune=prune,
            side=side,
            dry_run=dry_run,
            only="node" if branding_alone else None,
            originals=Originals(settings.media_bucket) if settings.media_bucket else None,
        )
    print_import(merged, dry_run=dry_run, format_=format_)


def print_import(merged: Iterable[RowMerge], *, dry_run: bool, format_: Form) -> None:
    """Print what an import did to each row; exit 1 where one is in conflict."""
    rows = list(merged)
    if format_ == "json":
        print_result(as_json(_json(rows, dry_run=dry_run)))
    else:
        print_result("\n".join(_text(rows, dry_run=dry_run)))
    if any(row.action == "conflict" for row in rows):
        raise typer.Exit(1)


def diff(
    folder: Path | None,
    *,
    check: bool,
    format_: Form,
    database_url: str | None,
    branding_alone: bool,
) -> None:
    """Print how the files differ from the rows; with `check` exit 1 where they do."""
    settings = Settings.from_environment(database_url=database_url)
    files = content.load(*_folders(folder, settings, branding_alone))
    with session.opened(settings) as connection:
        only: Literal["node"] | None = "node" if branding_alone else None
        merged = content.import_(connection, files, dry_run=True, only=only)
    changed = [row for row in merged if row.action != "unchanged"]
    if format_ == "json":
        print_result(as_json(_json(changed, dry_run=True)))
    else:
        for row in changed:
            print_result(f"{row.name}: {row.why}")
            print_result(content.difference(row))
        print_result(_counted(changed) or "the files and the database agree")
    if check and changed:
        raise typer.Exit(1)


def _folders(
    folder: Path | None, settings: Settings, branding_alone: bool
) -> tuple[Path | None, Path]:
    """The content and the branding folder: below a named folder, or those of the settings.

    For branding alone the named folder is the branding folder.
    """
    if branding_alone:
        return None, folder or settings.node_branding
    if folder is None:
        return settings.content, settings.node_branding
    return folder / "content", folder / "node_branding"


@dataclass(frozen=True, slots=True)
class Sides:
    """Which side wins a row's conflict, by the options that name it."""

    files: frozenset[str]
    rows: frozenset[str]

    def __call__(self, name: RowName) -> Side:
        """The side that was named for a row, or for all."""
        for wanted in (str(name), _ALL):
            if wanted in self.files:
                return "theirs"
            if wanted in self.rows:
                return "ours"
        return None

    def check(self, names: Iterable[RowName]) -> None:
        """Raise UsageError where an option names a row that is none of these."""
        known = set(map(str, names))
        for name in sorted((self.files | self.rows) - known - {_ALL}):
            raise UsageError(f"there is no row {printable(name)}: {did_you_mean(name, known)}")


def sides(theirs: Iterable[str], ours: Iterable[str]) -> Sides:
    """Which side wins a row's conflict, by the options that name it."""
    files, rows = frozenset(theirs), frozenset(ours)
    if both := files & rows:
        raise UsageError(f"--theirs and --ours both name {', '.join(sorted(both))}: name one side")
    for name in files | rows:
        if name != _ALL and not name.startswith(_KINDS):
            raise UsageError(
                f"{name} names no row: write page/KEY, component/KEY, token/KEY, node/ID, or all"
            )
    return Sides(files, rows)


def _text(rows: list[RowMerge], *, dry_run: bool) -> list[str]:
    conflicts = [row for row in rows if row.action == "conflict"]
    unwritten = dry_run or bool(conflicts)
    verbs = _VERBS if unwritten else _DONE
    lines = [
        f"{verbs[row.action]:<8} {row.name}  ({row.why})" for row in rows if row.action in verbs
    ]
    if not unwritten and len(lines) > _NAMED_MAX:
        lines[_NAMED_MAX:] = [f"and {counted(len(lines) - _NAMED_MAX, 'more row')}"]
    for row in conflicts:
        lines += (f"conflict {row.name}: {row.why}", content.difference(row))
    if conflicts:
        lines.append(
            f"nothing was written: {len(conflicts)} in conflict. Take a side with --theirs ROW "
            f"(the file) or --ours ROW (the database), e.g. --theirs {conflicts[0].name}"
        )
    else:
        all_done = _counted(rows) or "nothing differs"
        lines.append(f"dry run: {all_done}" if dry_run else all_done)
    return lines


def _counted(rows: Iterable[RowMerge]) -> str:
    counts = Counter(row.action for row in rows if row.action != "unchanged")
    return ", ".join(f"{count} {_DONE.get(action, action)}" for action, count in counts.items())


def _json(rows: Iterable[RowMerge], *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "rows": [
            {
                "row": str(row.name),
                "action": row.action,
                "why": row.why,
                "diff": content.difference(row),
            }
            for row in rows
            if row.action != "unchanged"
        ],
    }
