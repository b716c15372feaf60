"""Reads the files of pages: `<name>.toml`, or `<name>.md` for a page that is only Markdown.

A block's `files` name a file for a text of its props, `files = { body = "about.md" }`, which lies
beside the page's. A `.md` that no page names is a page: TOML between two lines `+++`, and behind
them the `body` of its only block, a component `markdown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from robbieblocks.content.reading.page_memory import PageMemory
from robbieblocks.content.shape import STATUSES, Block, Page, TextPlace
from robbieblocks.messages import printable
from robbieblocks.model import JsonObject
from robbieblocks.source_files import ProblemCollector, Table, parse_toml

# A name without a folder, on every system.
_TEXT_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.md")
_FRONT: Final = re.compile(
    r"(\+\+\+[ \t]*\r?\n)(.*?)(^\+\+\+[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE
)
_REMEDY: Final = (
    "begin it with +++, a page's name, app, route and layout, and +++; "
    'or have a page name it: files = { body = "..." }'
)

Value = TypeVar("Value", str, int)


class MarkdownFile(NamedTuple):
    """The parts of a page's `.md`, which follow each other in the file."""

    opening: str
    front: str
    closing: str
    body: str


def is_text_name(name: str) -> bool:
    """Whether a block's `files` may name such a file."""
    return _TEXT_NAME.fullmatch(name) is not None


def markdown_file(text: str) -> MarkdownFile | None:
    """The parts of a text with front matter; None where it has none."""
    found = _FRONT.match(text)
    return MarkdownFile(found[1], found[2], found[3], text[found.end() :]) if found else None


def front_matter(file: Path, text: str) -> str:
    """The TOML of a page's file, on the lines where it stands there."""
    if file.suffix != ".md":
        return text
    parts = markdown_file(text)
    return "\n" + parts.front if parts else ""


def markdown_block(body: str) -> Block:
    """The only block of a page that is a `.md`."""
    return Block(order=1, zone="main", component="markdown", props={"body": body}, line=1)


def read_pages(
    collector: ProblemCollector, files: Iterable[Path], memory: PageMemory | None = None
) -> list[Page]:
    """The pages of all files of a folder; what is wrong with them is collected."""
    listed = list(files)
    tables = [file for file in listed if file.suffix == ".toml"]
    found = _of_tables(collector, tables, memory)
    pages = [page for page in found if page is not None]
    named = _named(collector, pages)
    for file in listed:
        if file.suffix == ".md" and file not in named:
            # Where a page can't be read, it may be the one that names the file.
            page = _markdown_page(collector, file, is_page=None not in found)
            pages += [page] if page else []
    return pages


def _of_tables(
    collector: ProblemCollector, files: Sequence[Path], memory: PageMemory | None
) -> list[Page | None]:
    """The pages of TOML files, in their order; None for one that can't be read."""
    read = {file: collector.read_text(file) for file in files}
    texts = {file: text for file, text in read.items() if text is not None}
    known = memory.find(texts) if memory else {}
    tables = {
        file: parse_toml(collector, file, text) for file, text in texts.items() if file not in known
    }
    made: dict[Path, Page] = {}
    for file, table in tables.items():
        before = len(collector.problems)
        if table is not None:
            made[file] = page_of(table)
            if memory and len(collector.problems) == before:
                memory.keep(file, texts[file], made[file])
    return [known.get(file) or made.get(file) for file in files]


def page_of(table: Table) -> Page:
    """The row that a page's TOML describes; what is wrong with it is collected."""
    row = replace(_page(table), blocks=_blocks(table))
    table.finish()
    return row


def _markdown_page(collector: ProblemCollector, file: Path, *, is_page: bool) -> Page | None:
    text = collector.read_text(file)
    parts = None if text is None else markdown_file(text)
    if text is None or parts is None:
        if is_page and text is not None:
            what = "is no page, since it has no front matter, and no page names it"
            collector.add(file, what, _REMEDY, line=1)
        return None
    table = parse_toml(collector, file, front_matter(file, text))
    if table is None:
        return None
    line = 1 + text.count("\n", 0, len(text) - len(parts.body))
    block = replace(markdown_block(parts.body), texts={"body": TextPlace(file, line)})
    row = replace(_page(table), blocks=(block,))
    table.finish()
    return row


def _named(collector: ProblemCollector, pages: Iterable[Page]) -> set[Path]:
    """The files that pages name; two blocks can't name one."""
    named: dict[Path, Page] = {}
    for page in pages:
        for block in page.blocks:
            for place in block.texts.values():
                first = named.setdefault(place.file, page)
                if first is not page:
                    what = f"names {place.file.name}, and so does {first.file.name}"
                    collector.add(page.file, what, "copy the file", line=block.line)
    return set(named)


def _page(table: Table) -> Page:
    metadata = table.json_object("metadata")
    # A frame lends its blocks to pages: it has no place and no layout of its own. Where a 404 page
    # stands is its app's to say.
    is_frame = _says(table, metadata, "frame")
    has_route = not _says(table, metadata, "not_found") and not is_frame
    return Page(
        key=key_of(table, table.file.stem),
        name=table.string("name", required=True, most=255) or "",
        app=table.string("app", required=True, most=50) or "",
        route=table.string("route", required=has_route, most=255) or "",
        layout=table.string("layout", required=not is_frame, most=50) or "",
        title=table.string("title", most=255),
        description=table.string("description"),
        status=_status(table),
        version=or_default(table.integer("version"), 1),
        published_at=table.moment("published_at"),
        created_by=table.integer("created_by"),
        metadata=metadata,
        file=table.file,
    )


def _says(table: Table, metadata: JsonObject, name: str) -> bool:
    """Whether metadata says so. What is neither true nor false is a mistake and counts as said, so
    that what such a page does not have is not missed besides.
    """
    stated = metadata.get(name)
    if stated is None or isinstance(stated, bool):
        return stated is True
    what = f"has a `{name}` that is neither true nor false"
    table.report("metadata", what, f"write {name} = true or {name} = false", inside=name)
    return True


def _blocks(page: Table) -> tuple[Block, ...]:
    blocks: list[Block] = []
    seen: dict[int, int | None] = {}
    named: set[str] = set()
    for table in page.tables("blocks"):
        order = table.integer("order", required=True) or 0
        if order in seen:
            what = f"{order} is taken by the block on line {seen[order]}"
            table.report("order", what, "give each block of a page its own order")
        seen[order] = table.line
        zone = table.string("zone", required=True, most=50) or ""
        component = table.string("component", required=True, most=255) or ""
        texts = _texts(table, named)
        props = table.json_object("props")
        for name in props.keys() & texts.keys():
            table.report("files", f"has {name}, which props has, too", "keep one of the two")
        read = {name: table.collector.read_text(place.file) for name, place in texts.items()}
        blocks.append(
            Block(
                order=order,
                zone=zone,
                component=component,
                props={**props, **{name: text or "" for name, text in read.items()}},
                conditions=table.json_object("conditions"),
                line=table.line,
                texts=texts,
            )
        )
        table.finish()
    return tuple(sorted(blocks, key=lambda block: block.order))


def _texts(block: Table, named: set[str]) -> Mapping[str, TextPlace]:
    """The files of a block's props; `named` are those of the blocks before it."""
    texts: dict[str, TextPlace] = {}
    for name, file in block.texts("files").items():
        if not is_text_name(file) or "\0" in name:
            what = f"names {printable(file)} for {printable(name)}"
            block.report("files", what, "name a .md file beside the page's, such as about.md")
        elif file in named:
            block.report("files", f"names {file} a second time", "copy the file")
        else:
            named.add(file)
            texts[name] = TextPlace(block.file.parent / file, 1)
    return texts


def key_of(table: Table, stem: str) -> str:
    """The row's key: as the file states it, or else the name of the file or folder."""
    stated = table.string("key", most=255)
    if stated is None and len(stem) > 255:
        table.report("key", "is longer than 255 characters")
    return stem if stated is None else stated


def _status(table: Table) -> str:
    value = table.string("status")
    if value is not None and value not in STATUSES:
        table.report("status", f"is {value!r}", f"write one of {', '.join(STATUSES)}")
    return value or "published"


def or_default(value: Value | None, default: Value) -> Value:
    """The value, or what stands for none."""
    return default if value is None else value
