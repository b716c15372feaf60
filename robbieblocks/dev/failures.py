"""What fails in a browser, as a problem of the row whose code failed.

A frame of the error's stack names the file of a component, which names its source map.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from robbieblocks.bundle import named_map
from robbieblocks.errors import Problem
from robbieblocks.model import ASSET_PREFIX, JsonObject, component_specifier
from robbieblocks.prerender import readable_message, remedy_of
from robbieblocks.source_maps import Position, locate, source_of

# As all browsers write it: the address of a file, line and column.
_FRAME: Final = re.compile(
    re.escape(ASSET_PREFIX) + r"([a-z0-9-]{1,80}\.js):([0-9]{1,7}):([0-9]{1,9})"
)
# The compiled name in messages: `t is not a function`, `Cannot access 't' before initialization`.
_NAME: Final = re.compile(r"(?:^|')([A-Za-z_$][\w$]*)(?=['.(\[ ])")
_WIDE: Final = re.compile("[\U00010000-\U0010ffff]")
_MAX_FRAMES: Final = 50
_MAX_SAID: Final = 1000
_HOW: Final = {
    "error": "it failed in the browser",
    "rejection": "a promise failed in the browser, and nothing handles it",
}


class _Frame(NamedTuple):
    """A place in a component's module, from 1, and where it is in the stored code."""

    key: str
    module: str
    source_map: str
    line: int
    position: Position | None
    column: int = 0


class Failures:
    """Finds rows by the modules of a site; `asset` reads a file by its name, or has no such file.

    Nothing that is sent is believed: it is text that is searched and shown.
    """

    def __init__(self, asset: Callable[[str], bytes]) -> None:
        self._asset = asset
        self._said: set[str] = set()
        self._version = ""

    def problem(self, sent: JsonObject) -> Problem | None:
        """The problem of what a browser sent; None where no component is part of it.

        It has `kind` (error or rejection), `name`, `message` and `stack` of the error, and
        `component`, the specifier or file of the block's component, "" where that is not known.
        """
        kind, name, message, stack, component = (
            str(sent.get(each) or "") for each in ("kind", "name", "message", "stack", "component")
        )
        frame = next(self._frames(stack), None)
        key = frame.key if frame else self._key(component)
        if not key:
            return None
        if frame is not None:
            message = _with_stored_name(message, frame)
        message = readable_message(message)
        what = f"{name}: {message}" if name not in ("", "Error") else message
        position = frame.position if frame else None
        return Problem(
            entity="component",
            key=key,
            field="react_code",
            what=f"{_HOW.get(kind, _HOW['error'])}: {what or 'an error without a message'}",
            remedy=remedy_of(message),
            line=position.line if position else None,
            column=position.column if position else None,
            source=position.text if position else "",
        )

    def is_new(self, problem: Problem, version: str) -> bool:
        """Whether it was not asked for this problem in this version of the site."""
        if version != self._version or len(self._said) > _MAX_SAID:
            self._said, self._version = set(), version
        text = str(problem)
        new = text not in self._said
        self._said.add(text)
        return new

    def _frames(self, stack: str) -> Iterator[_Frame]:
        """The frames of components, innermost first."""
        found = list(_FRAME.finditer(stack))
        for name, line, column in (each.groups() for each in found[:_MAX_FRAMES]):
            module, source_map = self._module(name)
            if source_map:
                at = int(line), int(column)
                position = locate(source_map, *at)
                yield _Frame(_key_of(source_map), module, source_map, at[0], position, at[1])

    def _key(self, component: str) -> str:
        """The key of a component by its specifier or by its module's file; "" for neither."""
        if component.startswith(ASSET_PREFIX):
            return _key_of(self._module(component.removeprefix(ASSET_PREFIX))[1])
        prefix = component_specifier("")
        return component.removeprefix(prefix) if component.startswith(prefix) else ""

    def _module(self, name: str) -> tuple[str, str]:
        """A module's text, and its source map; "" for each that is not there."""
        try:
            content = self._asset(name)
            named = named_map(content)
            source_map = self._asset(named) if named else b""
        except FileNotFoundError:
            return "", ""
        return content.decode("utf-8", "replace"), source_map.decode("utf-8", "replace")


def _key_of(source_map: str) -> str:
    return unquote(source_of(source_map)).removesuffix(".tsx")


def _in_columns(text: str) -> str:
    """The text with a character for each column: browsers and source maps count in UTF-16."""
    return _WIDE.sub("  ", text)


def _with_stored_name(message: str, frame: _Frame) -> str:
    """The message with the name of the stored code, where it has one of the compiled code."""
    named = _NAME.search(message)
    lines = _in_columns(frame.module).split("\n")
    if named is None or frame.line > len(lines):
        return message
    name = named[1]
    before = lines[frame.line - 1][: frame.column - 1 + len(name)]
    places = list(re.finditer(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", before))
    position = locate(frame.source_map, frame.line, places[-1].start() + 1) if places else None
    if position is None:
        return message
    if not _in_columns(position.text)[position.column - 1 :].startswith(position.name):
        return message
    stored = position.name or name
    return message[: named.start(1)] + stored + message[named.end(1) :]
