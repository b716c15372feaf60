"""The tokens of a design token file as rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.brand import token_key_problem, token_order, token_value_problem
from robbieblocks.content.design_tokens.categories import category_of
from robbieblocks.content.design_tokens.css_values import Values
from robbieblocks.content.design_tokens.json_values import Unusable, shown
from robbieblocks.content.design_tokens.references import References, value_of
from robbieblocks.content.design_tokens.tree import Entry, Tree
from robbieblocks.content.shape import Token
from robbieblocks.css_text import named_tokens, with_tokens
from robbieblocks.errors import ContentError, Problem
from robbieblocks.messages import printable
from robbieblocks.model import NODE_KEYS, Json, JsonObject, kept_for
from robbieblocks.names import KEY_LENGTH
from robbieblocks.row_faults import blame
from robbieblocks.source_files import Place, ProblemCollector, json_lines, line_of

EXTENSION: Final = "robbieblocks"
# A typography token is one row for each part, since CSS has no one value for all of them.
_PARTS: Final = {
    "fontFamily": "fontFamily",
    "fontSize": "dimension",
    "fontWeight": "fontWeight",
    "lineHeight": "number",
    "letterSpacing": "dimension",
}
_EARLIER_PARTS: Final = {
    "fontFamily": "fontFamilies",
    "fontSize": "length",
    "fontWeight": "fontWeights",
    "letterSpacing": "length",
}
_NOT_IN_KEYS: Final = re.compile(r"[^A-Za-z0-9_-]+")
_JOINTS: Final = re.compile(r"([_-])[_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignTokens:
    """A file's tokens as rows, sorted by key.

    `problems` name what no row can hold, which is left out (errors), and what rows have no column
    for (warnings, each kind once).
    """

    tokens: tuple[Token, ...]
    problems: tuple[Problem, ...]


def read_design_tokens(file: Path, known: Mapping[str, str]) -> DesignTokens:
    """The tokens of a file; they may name the `known` ones, which have a category by key.

    Raises ContentError where the file can't be read, or is no object of JSON.
    """
    collector = ProblemCollector(file.parent, (file.parent,))
    text = collector.read_text(file)
    document = None if text is None else collector.parse_json(file, text)
    if text is None or not isinstance(document, dict):
        if not collector.problems:
            collector.add(file, "is no JSON object", 'write {"group": {"token": {"$value": …}}}')
        raise ContentError(collector.problems)
    return _Reader(collector, file, text, document, known).read()


class _Reader:
    """Reads one file."""

    def __init__(
        self,
        collector: ProblemCollector,
        file: Path,
        text: str,
        document: JsonObject,
        known: Mapping[str, str],
    ) -> None:
        self._collector, self._file = collector, file
        self._document, self._known = document, known
        self._lines, twice = json_lines(text)
        # How often each thing can't be kept, and of the first time where and which.
        self._notes: Counter[str] = Counter()
        self._first: dict[str, tuple[Place, str]] = {}
        for place in sorted(twice, key=self._lines.__getitem__):
            if any(place[:end] in twice for end in range(1, len(place))):
                continue
            self._report(place, "it comes twice in one object", "keep one of them")
        self._tree = Tree(document, self._report, self._note)
        self._references = References(self._tree, known)
        self._values = Values(self._references)
        self._found: dict[str, Token] = {}
        self._entries: dict[str, Entry] = {}

    def read(self) -> DesignTokens:
        """Everything that the file says."""
        taken: dict[str, None] = {}
        for name, entry in self._tree.entries.items():
            key = self._key(entry)
            if key in taken:
                self._report(entry.place, f"it is {key}, as another token is", "rename one of them")
            elif key is not None:
                taken[key] = None
                self._references.keys[name] = key
        for name in self._references.keys:
            entry = self._tree.entries[name]
            with blame(self._collector.problems.append, "file", self._file.name, name):
                try:
                    self._take(list(self._rows(name, entry)), entry)
                except Unusable as error:
                    self._report(entry.place, f"it {error.what}", error.remedy)
        kept = list(self._kept())
        self._leave_out(kept)
        for token in kept:
            self._found.setdefault(token.key, token)
        tokens = sorted(self._found.values(), key=lambda each: each.key)
        problems = (*self._collector.problems, *self._told())
        return DesignTokens(tokens=tuple(tokens), problems=problems)

    def _take(self, rows: list[Token], entry: Entry) -> None:
        for row in rows:
            if row.key in self._found:
                raise Unusable(f"has {row.key}, as another token has", "rename one of them")
            self._found[row.key] = row
            self._entries[row.key] = entry

    def _leave_out(self, kept: list[Token]) -> None:
        """Leave out tokens in a circle, and those that name what has been left out."""
        named = {key: names for key in self._found if (names := self._names(key))}
        order, circles = token_order(named)
        for circle in circles:
            for key in sorted(circle):
                what = "it names tokens that name each other in a circle"
                self._report(self._entries[key].place, what, "write a value")
                del self._found[key]
        there = {*self._known, *(token.key for token in kept)}
        for key in order:
            missing = next((n for n in named[key] if n not in self._found and n not in there), None)
            if missing is not None:
                what = f"it names {{{missing}}}, which is left out"
                self._report(self._entries[key].place, what, "correct that one")
                del self._found[key]

    def _names(self, key: str) -> tuple[str, ...]:
        return named_tokens(self._found[key].value)

    def _key(self, entry: Entry) -> str | None:
        names = entry.path[:-1] if entry.path[-1] == "$root" else entry.path
        dotted = ".".join(names)
        parts = [_NOT_IN_KEYS.sub("-", part).strip("_-") for part in dotted.split(".")]
        key = _JOINTS.sub(r"\1", ".".join(part for part in parts if part))
        wrong = token_key_problem(key) or (
            f"is kept for {kept_for(key)}" if key in NODE_KEYS else None
        )
        if wrong:
            self._report(entry.place, f"its key {wrong}", "rename it")
            return None
        if key != dotted:
            self._note(entry.place, "its name as it is", f"the key is {key}")
        return key

    def _rows(self, name: str, entry: Entry) -> Iterator[Token]:
        key, node = self._references.keys[name], entry.node
        kind = self._references.type_of(name)
        self._note_what_is_lost(entry)
        description = node.get("$description")
        if description is not None and not isinstance(description, str):
            raise Unusable(f"has the description {shown(description)}", "write a text")
        value = value_of(node)
        if kind == "typography":
            for part, css in self._typography(value):
                own = f"{key}.{part}"
                _check(css)
                yield Token(key=own, category="font", value=css, description=description)
            return
        target = self._references.target(value) if kind is None else None
        if target is not None and target not in self._tree.entries:
            css, category = f"{{{target}}}", self._known[target]
        elif kind is None and not self._tree.is_earlier:
            raise Unusable("has no type", 'add "$type", to it or to a group around it')
        else:
            css, category = self._values.css(kind or "text", value), category_of(kind or "", key)
        own_extension = _own_extension(node)
        if own_extension.get("from") == css and isinstance(
            exported := own_extension.get("css"), str
        ):
            css = exported
        else:
            _check(css)
        if isinstance(exported := own_extension.get("category"), str):
            category = exported[:50]
        yield Token(key=key, category=category, value=css, description=description)

    def _note_what_is_lost(self, entry: Entry) -> None:
        extensions = entry.node.get("$extensions")
        tools = extensions if isinstance(extensions, dict) else {}
        others = [tool for tool in tools if tool != EXTENSION]
        if others:
            more = printable(", ".join(sorted(others)[:5]))
            self._note((*entry.place, "$extensions"), "what other tools add in `$extensions`", more)
        if "$deprecated" in entry.node:
            self._note((*entry.place, "$deprecated"), "`$deprecated` of tokens", "")

    def _typography(self, value: Json) -> Iterator[tuple[str, str]]:
        target = self._references.target(value)
        if target is not None:
            # Each part follows the same part of the token that is named.
            whole = value_of(self._references.end_of(target).node)
            for part, _ in self._typography(whole):
                yield part, f"{{{self._references.keys[target]}.{part}}}"
            return
        value = self._references.followed(value)
        if not isinstance(value, dict):
            raise Unusable(f"is {shown(value)}", "write an object with fontFamily, fontSize, …")
        # Numbers in texts are those of Tokens Studio, which are pixels.
        texts = (each for name, each in value.items() if name != "fontFamily")
        is_earlier = any(isinstance(each, str) and each[:1] != "{" for each in texts)
        kinds = _EARLIER_PARTS if is_earlier else _PARTS
        for name, each in value.items():
            kind = kinds.get(name, "text")
            if kind == "number" and _is_object(self._references.followed(each)):
                kind = "dimension"  # a line height may have a unit in CSS
            part = re.sub("[A-Z]", lambda match: "-" + match[0].lower(), name)
            if token_key_problem(part):
                raise Unusable(f"has the part {printable(name)}", "leave it out")
            yield part, self._values.css(kind, each)

    def _kept(self) -> Iterator[Token]:
        """The rows that the format has no value for, as an export kept them."""
        rows = _own_extension(self._document).get("tokens")
        for key, row in rows.items() if isinstance(rows, dict) else ():
            value = row.get("value") if isinstance(row, dict) else None
            fits = 0 < len(key) <= KEY_LENGTH
            if not isinstance(row, dict) or not isinstance(value, str) or not fits:
                place = ("$extensions", EXTENSION, "tokens", key)
                self._report(place, "it is no row as an export keeps one", "take it out")
                continue
            category, description = row.get("category"), row.get("description")
            yield Token(
                key=key,
                category=(category if isinstance(category, str) else key.split(".")[0])[:50],
                value=value,
                description=description if isinstance(description, str) else None,
            )

    def _report(self, place: Place, what: str, remedy: str) -> None:
        what = f"{printable('.'.join(map(str, place)))}: {what}"
        self._collector.add(self._file, what, remedy, line=line_of(self._lines, place))

    def _note(self, place: Place, what: str, more: str) -> None:
        self._first.setdefault(what, (place, more))
        self._notes[what] += 1

    def _told(self) -> Iterator[Problem]:
        for what, count in self._notes.items():
            place, more = self._first[what]
            text = f"{printable('.'.join(map(str, place)))}: {what} can't be kept"
            text += f" ({more})" if more else ""
            yield Problem(
                entity="file",
                key=self._collector.name_of(self._file),
                what=f"{text}, and {count - 1} more" if count > 1 else text,
                remedy="nothing is to be done where pages don't need it",
                line=line_of(self._lines, place),
                severity="warning",
            )


def _check(css: str) -> None:
    """Raise Unusable where a value is none that a token may have, whatever it names."""
    wrong = token_value_problem(with_tokens(css, defaultdict(lambda: "0")))
    if wrong is not None:
        raise Unusable(f"can't be a token: {wrong.what}", wrong.remedy)


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


def _own_extension(node: JsonObject) -> JsonObject:
    extensions = node.get("$extensions")
    own = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    return own if isinstance(own, dict) else {}
