"""Writes rows into a folder as files: what differs, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.content import writing
from robbieblocks.content.folder import CODE_FILES
from robbieblocks.content.folder_files import FolderFiles
from robbieblocks.content.shape import Component
from robbieblocks.content.stored import Stored
from robbieblocks.errors import SiteUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did to the files of a folder, each by its path below it."""

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    # Files in which no row of the database is kept; `prune` removes them.
    strange: tuple[Path, ...] = ()
    unchanged: int = 0


def export(database: Stored, folder: Path, branding: Path, *, prune: bool = False) -> Exported:
    """Write the rows of a database into a content folder and a folder of branding files.

    A file that says what its row says stays byte for byte, and so does one whose row can't be read.
    Files of rows that are not there are listed, or removed with `prune`. Raises SiteUnavailable
    where a file can't be written.
    """
    target = FolderFiles(folder, branding)
    try:
        _write(database, target)
        strange = sorted(set(_files(folder, branding)) - target.wanted - target.spared)
        for file in strange if prune else ():
            target.remove(file)
    except OSError as error:
        what = f"{error.filename or folder}: {error.strerror or error}"
        raise SiteUnavailable(f"can't write the content files: {what}") from error
    return Exported(
        written=tuple(target.written),
        removed=tuple(target.removed),
        strange=() if prune else tuple(strange),
        unchanged=len(target.wanted) - len(target.written),
    )


def _write(database: Stored, target: FolderFiles) -> None:
    content = database.content
    rows = [*content.rows(), *database.unreadable]
    components, pages, nodes = (
        writing.file_names(key for kind, key in rows if kind == wanted)
        for wanted in ("component", "page", "node")
    )
    for component in content.components:
        _component(component, components[component.key], target)
    for page in content.pages:
        name = pages[page.key]
        file = target.content / "pages" / f"{name}.toml"
        target.put(file, writing.page_toml(page, name, target.text(file)))
    file = target.content / "tokens.toml"
    if content.tokens or file.exists():
        target.put(file, writing.tokens_toml(content.tokens, target.text(file)))
    for node in content.nodes:
        file = target.branding / f"{nodes[node.id]}.toml"
        target.put(file, writing.node_toml(node, target.text(file)))
    for kind, key in database.unreadable:
        if kind == "component":
            target.spared.update((target.content / "components" / components[key]).glob("*"))
        elif kind == "page":
            target.spared.add(target.content / "pages" / f"{pages[key]}.toml")
        elif kind == "node":
            target.spared.add(target.branding / f"{nodes[key]}.toml")


def _component(row: Component, name: str, target: FolderFiles) -> None:
    folder = target.content / "components" / name
    # The column does not say in which dialect the code is written; the file that exists does.
    code = next((one for one in CODE_FILES if (folder / one).exists()), CODE_FILES[0])
    existing = target.text(folder / "component.toml")
    for file, text in writing.component_files(row, name, code, existing).items():
        if text is not None:
            target.put(folder / file, text)
        elif os.path.lexists(folder / file):
            target.remove(folder / file)


def _files(folder: Path, branding: Path) -> Iterator[Path]:
    """The files that hold rows."""
    yield from (folder / "pages").glob("[!.]*.toml")
    yield from (folder / "components").glob("[!.]*/[!.]*.*")
    yield from branding.glob("[!.]*.toml")
