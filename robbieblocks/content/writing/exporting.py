"""Writes rows into a folder as files: what differs, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.content.design_tokens import design_tokens
from robbieblocks.content.file_names import file_names, stated_key
from robbieblocks.content.packaged import PACKAGED
from robbieblocks.content.reading.folder import CODE_FILES
from robbieblocks.content.reading.media_files import MEDIA
from robbieblocks.content.reading.page_files import front_matter
from robbieblocks.content.shape import EXAMPLES, Component, RowName
from robbieblocks.content.storing.merging import Side
from robbieblocks.content.storing.stored import Stored
from robbieblocks.content.writing import rows as writing
from robbieblocks.content.writing.folder_files import FolderFiles
from robbieblocks.content.writing.keeping import FileChoice, KeptFile
from robbieblocks.content.writing.media import MediaFiles
from robbieblocks.content.writing.pages import PageFiles
from robbieblocks.errors import Problem, SiteUnavailable
from robbieblocks.objectstore import Originals


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did to the files of a folder, each by its path below it."""

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    # Files, and tokens in `tokens.toml`, in which no row of the database is kept; `prune` removes
    # them.
    strange: tuple[Path, ...] = ()
    strange_tokens: tuple[RowName, ...] = ()
    # Files that were edited since they were last imported.
    kept: tuple[KeptFile, ...] = ()
    # Rows whose files say what they say, in a folder from which they are imported.
    in_step: tuple[RowName, ...] = ()
    unchanged: int = 0
    # Rows of media of which a bucket gave no bytes: their files stay as they are.
    unreadable: tuple[Problem, ...] = ()


def export(
    database: Stored,
    folder: Path | None,
    branding: Path,
    *,
    prune: bool = False,
    side: Callable[[RowName], Side] = lambda _: None,
    own: bool = False,
    originals: Originals | None = None,
) -> Exported:
    """Write the rows of a database into a content folder and a folder of branding files.

    Without a content folder the nodes alone are written. A row goes into the file that states its
    key. A file that says what its row says stays byte for byte, and so does one whose row can't be
    read. A file that was edited since it was last imported is kept, unless `side` says "ours".
    Files of rows that are not there are listed, or removed with `prune`. `own` says that rows are
    imported from these folders, so that a new file counts as imported. `originals` is the bucket in
    which media may lie. Raises SiteUnavailable where a file can't be written, and
    BucketUnavailable.
    """
    target = FolderFiles(folder or branding, branding)
    choice = FileChoice.of(database, folder, branding, side, own=own)
    with _written(target.content):
        _write_nodes(database, target, choice)
        media = MediaFiles(target, choice, originals)
        strange_tokens = _write(database, target, choice, media, prune=prune) if folder else ()
        strange = sorted(set(_files(folder, branding)) - target.wanted - target.spared)
        for file in strange if prune else ():
            target.remove(file)
    return Exported(
        written=tuple(target.written),
        removed=tuple(target.removed),
        strange=() if prune else tuple(strange),
        strange_tokens=strange_tokens,
        kept=tuple(choice.kept),
        in_step=tuple(choice.in_step),
        unchanged=len(target.wanted) - len(target.written),
        unreadable=tuple(media.unreadable),
    )


def export_design_tokens(database: Stored, file: Path) -> bool:
    """Write the tokens of a database as a design token file, and say whether that changed it.

    Raises SiteUnavailable where it can't be written.
    """
    target = FolderFiles(file.parent, file.parent)
    document = design_tokens(database.content.tokens)
    with _written(file):
        target.put(file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return bool(target.written)


@contextmanager
def _written(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        what = f"{error.filename or path}: {error.strerror or error}"
        raise SiteUnavailable(f"can't write the content files: {what}") from error


def _names(
    target: FolderFiles,
    keys: Sequence[str],
    folder: Path,
    *patterns: str,
    field: str = "key",
    others: Collection[Path] = (),
) -> dict[str, str]:
    """The name of the file or folder of each key: that of the file which states the key.

    Files that have a key's own name are not read: what they state is brought to the row. `others`
    are no files of rows.
    """
    names = file_names(keys)
    taken = set(names.values())
    files = {file for pattern in patterns for file in folder.glob(pattern)}.difference(others)
    for file in sorted(files):
        name = file.stem if file.parent == folder else file.parent.name
        if name in taken or name.startswith(".") or file.is_symlink():
            continue
        try:
            key = stated_key(front_matter(file, target.text(file)), field)
        except OSError:
            continue  # It is nobody's: an export lists it.
        if key not in names:
            continue
        own = {folder / pattern.replace("*", names[key], 1) for pattern in patterns}
        if not any(each.exists() for each in own.difference(others)):
            names[key] = name
    return names


def _write(
    database: Stored, target: FolderFiles, choice: FileChoice, media: MediaFiles, *, prune: bool
) -> tuple[RowName, ...]:
    """Write components, pages and tokens; the tokens that only the file has, where they stay."""
    content = database.content
    rows = [*content.rows(), *database.unreadable]
    components = _names(
        target,
        [key for kind, key in rows if kind == "component"],
        target.content / "components",
        "*/component.toml",
    )
    page_files = PageFiles(target)
    pages = _names(
        target,
        [key for kind, key in rows if kind == "page"],
        target.content / "pages",
        "*.toml",
        "*.md",
        others=page_files.texts,
    )
    for component in content.components:
        folder = target.content / "components" / components[component.key]
        # The package has it: a file would keep a newer package's from its place.
        if component == PACKAGED.get(component.key) and not folder.exists():
            continue
        if choice.replaces(RowName("component", component.key), folder):
            _component(component, folder, target)
        else:
            target.spared.update(folder.rglob("*"))
    for page in content.pages:
        name = pages[page.key]
        if choice.replaces(RowName("page", page.key), page_files.file(name)):
            page_files.write(page, name)
        else:
            page_files.spare(name)
    media.write(database)
    file = target.content / "tokens.toml"
    tokens = choice.tokens(file, prune=prune) if content.tokens or file.exists() else None
    if tokens:
        target.put(file, writing.tokens_toml(tokens.rows, target.text(file)))
    for kind, key in database.unreadable:
        if kind == "component":
            target.spared.update((target.content / "components" / components[key]).rglob("*"))
        elif kind == "page":
            page_files.spare(pages[key])
    return tokens.strange if tokens else ()


def _write_nodes(database: Stored, target: FolderFiles, choice: FileChoice) -> None:
    rows = [*database.content.rows(), *database.unreadable]
    names = _names(
        target,
        [key for kind, key in rows if kind == "node"],
        target.branding,
        "*.toml",
        field="node_id",
    )
    for node in database.content.nodes:
        file = target.branding / f"{names[node.id]}.toml"
        if choice.replaces(RowName("node", node.id), file):
            target.put(file, writing.node_toml(node, target.text(file)))
        else:
            target.spared.add(file)
    for kind, key in database.unreadable:
        if kind == "node":
            target.spared.add(target.branding / f"{names[key]}.toml")


def _component(row: Component, folder: Path, target: FolderFiles) -> None:
    # The column does not say in which dialect the code is written; the file that exists does.
    code = next((one for one in CODE_FILES if (folder / one).exists()), CODE_FILES[0])
    target.spared.update((folder / EXAMPLES).glob("*"))
    existing = target.text(folder / "component.toml")
    for file, text in writing.component_files(row, folder.name, code, existing).items():
        if text is not None:
            target.put(folder / file, text)
        elif os.path.lexists(folder / file):
            target.remove(folder / file)


def _files(folder: Path | None, branding: Path) -> Iterator[Path]:
    """The files that hold rows."""
    if folder:
        yield from (folder / "pages").glob("[!.]*.toml")
        yield from (folder / "pages").glob("[!.]*.md")
        yield from (each for each in (folder / MEDIA).glob("[!.]*") if each.is_file())
        yield from (folder / "components").glob("[!.]*/[!.]*.*")
        yield from (folder / "components").glob(f"[!.]*/{EXAMPLES}/[!.]*.toml")
    yield from branding.glob("[!.]*.toml")
