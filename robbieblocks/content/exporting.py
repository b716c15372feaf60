"""Writes rows into a folder as files: what differs, and nothing else."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.content import writing
from robbieblocks.content.folder import CODE_FILES
from robbieblocks.content.shape import Component
from robbieblocks.content.stored import Stored
from robbieblocks.errors import SiteUnavailable
from robbieblocks.file_reading import Refused, read_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did to the files of a folder, each by its path below it."""

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    # Files in which no row of the database is kept; `prune` removes them.
    strange: tuple[Path, ...] = ()
    unchanged: int = 0


@dataclass(slots=True)
class _Folder:
    """The files of an export, while they are written."""

    content: Path
    branding: Path
    written: list[Path] = field(default_factory=list[Path])
    removed: list[Path] = field(default_factory=list[Path])
    wanted: set[Path] = field(default_factory=set[Path])
    # Files of rows that can't be read: they stay as they are.
    spared: set[Path] = field(default_factory=set[Path])

    def text(self, file: Path) -> str:
        """The text of a file; empty where it is not there or no text."""
        try:
            return self._bytes(file).decode("utf-8")
        except UnicodeDecodeError:
            return ""

    def _bytes(self, file: Path) -> bytes:
        try:
            return read_file(file, self.content, self.branding)
        except FileNotFoundError:
            return b""

    def put(self, file: Path, text: str) -> None:
        """Write a file where its bytes differ, whole or not at all, and through no symlink."""
        self.wanted.add(file)
        data = text.encode()
        if os.path.lexists(file) and self._bytes(file) == data:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        self._check(file)
        temporary = file.with_name(f".{file.name}.new")
        temporary.write_bytes(data)
        temporary.replace(file)
        self.written.append(file)

    def remove(self, file: Path) -> None:
        """Remove a file or a symlink, and its folder where nothing else is in it."""
        self._check(file.parent)
        file.unlink()
        if not any(file.parent.iterdir()):
            file.parent.rmdir()
        self.removed.append(file)

    def _check(self, path: Path) -> None:
        """Refuse a symlink below the two folders; they themselves may be ones."""
        folder = self.branding if path.is_relative_to(self.branding) else self.content
        if os.path.realpath(path) != str(Path(os.path.realpath(folder), path.relative_to(folder))):
            raise Refused(errno.ELOOP, "it is a symlink, or lies behind one", str(path))


def export(database: Stored, folder: Path, branding: Path, *, prune: bool = False) -> Exported:
    """Write the rows of a database into a content folder and a folder of branding files.

    A file that says what its row says stays byte for byte, and so does one whose row can't be read.
    Files of rows that are not there are listed, or removed with `prune`. Raises SiteUnavailable
    where a file can't be written.
    """
    target = _Folder(folder, branding)
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


def _write(database: Stored, target: _Folder) -> None:
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


def _component(row: Component, name: str, target: _Folder) -> None:
    folder = target.content / "components" / name
    file = folder / "component.toml"
    target.put(file, writing.component_toml(row, name, target.text(file)))
    # The column does not say in which dialect the code is written; the file that exists does.
    code = next((one for one in CODE_FILES if (folder / one).exists()), CODE_FILES[0])
    target.put(folder / code, row.code)
    # These two are there only where the row has them.
    schema = writing.props_schema(row) or None
    for file, text in ((folder / "component.css", row.css), (folder / "props.schema.json", schema)):
        if text is not None:
            target.put(file, text)
        elif os.path.lexists(file):
            target.remove(file)


def _files(folder: Path, branding: Path) -> Iterator[Path]:
    """The files that hold rows."""
    yield from (folder / "pages").glob("[!.]*.toml")
    yield from (folder / "components").glob("[!.]*/[!.]*.*")
    yield from branding.glob("[!.]*.toml")
