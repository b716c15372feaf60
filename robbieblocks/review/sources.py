"""The two sides of a comparison: the project as it is, and what it is compared with."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from psycopg import Connection

from robbieblocks import content, process
from robbieblocks.content import Content, ContentRow, PageMemory, RowName
from robbieblocks.errors import Problem, UsageError
from robbieblocks.messages import printable
from robbieblocks.model import Sha256, sha256
from robbieblocks.review import mistakes, revisions
from robbieblocks.review.mistakes import Folders
from robbieblocks.settings import PROJECT_FILE, Settings, read_project_file

LIVE: Final = "live"
_UNPRUNED: Final = "while a file has a mistake, --prune removes no row"
_FOLDERS: Final = {
    "content": ("ROBBIEBLOCKS_CONTENT", "content"),
    "node_branding": ("ROBBIEBLOCKS_NODE_BRANDING", "node_branding"),
    "templates": ("ROBBIEBLOCKS_TEMPLATES", "templates"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One side: its rows and its folders of templates, the first before the others.

    `problems` are mistakes of files; the rows of these files are not in `content`. `folders` are
    where they were read, if they were. `notes` are for the reader of the comparison.
    """

    content: Content
    folders: Folders | None = None
    templates: tuple[Path, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def hash(self, made_with: str) -> Sha256:
        """A hash of all that pages are made from; `made_with` are templates and toolchain."""
        rows = self.content.rows().items()
        lines = sorted(f"{name} {content.row_hash(row)}" for name, row in rows)
        return sha256("\n".join([made_with, *lines]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared: `kind`, `name`, `commit` and `date` are those of the base."""

    before: Source
    after: Source
    kind: Literal["revision", "folder", "live"]
    name: str
    commit: str = ""
    date: str = ""


@contextmanager
def opened(
    against: str,
    settings: Settings,
    *,
    prune: bool,
    connect: Callable[[], AbstractContextManager[Connection]],
    memory: PageMemory,
) -> Generator[Sides]:
    """Both sides, as long as the block lasts: the base of a revision lies in a temporary folder.

    A page's file that both sides have is parsed once, or not at all where `memory` has it.
    `connect` opens the database of `live`, which is read and never written. Raises UsageError for
    a base that is not there, ContentError, DatabaseUnavailable.
    """
    own = _of_folders(
        settings.content, settings.node_branding, settings.templates, settings, memory
    )
    if against == LIVE:
        with connect() as connection:
            yield _live(connection, own, prune=prune)
        return
    folder = Path(against)
    if _is_path(against):
        if not folder.is_dir():
            raise UsageError(f"--against {printable(against)} is not a folder: name another")
        yield _folder(folder.absolute(), against, own, settings, memory)
        return
    project = _project(settings)
    try:
        revision = revisions.find(project, against)
    except UsageError:
        if not against or not folder.is_dir():
            raise
        yield _folder(folder.absolute(), against, own, settings, memory)
        return
    with process.temporary_folder() as temporary:
        before = _revision(revision, temporary, settings, memory)
        yield replace(
            _of_files(before, own, "revision", against),
            commit=revision.commit,
            date=revision.date,
        )


def _is_path(against: str) -> bool:
    """Whether it can only be a folder: a revision is no path that begins like that."""
    return against.startswith((".", "/", "~"))


def _project(settings: Settings) -> Path:
    return settings.project.parent if settings.project else Path.cwd()


def _of_folders(
    rows: Path,
    branding: Path,
    templates: tuple[Path, ...],
    settings: Settings,
    memory: PageMemory,
) -> Source:
    """What folders hold; the content folder of the project itself must be there."""
    own = rows == settings.content
    found, problems = content.load_sound(
        rows if own or rows.is_dir() else None,
        branding if branding.is_dir() else None,
        memory,
    )
    folders = Folders(rows, branding)
    return Source(content=found, folders=folders, templates=templates, problems=problems)


def _folder(folder: Path, name: str, own: Source, settings: Settings, memory: PageMemory) -> Sides:
    """A project, or what `content export` wrote."""
    places = _places(folder, settings)
    exported = not (folder / PROJECT_FILE).exists()
    if exported and not any(places[each].is_dir() for each in ("content", "node_branding")):
        raise UsageError(
            f"--against {printable(name)} has neither {PROJECT_FILE} nor content/ nor "
            "node_branding/: name a project, or a folder that `robbieblocks content export` wrote"
        )
    templates = _templates(places["templates"], settings)
    if exported and not places["templates"].is_dir():
        templates = settings.templates
    before = _of_folders(places["content"], places["node_branding"], templates, settings, memory)
    return _of_files(before, own, "folder", name)


def _revision(
    revision: revisions.Revision, temporary: Path, settings: Settings, memory: PageMemory
) -> Source:
    root = Path(os.path.realpath(revision.repository))
    inside = Path(os.path.realpath(_project(settings))).relative_to(root)
    notes = list(revisions.extract(revision, [inside / PROJECT_FILE], temporary))
    try:
        places = _places(temporary / inside, settings)
    except UsageError as error:
        # The names of the folders are all that is taken from it.
        notes.append(f"the base's {PROJECT_FILE} has a mistake, and is left out: {error}")
        (temporary / inside / PROJECT_FILE).unlink()
        places = _places(temporary / inside, settings)
    # A folder outside of the repository is one folder for both sides.
    own = {"content": settings.content, "node_branding": settings.node_branding}
    own["templates"] = settings.templates[0]
    wanted = [each for each in places.values() if each.is_relative_to(temporary)]
    places |= {name: own[name] for name in places if places[name] not in wanted}
    notes += revisions.extract(
        revision, [each.relative_to(temporary) for each in wanted], temporary
    )
    templates = _templates(places["templates"], settings)
    found = _of_folders(places["content"], places["node_branding"], templates, settings, memory)
    return replace(found, notes=tuple(notes))


def _places(base: Path, settings: Settings) -> dict[str, Path]:
    """The folders of a base: as its own file names them, or else where the project has them.

    Raises UsageError for a project file with a mistake.
    """
    file = base / PROJECT_FILE
    named = read_project_file(file).values if file.exists() else None
    return {name: _place(base, name, named, settings) for name in _FOLDERS}


def _place(base: Path, name: str, named: Mapping[str, str] | None, settings: Settings) -> Path:
    variable, default = _FOLDERS[name]
    given = os.environ.get(variable)
    if named is not None and not given:
        return Path(os.path.normpath(base / (named.get(f"project.{name}") or default)))
    if name == "templates":
        own = settings.templates[0] if len(settings.templates) > 1 else _project(settings) / default
    else:
        own = settings.content if name == "content" else settings.node_branding
    return Path(os.path.normpath(base / os.path.relpath(own, _project(settings))))


def _templates(own: Path, settings: Settings) -> tuple[Path, ...]:
    packaged = settings.templates[-1]
    return (own, packaged) if own.is_dir() else (packaged,)


def _of_files(before: Source, own: Source, kind: Literal["revision", "folder"], name: str) -> Sides:
    """Both sides of files, the project with the base's rows in place of those that can't be read.

    A mistake that both have is nothing that the change does.
    """
    after = own
    if before.folders and own.folders:
        kept = mistakes.kept_rows(
            own.problems, own.folders, own.content, before.content, before.folders
        )
        content_ = _content({**own.content.rows(), **kept}) if kept else own.content
        after = replace(own, content=content_, notes=(*own.notes, *mistakes.kept_note(kept)))
    mended = mistakes.mended(before.problems, own.problems)
    notes = tuple(f"the base has a file that can't be read: {each}" for each in mended)
    return Sides(
        before=replace(before, notes=(*before.notes, *notes)), after=after, kind=kind, name=name
    )


def _live(connection: Connection, own: Source, *, prune: bool) -> Sides:
    # Whatever happens here, the server refuses to write.
    connection.read_only = True
    held = content.stored(connection)
    merged = content.merge(own.content, held, prune=prune and not own.problems)
    rows: dict[RowName, ContentRow] = {}
    notes = [
        f"{row.name} is as the database has it: {row.why}"
        for row in merged
        if row.action == "conflict"
    ]
    notes += [str(problem) for problem in held.unreadable.values()]
    notes += [_UNPRUNED] if prune and own.problems else []
    for row in merged:
        after = row.ours if row.action in ("keep", "unchanged", "conflict") else row.merged
        if after is not None:
            rows[row.name] = after
    before = Source(content=held.content, templates=own.templates)
    after_ = replace(own, content=_content(rows), notes=tuple(notes))
    return Sides(before=before, after=after_, kind="live", name=LIVE)


def _content(rows: Mapping[RowName, ContentRow]) -> Content:
    return Content.of(rows[name] for name in sorted(rows))
