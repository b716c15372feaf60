"""Where the files of a content folder say what a problem concerns."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks.content.packaged import is_packaged
from robbieblocks.content.reading.folder import CODE_FILES, load_sound
from robbieblocks.content.reading.media_files import toml_of
from robbieblocks.content.reading.page_files import front_matter
from robbieblocks.content.shape import Content, Page
from robbieblocks.errors import Problem
from robbieblocks.file_reading import read_file
from robbieblocks.source_files import key_lines, line_of

# The keys in files of columns that have another name there.
_PAGE_KEYS: Final = {
    "page_route": "route",
    "page_name": "name",
    "app_namespace": "app",
    "layout_template": "layout",
    "meta_title": "title",
    "meta_description": "description",
}
# What opens a text of several lines in TOML.
_OPENINGS: Final = ("'''", '"""')
# Where a component's columns lie beside its component.toml; the code in one of CODE_FILES.
_COMPONENT_FILES: Final = {
    "react_code": "",
    "css_styles": "component.css",
    "props_schema": "props.schema.json",
}


class FilePlace(NamedTuple):
    """A line of a file, and the column where it is known. Both count from 1."""

    file: Path
    line: int
    column: int | None = None


class ContentPlaces:
    """Finds rows in the files of a project, which are read when they are first asked for.

    In files with mistakes, which `load` names, nothing is found.
    """

    def __init__(self, content: Path, branding: Path, *templates: Path) -> None:
        self._folder = content
        self._branding = branding
        self._templates = templates
        self._known: dict[Path, dict[tuple[str | int, ...], int]] = {}

    def of(self, problem: Problem) -> FilePlace | None:
        """The file of a problem's row, and the line; None where no file has the row.

        A file or folder that can't be looked at has none.
        """
        with suppress(OSError):
            return self._of(problem)
        return None

    def _of(self, problem: Problem) -> FilePlace | None:
        if problem.page and problem.block is not None and problem.field not in _COMPONENT_FILES:
            return self._page(problem.page, problem)
        match problem.entity:
            case "page":
                return self._page(problem.key, problem)
            case "component":
                return self._component(problem)
            case "style_token":
                return self._token(problem.key)
            case "node_branding":
                return self._node(problem)
            case "media":
                return self._media(problem)
            case "template":
                return self._template(problem)
            case "file":
                # As `load` names it.
                file = self._folder.parent / problem.key
                return FilePlace(file, problem.line or 1, problem.column)
            case _:
                return None

    @cached_property
    def _content(self) -> Content:
        found, _ = load_sound(self._folder, self._branding)
        return found

    @cached_property
    def _pages(self) -> dict[str, Page]:
        return {row.key: row for row in self._content.pages}

    def _page(self, key: str, problem: Problem) -> FilePlace | None:
        row = self._pages.get(key)
        if row is None:
            return None
        block = next((each for each in row.blocks if each.order == problem.block), None)
        steps = _steps(problem.pointer) if problem.field == "props" else ()
        text = block.texts.get(str(steps[0])) if block and steps else None
        if text is not None:
            return FilePlace(text.file, text.line + (problem.line or 1) - 1, problem.column)
        if block is None or block.line is None:
            name = _PAGE_KEYS.get(problem.field, problem.field)
            line = self._line(row.file, (name, *_steps(problem.pointer)))
            return FilePlace(row.file, line or 1)
        lines = self._lines(row.file)
        index = next((place for place, line in lines.items() if line == block.line), ())
        path = (*index, problem.field, *_steps(problem.pointer))
        return self._in_value(row.file, line_of(lines, path) or block.line, problem)

    def _component(self, problem: Problem) -> FilePlace | None:
        row = next((row for row in self._content.components if row.key == problem.key), None)
        if row is None or is_packaged(row):
            return None
        folder = row.file.parent
        code = next((name for name in CODE_FILES if (folder / name).is_file()), CODE_FILES[0])
        file = folder / (_COMPONENT_FILES.get(problem.field, row.file.name) or code)
        if not file.is_file():
            return FilePlace(row.file, 1)
        return FilePlace(file, problem.line or 1, problem.column)

    def _token(self, key: str) -> FilePlace | None:
        file = self._folder / "tokens.toml"
        line = self._line(file, (key,))
        return None if line is None else FilePlace(file, line)

    def _node(self, problem: Problem) -> FilePlace | None:
        file = self._content.node_files.get(problem.key)
        if file is None:
            return None
        field = "tokens" if problem.field == "style_overrides" else problem.field
        line = self._line(file, (field, *_steps(problem.pointer))) or 1
        return self._in_value(file, line, problem)

    def _media(self, problem: Problem) -> FilePlace | None:
        row = next((row for row in self._content.media if row.key == problem.key), None)
        if row is None:
            return None
        toml = toml_of(row.file)
        line = self._line(toml, (problem.field,)) if problem.field and toml.is_file() else None
        return FilePlace(toml, line) if line else FilePlace(row.file, 1)

    def _in_value(self, file: Path, line: int, problem: Problem) -> FilePlace:
        """The place of a problem in the value of the key on a line."""
        if problem.line is None:
            return FilePlace(file, line)
        # A text of several lines begins below its key.
        key = self._text(file).split("\n")[line - 1].rstrip()
        return FilePlace(file, line + problem.line - (not key.endswith(_OPENINGS)))

    def _template(self, problem: Problem) -> FilePlace | None:
        files = (folder / problem.key for folder in self._templates)
        file = next((file for file in files if file.is_file()), None)
        return None if file is None else FilePlace(file, problem.line or 1, problem.column)

    def _line(self, file: Path, path: tuple[str | int, ...]) -> int | None:
        return line_of(self._lines(file), path)

    def _lines(self, file: Path) -> dict[tuple[str | int, ...], int]:
        if file not in self._known:
            self._known[file] = key_lines(front_matter(file, self._text(file)))
        return self._known[file]

    def _text(self, file: Path) -> str:
        try:
            return read_file(file, self._folder, self._branding).decode("utf-8", "replace")
        except OSError:
            return ""


def _steps(pointer: str) -> tuple[str | int, ...]:
    """The parts of a JSON pointer, as `key_lines` has them."""
    parts = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    return tuple(int(part) if re.fullmatch(r"\d+", part) else part for part in parts)
