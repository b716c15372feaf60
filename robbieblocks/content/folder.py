"""A content folder and a branding folder into values; all mistakes at once, or all the content."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from robbieblocks.brand.reviewed import parse_toml
from robbieblocks.content.reading import Notebook, Table
from robbieblocks.content.shape import Block, Component, Content, Page, Token
from robbieblocks.errors import ContentError
from robbieblocks.model import Json, NodeRow

_CODE_FILES = ("component.tsx", "component.jsx", "component.ts", "component.js")
_COMPONENT_FILES = frozenset({*_CODE_FILES, "component.css", "component.toml", "props.schema.json"})
_STATUSES = ("draft", "published", "archived")

Row = TypeVar("Row", Component, Page, NodeRow)


def load(folder: Path, branding_folder: Path | None = None) -> Content:
    """Everything in a content folder, and the nodes of a branding folder.

    Files and folders whose names start with a dot are passed over. Raises ContentError with every
    mistake of every file: unknown keys, wrong kinds, missing files, two rows with one key.
    """
    notebook = Notebook(folder.parent)
    if not folder.is_dir():
        notebook.add(
            folder, "is not a folder", "name a folder with components/, pages/ or tokens.toml"
        )
    components = _all(notebook, _folders(notebook, folder / "components"), _component)
    pages = _all(notebook, _tomls(notebook, folder / "pages"), _page)
    nodes = _all(notebook, _tomls(notebook, branding_folder), _node) if branding_folder else ()
    tokens = _tokens(notebook, folder / "tokens.toml")
    _strangers(notebook, folder, {"components", "pages", "tokens.toml"})
    _one_row_a_key(notebook, [(row.key, row.file) for row in components])
    _one_row_a_key(notebook, [(row.key, row.file) for row in pages])
    if notebook.problems:
        raise ContentError(notebook.problems)
    return Content(
        components=tuple(sorted(components, key=lambda row: row.key)),
        pages=tuple(sorted(pages, key=lambda row: row.key)),
        tokens=tuple(sorted(tokens, key=lambda row: row.key)),
        nodes=tuple(sorted(nodes, key=lambda row: row.id)),
    )


def _component(notebook: Notebook, folder: Path) -> Component | None:
    _strangers(notebook, folder, _COMPONENT_FILES)
    table = notebook.toml(folder / "component.toml")
    code = _code(notebook, folder)
    css_file = folder / "component.css"
    css = notebook.text(css_file) if css_file.exists() else None
    if table is None:
        return None
    row = Component(
        key=_key(table, "key", folder.name),
        name=table.string("name", required=True, most=255) or "",
        type=table.string("type", required=True, most=50) or "",
        version=table.string("version", most=20) or "1.0.0",
        published=table.boolean("published", default=True),
        dependencies=table.strings("dependencies"),
        preview_url=table.string("preview_url", most=500),
        props_schema=_props_schema(notebook, folder, table),
        metadata=table.json_object("metadata"),
        code=code or "",
        css=css,
        file=table.file,
    )
    table.finish()
    return row


def _code(notebook: Notebook, folder: Path) -> str | None:
    files = [folder / name for name in _CODE_FILES if (folder / name).exists()]
    if len(files) == 1:
        return notebook.text(files[0])
    what = (
        "has no component.tsx"
        if not files
        else "has more than one code file: " + ", ".join(file.name for file in files)
    )
    notebook.add(folder, what, f"keep one of {', '.join(_CODE_FILES)}")
    return None


def _props_schema(notebook: Notebook, folder: Path, table: Table) -> Json:
    """The schema, from props.schema.json or the TOML; with neither, any props will do."""
    file = folder / "props.schema.json"
    stated = table.json("props_schema")
    if not file.exists():
        return {} if stated is None else stated
    if stated is not None:
        table.wrong("props_schema", "is also in props.schema.json", "keep one of the two")
    return notebook.json(file)


def _page(notebook: Notebook, file: Path) -> Page | None:
    table = notebook.toml(file)
    if table is None:
        return None
    row = Page(
        key=_key(table, "key", file.stem),
        name=table.string("name", required=True, most=255) or "",
        app=table.string("app", required=True, most=50) or "",
        route=table.string("route", required=True, most=255) or "",
        layout=table.string("layout", required=True, most=50) or "",
        title=table.string("title", most=255),
        description=table.string("description"),
        status=_one_of(table, "status", _STATUSES) or "published",
        version=table.integer("version", default=1) or 1,
        published_at=table.moment("published_at"),
        created_by=table.integer("created_by"),
        metadata=table.json_object("metadata"),
        blocks=_blocks(table),
        file=file,
    )
    table.finish()
    return row


def _blocks(page: Table) -> tuple[Block, ...]:
    blocks = []
    seen: dict[int, int | None] = {}
    for table in page.tables("blocks"):
        order = table.integer("order", required=True) or 0
        if order in seen:
            table.wrong(
                "order",
                f"{order} is taken by the block on line {seen[order]}",
                "give each block of a page its own order",
            )
        seen[order] = table.line
        blocks.append(
            Block(
                order=order,
                zone=table.string("zone", required=True, most=50) or "",
                component=table.string("component", required=True, most=255) or "",
                props=table.json_object("props"),
                conditions=table.json_object("conditions"),
                line=table.line,
            )
        )
        table.finish()
    return tuple(sorted(blocks, key=lambda block: block.order))


def _tokens(notebook: Notebook, file: Path) -> list[Token]:
    table = notebook.toml(file) if file.exists() else None
    tokens = []
    for key, token in (table.named_tables() if table else {}).items():
        if len(key) > 255:
            token.wrong("value", "has a key longer than 255 characters")
        tokens.append(
            Token(
                key=key,
                category=token.string("category", most=50) or key.split(".")[0][:50],
                value=token.string("value", required=True) or "",
                description=token.string("description"),
            )
        )
        token.finish()
    return tokens


def _node(notebook: Notebook, file: Path) -> NodeRow | None:
    text = notebook.text(file)
    if text is None:
        return None
    node, problems = parse_toml(text, notebook.shown(file))
    notebook.problems += problems
    return node


def _key(table: Table, name: str, stem: str, *, most: int = 255) -> str:
    """The row's key: stated in the file, else the name of the file or folder."""
    stated = table.string(name, most=most)
    if stated is None and len(stem) > most:
        table.wrong(name, f"is longer than {most} characters")
    return stem if stated is None else stated


def _one_of(table: Table, name: str, known: tuple[str, ...]) -> str | None:
    value = table.string(name)
    if value is not None and value not in known:
        table.wrong(name, f"is {value!r}", f"write one of {', '.join(known)}")
    return value


def _all(
    notebook: Notebook, files: Iterable[Path], read: Callable[[Notebook, Path], Row | None]
) -> list[Row]:
    return [row for file in files if (row := read(notebook, file)) is not None]


def _folders(notebook: Notebook, folder: Path) -> list[Path]:
    return [path for path in _listed(folder) if path.is_dir() or _stray(notebook, path, "a folder")]


def _tomls(notebook: Notebook, folder: Path) -> list[Path]:
    return [
        path
        for path in _listed(folder)
        if (path.suffix == ".toml" and path.is_file()) or _stray(notebook, path, "a .toml file")
    ]


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _stray(notebook: Notebook, path: Path, expected: str) -> bool:
    notebook.add(path, f"is not {expected}", "move it out of the content folder")
    return False


def _strangers(notebook: Notebook, folder: Path, known: Iterable[str]) -> None:
    for path in _listed(folder):
        if path.name not in known:
            notebook.add(path, "is unknown here", f"known are: {', '.join(sorted(known))}")


def _one_row_a_key(notebook: Notebook, rows: list[tuple[str, Path]]) -> None:
    first: dict[str, Path] = {}
    for key, file in rows:
        if key in first:
            notebook.add(
                file, f"has the key {key!r} of {notebook.shown(first[key])}", "rename one of them"
            )
        first.setdefault(key, file)
