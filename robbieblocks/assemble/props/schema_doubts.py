"""Finds keywords and formats of a schema that check nothing, since JSON Schema has none such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Final

from robbieblocks.assemble.props.markdown_places import OWN_FORMATS
from robbieblocks.assemble.props.schema import KEYWORDS, Schema, parts
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.messages import json_pointer, printable

_LIKENESS: Final = 0.8
# Finding what is like a name takes time, and no schema has more names of its own.
_MAX_NAMES: Final = 100
_PREFIX_ITEMS: Final = "write prefixItems for the places, and items for those behind them"
_LENGTHS: Final = "write minLength and maxLength, or minItems and maxItems for lists"
# What means something in other drafts, in OpenAPI, or to who makes forms of a schema.
_INSTEAD: Final = {
    "additionalItems": _PREFIX_ITEMS,
    "$recursiveRef": 'write "$ref": "#"',
    "$recursiveAnchor": 'leave it out, and write "$ref": "#"',
    "nullable": 'write "type": ["string", "null"]',
    "optional": "leave it out: what `required` does not name is optional",
    "min": "write minimum, minLength or minItems",
    "max": "write maximum, maxLength or maxItems",
    "length": _LENGTHS,
    "regex": "write pattern",
    **dict.fromkeys(("options", "values", "choices", "oneof"), 'write "enum": ["small", "large"]'),
    **dict.fromkeys(("fields", "props"), 'write "properties": {"title": {"type": "string"}}'),
    # Of earlier drafts and of forms: they check nothing, and nobody thinks that they do.
    **dict.fromkeys(("comment", "example", "id", "multiple"), ""),
}
# What a type is called in TypeScript and in PropTypes.
_KIND: Final = re.compile(
    r"(?:string|number|boolean|integer|object|any|Date|ReactNode)(?:\[\])?\??$|PropTypes\."
)
_PROPERTY: Final = 'write "properties": {"title": {"type": "string"}}'
_LITERAL: Final = re.compile(r"/.+/[a-z]*", re.DOTALL)
_FORMATS: Final = (
    frozenset(
        """
date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference
json-pointer regex relative-json-pointer time uri uri-reference uri-template uuid
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
    )
    | OWN_FORMATS.keys()
)
_FORMAT_INSTEAD: Final = {
    "url": "write uri, or uri-reference for addresses such as /about/",
    "link": "write uri-reference",
    "datetime": "write date-time",
    "ip": "write ipv4",
    **dict.fromkeys(("image", "picture", "photo", "file", "video"), "write media"),
    **dict.fromkeys(("md", "mdx"), "write markdown"),
    **dict.fromkeys(("richtext", "rich-text", "wysiwyg"), "write markdown, or html"),
}


def doubts_of_schema(schema: Schema) -> tuple[ValueProblem, ...]:
    """The first keywords and formats that are passed over, and that are meant to check something.

    Others' own keywords, such as `x-order` or `ui:widget`, are theirs.
    """
    return tuple(islice(_doubts(schema), MAX_PROBLEMS))


def _doubts(root: Schema) -> Iterator[ValueProblem]:
    # What was looked up already, for keywords and for formats.
    meant: tuple[dict[str, str], dict[str, str]] = ({}, {})
    if "key" in _named(root):
        what = "no component gets a prop named key: React keeps it to itself"
        yield ValueProblem("/properties/key", what, "give the prop another name")
    waiting = [("", root)]
    while waiting:
        at, schema = waiting.pop()
        waiting += [(at + step, part) for step, part in parts(schema)]
        yield from _keywords(at, schema, meant[0])
        yield from _texts(at, schema, meant[1])


def _keywords(at: str, schema: Schema, meant: dict[str, str]) -> Iterator[ValueProblem]:
    for key, value in schema.items():
        if key in KEYWORDS:
            continue
        if isinstance(value, str) and _KIND.match(value):
            what = f"{printable(key)} stands where keywords do: it checks nothing"
            yield ValueProblem(at + json_pointer(key), what, _PROPERTY)
            continue
        if key not in meant and len(meant) < _MAX_NAMES:
            meant[key] = _meant(key)
        if remedy := meant.get(key):
            what = f"JSON Schema 2020-12 has no {printable(key)}: it checks nothing"
            yield ValueProblem(at + json_pointer(key), what, remedy)


def _texts(at: str, schema: Schema, meant: dict[str, str]) -> Iterator[ValueProblem]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and _LITERAL.fullmatch(pattern):
        what = "the pattern stands between slashes, which a text would have to have"
        yield ValueProblem(at + "/pattern", what, "write it without / at both ends")
    said = schema.get("format")
    if not isinstance(said, str) or said in _FORMATS:
        return
    if said not in meant and len(meant) < _MAX_NAMES:
        meant[said] = _meant_format(said)
    if remedy := meant.get(said):
        what = f"no format is named {printable(said)}: it checks nothing"
        yield ValueProblem(at + "/format", what, remedy)


def _named(schema: Schema) -> Schema:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _meant(key: str) -> str:
    """What to write for a keyword that there is not; "" where it may be somebody's own."""
    if key in _INSTEAD:
        return _INSTEAD[key]
    near = get_close_matches(key[:40], KEYWORDS, n=1, cutoff=_LIKENESS)
    return f"did you mean {near[0]}?" if near else ""


def _meant_format(name: str) -> str:
    if name.lower() in _FORMAT_INSTEAD:
        return _FORMAT_INSTEAD[name.lower()]
    near = get_close_matches(name[:40].lower(), _FORMATS, n=1, cutoff=_LIKENESS)
    return f"did you mean {near[0]}?" if near else ""
