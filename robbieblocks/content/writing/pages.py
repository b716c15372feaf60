"""The files that hold a page: its TOML, or a `.md`, and the texts of its blocks that have files."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from robbieblocks.content.reading.page_files import (
    MarkdownFile,
    is_text_name,
    markdown_block,
    markdown_file,
)
from robbieblocks.content.shape import Block, Page
from robbieblocks.content.writing.folder_files import FolderFiles
from robbieblocks.content.writing.rows import (
    Tables,
    Values,
    amended,
    json_values,
    key_values,
    unless,
)
from robbieblocks.source_files import ProblemCollector, parse_toml

# The name of the file that holds a prop of a block, by the block's order and the prop.
Named = Mapping[tuple[int, str], str]

_NONE: Final[Named] = {}


class PageFiles:
    """Writes pages into a folder, each in the form of the file that is there.

    What is new is a `.md` where it is only Markdown. `texts` are the files that blocks name.
    Methods raise OSError.
    """

    def __init__(self, target: FolderFiles) -> None:
        self._target = target
        self._folder = target.content / "pages"
        self._named: dict[str, dict[tuple[int, str], str]] = {}
        self.texts: set[Path] = set()
        for file in sorted(self._folder.glob("[!.]*.toml")):
            named = _named(self._text(file))
            # Two pages can't share a file, since each says what is in it.
            free = {at: name for at, name in named.items() if self._folder / name not in self.texts}
            self._named[file.stem] = free
            self.texts.update(self._folder / name for name in free.values())

    def file(self, name: str) -> Path:
        """The file that holds the page of this name, or is to hold it."""
        toml, markdown = self._folder / f"{name}.toml", self._folder / f"{name}.md"
        is_there = os.path.lexists(markdown) and markdown not in self.texts
        return markdown if is_there and not os.path.lexists(toml) else toml

    def write(self, row: Page, name: str) -> None:
        """Write a page into the file of this name, without its suffix."""
        toml, markdown = self._folder / f"{name}.toml", self._folder / f"{name}.md"
        # Beside a page's TOML a `.md` of its name is no file of this page.
        is_own = markdown not in self.texts and not os.path.lexists(toml)
        if is_own:
            text = page_markdown(row, name, self._target.text(markdown))
            if text is not None:
                self._target.put(markdown, text)
                return
        held = {(block.order, prop): text for block in row.blocks for prop, text in _strings(block)}
        named = self._named.get(name, {})
        kept = {place: file for place, file in named.items() if place in held}
        for place, file in kept.items():
            self._target.put(self._folder / file, held[place])
        self._target.put(toml, page_toml(row, name, self._target.text(toml), kept))
        gone = set(named.values()) - set(kept.values())
        if is_own and markdown_file(self._text(markdown)):
            gone.add(markdown.name)
        for file in sorted(gone):
            if os.path.lexists(self._folder / file):
                self._target.remove(self._folder / file)

    def _text(self, file: Path) -> str:
        try:
            return self._target.text(file)
        except OSError:
            return ""  # Who writes to it says what is wrong.

    def spare(self, name: str) -> None:
        """Leave the files of a page as they are."""
        files = {f"{name}.toml", f"{name}.md", *self._named.get(name, {}).values()}
        self._target.spared.update(self._folder / file for file in files)


def page_toml(row: Page, name: str, existing: str = "", named: Named = _NONE) -> str:
    """`pages/<name>.toml` of a page with its blocks; `named` are texts that files hold."""
    blocks = Tables(_block(block, named) for block in row.blocks)
    return amended(existing, {**_values(row, name), **unless("blocks", blocks, [])})


def page_markdown(row: Page, name: str, existing: str = "") -> str | None:
    """`pages/<name>.md` of a page; None where such a file can't hold it."""
    body = row.blocks[0].props.get("body") if len(row.blocks) == 1 else None
    if not isinstance(body, str) or row.blocks[0] != markdown_block(body):
        return None
    opening, front, closing, _ = markdown_file(existing) or ("+++\n", "", "+++\n", "")
    values = _values(row, name)
    front = amended(front, values)
    if body and not closing.endswith("\n"):
        closing += "\n"
    parts = MarkdownFile(opening, front, closing, body)
    # A text in the front matter may look like its end.
    is_sound = markdown_file("".join(parts)) == parts and tomllib.loads(front) == values
    return "".join(parts) if is_sound else None


def _values(row: Page, name: str) -> Values:
    # A frame needs neither route nor layout, a 404 page no route.
    no_layout = "" if row.metadata.get("frame") is True else None
    no_route = "" if row.metadata.get("not_found") is True else no_layout
    return {
        **key_values(row.key, name),
        "name": row.name,
        "app": row.app,
        **unless("route", row.route, no_route),
        **unless("layout", row.layout, no_layout),
        **unless("title", row.title, None),
        **unless("description", row.description, None),
        **unless("status", row.status, "published"),
        **unless("version", row.version, 1),
        **unless("published_at", row.published_at, None),
        **unless("created_by", row.created_by, None),
        **json_values("metadata", row.metadata),
    }


def _block(block: Block, named: Named) -> Values:
    files = {prop: named[block.order, prop] for prop in block.props if (block.order, prop) in named}
    props = {prop: value for prop, value in block.props.items() if prop not in files}
    return {
        "order": block.order,
        "zone": block.zone,
        "component": block.component,
        **unless("files", files, {}),
        **json_values("props", props),
        **json_values("conditions", block.conditions),
    }


def _strings(block: Block) -> list[tuple[str, str]]:
    return [(prop, value) for prop, value in block.props.items() if isinstance(value, str)]


def _named(text: str) -> dict[tuple[int, str], str]:
    """What the blocks of a page's TOML name; nothing where it is none."""
    # Most pages name none, and reading TOML takes its time.
    table = parse_toml(ProblemCollector(Path(), ()), Path(), text) if "files" in text else None
    found: dict[tuple[int, str], str] = {}
    for block in table.tables("blocks") if table else ():
        order = block.integer("order") or 0
        for prop, file in block.texts("files").items():
            if is_text_name(file) and file not in found.values():
                found[order, prop] = file
    return found
