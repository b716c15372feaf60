"""Reads a content folder and a branding folder: all of it, or every mistake in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from robbieblocks.content.packaged import placed
from robbieblocks.content.reading.branding import read_node
from robbieblocks.content.reading.examples import with_examples
from robbieblocks.content.reading.media_files import MEDIA, read_media, toml_of
from robbieblocks.content.reading.page_files import key_of, or_default, read_pages
from robbieblocks.content.reading.page_memory import PageMemory
from robbieblocks.content.shape import EXAMPLES, Component, Content, Page, Token
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import Json, NodeRow
from robbieblocks.source_files import ProblemCollector, Table, read_toml

CODE_FILES = ("component.tsx", "component.jsx", "component.ts", "component.js")
_COMPONENT_FILES = frozenset(
    {*CODE_FILES, "component.css", "component.toml", "props.schema.json", EXAMPLES}
)
_OF_DESKTOPS = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
_RIGHTS = "let this user read and enter it"
_MISPLACED = "move it out of the content folder"

Value = TypeVar("Value", str, int)
Row = TypeVar("Row", Component, Page)


def load(folder: Path | None, branding_folder: Path | None = None) -> Content:
    """Everything in a content folder, and the nodes of a branding folder; either may be left out.

    Files and folders whose names start with a dot, and what desktops put there, are ignored.
    Raises ContentError with every mistake of every file: unknown keys, wrong types, missing files,
    two rows with one key.
    """
    found, problems = load_sound(folder, branding_folder)
    if problems:
        raise ContentError(problems)
    return found


def load_sound(
    folder: Path | None, branding_folder: Path | None = None, memory: PageMemory | None = None
) -> tuple[Content, tuple[Problem, ...]]:
    """What `load` would read of the files that have no mistake, and the mistakes of the others.

    Files of pages whose texts `memory` has are not parsed again.
    """
    folders = tuple(each for each in (folder, branding_folder) if each)
    collector = ProblemCollector(folders[0].parent, folders)
    try:
        found = Content()
        if folder:
            found = _read(collector, folder, memory)
        elif branding_folder and not branding_folder.is_dir():
            collector.add(branding_folder, "is not a folder", "name a folder of branding files")
        if branding_folder:
            nodes = _nodes(collector, branding_folder)
            files = {row.id: file for file, row in nodes.items()}
            found = replace(found, nodes=tuple(nodes.values()), node_files=files)
    except OSError as error:
        file = Path(error.filename or folders[0])
        collector.add(file, f"can't be read: {error.strerror}", _RIGHTS)
        found = Content()
    return found, tuple(collector.problems)


def wrong_examples(folder: Path) -> tuple[Problem, ...]:
    """The mistakes in examples of components; those of all other files are an import's to tell."""
    collector = ProblemCollector(folder.parent, (folder,))
    # What can't be looked at is told by an import.
    with contextlib.suppress(OSError):
        rows = _read_all(collector, _folders(collector, folder / "components"), _component)
        sound = _sound(collector)
        for row in rows:
            if sound(row.file.parent):
                with_examples(collector, row, _examples(collector, row))
    return tuple(each for each in collector.problems if is_of_example(each))


def is_of_example(problem: Problem) -> bool:
    """Whether a mistake is in the file of an example: it keeps no row out."""
    return PurePosixPath(problem.key).parent.name == EXAMPLES


def _nodes(collector: ProblemCollector, folder: Path) -> dict[Path, NodeRow]:
    """The nodes of the files that have no mistake, sorted by id."""
    files = list(_files(collector, folder, ".toml"))
    nodes = {file: row for file in files if (row := read_node(collector, file)) is not None}
    _check_unique(collector, [(row.id, file) for file, row in nodes.items()])
    sound = _sound(collector)
    return dict(
        sorted((item for item in nodes.items() if sound(item[0])), key=lambda item: item[1].id)
    )


def _sound(collector: ProblemCollector) -> Callable[[Path], bool]:
    """Whether nothing was wrong with a file, or with any file of a component's folder."""
    wrong = {problem.key for problem in collector.problems}

    def sound(file: Path) -> bool:
        name = collector.name_of(file)
        return not any(each == name or each.startswith(name + "/") for each in wrong)

    return sound


def _read(collector: ProblemCollector, folder: Path, memory: PageMemory | None) -> Content:
    if not folder.is_dir():
        remedy = "name a folder with components/, pages/ or tokens.toml"
        collector.add(folder, "is not a folder", remedy)
    components = _read_all(collector, _folders(collector, folder / "components"), _component)
    pages = read_pages(collector, _files(collector, folder / "pages", ".toml", ".md"), memory)
    tokens = _tokens(collector, folder / "tokens.toml")
    media = read_media(collector, _listed(folder / MEDIA))
    _check_names(collector, folder, {"components", "pages", MEDIA, "tokens.toml"})
    _check_unique(collector, [(row.key, row.file) for row in components])
    _check_unique(collector, [(row.key, row.file) for row in pages])
    _check_unique(collector, [(row.key, row.file) for row in media])
    # A folder with a mistake is the project's own all the same.
    own = {row.key for row in components} | {path.name for path in _listed(folder / "components")}
    sound = _sound(collector)
    # Read now: a mistake in an example keeps no component out.
    components = [
        with_examples(collector, row, _examples(collector, row))
        for row in components
        if sound(row.file.parent)
    ]
    pages = [row for row in pages if all(map(sound, _files_of(row)))]
    components += placed(pages, own)
    return Content(
        components=tuple(sorted(components, key=lambda row: row.key)),
        pages=tuple(sorted(pages, key=lambda row: row.key)),
        tokens=tuple(
            sorted(tokens if sound(folder / "tokens.toml") else (), key=lambda row: row.key)
        ),
        media=tuple(
            sorted(
                (row for row in media if sound(row.file) and sound(toml_of(row.file))),
                key=lambda row: row.key,
            )
        ),
    )


def _examples(collector: ProblemCollector, row: Component) -> Iterator[Path]:
    return _files(collector, row.file.parent / EXAMPLES, ".toml")


def _files_of(page: Page) -> Iterator[Path]:
    yield page.file
    for block in page.blocks:
        yield from (place.file for place in block.texts.values())


def _component(collector: ProblemCollector, folder: Path) -> Component | None:
    _check_names(collector, folder, _COMPONENT_FILES)
    table = _component_table(collector, folder)
    code = _code(collector, folder)
    css_file = folder / "component.css"
    css = collector.read_text(css_file) if os.path.lexists(css_file) else None
    if table is None:
        return None
    row = component_of(table, folder)
    return replace(row, code=code or "", css=css)


def _component_table(collector: ProblemCollector, folder: Path) -> Table | None:
    file = folder / "component.toml"
    if os.path.lexists(file):
        return read_toml(collector, file)
    collector.add(file, "is missing", 'make it, with name = "..." and type = "content"')
    return None


def component_of(table: Table, folder: Path) -> Component:
    """The row that a component's table describes, with its schema; the texts lie beside it."""
    row = Component(
        key=key_of(table, folder.name),
        name=table.string("name", required=True, most=255) or "",
        type=table.string("type", required=True, most=50) or "",
        version=or_default(table.string("version", most=20), "1.0.0"),
        published=table.boolean("published", default=True),
        dependencies=table.strings("dependencies"),
        preview_url=table.string("preview_url", most=500),
        props_schema=_props_schema(table.collector, folder, table),
        metadata=table.json_object("metadata"),
        code="",
        file=table.file,
    )
    table.finish()
    return row


def _code(collector: ProblemCollector, folder: Path) -> str | None:
    files = [folder / name for name in CODE_FILES if os.path.lexists(folder / name)]
    if len(files) == 1:
        return collector.read_text(files[0])
    listed = ", ".join(file.name for file in files)
    what = f"has more than one code file: {listed}" if files else "has no component.tsx"
    collector.add(folder, what, f"keep one of {', '.join(CODE_FILES)}")
    return None


def _props_schema(collector: ProblemCollector, folder: Path, table: Table) -> Json:
    """The schema, from props.schema.json or the TOML; without one, any props are valid."""
    file = folder / "props.schema.json"
    stated = table.json("props_schema")
    if not os.path.lexists(file):
        return {} if stated is None else stated
    if stated is not None:
        table.report("props_schema", "is also in props.schema.json", "keep one of the two")
    before = len(collector.problems)
    value = collector.read_json(file)
    if value is None and len(collector.problems) == before:
        collector.add(file, "holds null, and no schema", "write {}, or remove the file", line=1)
    return value


def _tokens(collector: ProblemCollector, file: Path) -> list[Token]:
    table = read_toml(collector, file) if os.path.lexists(file) else None
    return tokens_of(table) if table else []


def tokens_of(table: Table) -> list[Token]:
    """The rows that a file of tokens describes; what is wrong with it is collected."""
    tokens: list[Token] = []
    for key, token in table.named_tables().items():
        if len(key) > 255:
            token.report("value", "has a key longer than 255 characters")
        tokens.append(
            Token(
                key=key,
                category=or_default(token.string("category", most=50), key.split(".")[0][:50]),
                value=token.string("value", required=True) or "",
                description=token.string("description"),
            )
        )
        token.finish()
    return tokens


def _read_all(
    collector: ProblemCollector,
    files: Iterable[Path],
    read: Callable[[ProblemCollector, Path], Row | None],
) -> list[Row]:
    return [row for file in files if (row := read(collector, file)) is not None]


def _folders(collector: ProblemCollector, folder: Path) -> Iterator[Path]:
    for path in _listed(folder):
        if path.is_dir():
            yield path
        else:
            collector.add(path, "is not a folder", _MISPLACED)


def _files(collector: ProblemCollector, folder: Path, *suffixes: str) -> Iterator[Path]:
    for path in _listed(folder):
        if path.suffix in suffixes and path.is_file():
            yield path
        elif path.suffix in suffixes:
            what = "is a folder" if path.is_dir() else "is a pipe, a device, or leads nowhere"
            collector.add(path, f"{what}, and no file", _MISPLACED)
        else:
            collector.add(path, f"is not a {' or '.join(suffixes)} file", _MISPLACED)


def _listed(folder: Path) -> list[Path]:
    """What a folder holds, in order, without what is ignored; nothing where it is not there."""
    if not folder.is_dir():
        return []
    paths = (path for path in folder.iterdir() if path.name.lower() not in _OF_DESKTOPS)
    return sorted(path for path in paths if not path.name.startswith("."))


def _check_names(collector: ProblemCollector, folder: Path, known: Iterable[str]) -> None:
    for path in _listed(folder):
        if path.name not in known:
            collector.add(path, "is unknown here", f"known are: {', '.join(sorted(known))}")
        elif not path.suffix and not path.is_dir():
            # Taken for an empty one, its rows would be taken for removed.
            collector.add(path, "is not a folder", "put a folder there, or nothing")


def _check_unique(collector: ProblemCollector, rows: list[tuple[str, Path]]) -> None:
    first: dict[str, Path] = {}
    for key, file in rows:
        if key in first:
            what = f"has the key {key!r} of {collector.name_of(first[key])}"
            collector.add(file, what, "rename one of them")
        first.setdefault(key, file)
