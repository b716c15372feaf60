"""What of a props schema checks nothing is warned of, with what to write."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from robbieblocks.assemble.props.preparing import CompiledSchema, compile_schema
from robbieblocks.assemble.props.schema_doubts import doubts_of_schema
from tests.counting import lines_executed

PARTS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "string", "minlength": 3}, "minlength", "did you mean minLength?"),
    ({"type": "string", "maxLenght": 3}, "maxLenght", "did you mean maxLength?"),
    ({"type": "string", "patern": "a"}, "patern", "did you mean pattern?"),
    ({"type": "string", "enums": ["a"]}, "enums", "did you mean enum?"),
    ({"type": "string", "defualt": "a"}, "defualt", "did you mean default?"),
    ({"type": "string", "nullable": True}, "nullable", '["string", "null"]'),
    ({"type": "string", "options": ["a"]}, "options", '"enum": ['),
    ({"type": "object", "propertes": {"a": {}}}, "propertes", "properties"),
    ({"title": "A", "count": "number"}, "count", '"properties": {'),
    ({"type": "object", "names": "string[]"}, "names", '"properties": {'),
    ({"type": "object", "a": "PropTypes.string"}, "a", '"properties": {'),
    ({"type": "string", "pattern": "/^a$/i"}, "pattern", "without /"),
    ({"prefixItems": [{}], "additionalItems": False}, "additionalItems", "prefixItems"),
    ({"type": "number", "min": 1}, "min", "minimum"),
    ({"ref": "#/$defs/a", "type": "string"}, "ref", "did you mean $ref?"),
    ({"type": "string", "format": "url"}, "format", "write uri"),
    ({"type": "string", "format": "markdwn"}, "format", "did you mean markdown?"),
    ({"type": "string", "format": "image"}, "format", "write media"),
    ({"type": "string", "format": "Date"}, "format", "did you mean date?"),
]
OWN: list[dict[str, Any]] = [
    {"type": "string", "x-order": 1, "ui:widget": "textarea", "label": "A", "group": "B"},
    {"type": "string", "format": "color", "placeholder": "#fff"},
    {"type": "string", "example": "a", "multiple": False},
    {"enum": [{"minlength": 1}], "default": {"minlength": 1}},
    {"type": "object", "properties": {"minlength": {}, "options": {}, "format": {}}},
    {"$defs": {"nullable": {}}, "type": "string"},
    {"$defs": {"b": {"type": "string"}}, "type": "object", "dependencies": {"a": ["b"]}},
    {"$anchor": "here", "properties": {"x": {"$ref": "#here"}, "y": {"$ref": "#"}}},
    {"type": "string", "pattern": "/a", "label": "string of beads"},
]


def doubts(schema: Any) -> list[tuple[str, str, str]]:
    made = compile_schema(schema)
    assert isinstance(made, CompiledSchema), made
    return [(each.pointer, each.what, each.remedy) for each in made.doubts]


@pytest.mark.parametrize(("part", "at", "remedy"), PARTS)
def test_what_checks_nothing(part: dict[str, Any], at: str, remedy: str) -> None:
    """A keyword or format of others is named at its place, in each form of schema."""
    ((pointer, what, said),) = doubts({"a": part})
    assert pointer == f"/a/{at}"
    assert "nothing" in what or "slashes" in what
    assert remedy in said
    items = {"type": "array", "items": part}
    assert doubts({"type": "object", "properties": {"a": items}})[0][0] == (
        f"/properties/a/items/{at}"
    )


def test_a_word_that_is_almost_properties_is_told_of() -> None:
    """Of the whole schema, too: it would let all props through."""
    ((pointer, _, remedy),) = doubts({"type": "object", "propertes": {"a": {"x": 1}}})
    assert (pointer, remedy) == ("/propertes", "did you mean properties?")


def test_a_prop_named_key_never_arrives() -> None:
    """React keeps it, whatever form the schema has."""
    ((pointer, what, _),) = doubts({"key": {"type": "string"}, "a": {"type": "string"}})
    assert pointer == "/key"
    assert "React keeps it" in what


@pytest.mark.parametrize(
    ("schema", "at", "remedy"),
    [
        ({"a": {"type": "int"}}, "/a/type", "write integer"),
        ({"a": {"type": "String"}}, "/a/type", "write string"),
        ({"a": {"type": "date"}}, "/a/type", '"format": "date"'),
        ({"a": {"type": "ReactNode"}}, "/a/type", "format markdown"),
        ({"a": {"type": "string", "minLength": "3"}}, "/a/minLength", "without quotes"),
        ({"title": {"type": "string"}, "required": ["title"]}, "/title", 'under "properties"'),
        ({"props": {"title": {"type": "string"}}}, "/props/title", 'under "properties"'),
        ({"a": {"$ref": "#/components/schemas/A"}}, "/a/$ref", '"$defs"'),
        ({"a": {"$ref": "#nowhere"}}, "/a/$ref", '"$defs"'),
    ],
)
def test_what_is_no_schema_has_a_remedy(schema: dict[str, Any], at: str, remedy: str) -> None:
    """What types and schemas are elsewhere is told of at its place."""
    made = compile_schema(schema)
    assert isinstance(made, tuple)
    assert made[0].pointer == at
    assert remedy in made[0].remedy


@pytest.mark.parametrize("part", OWN)
def test_what_is_somebodys_own(part: dict[str, Any]) -> None:
    """What other programs make of a schema, and names of properties, are not judged."""
    assert doubts({"a": part}) == []


def test_of_very_many_the_first_are_told() -> None:
    """Each name is looked up once, and of others' own words a hundred at most."""

    def work(count: int) -> int:
        schema: Any = {"properties": {f"p{n}": {f"own-{n}": 1} for n in range(count)}}
        return lines_executed(partial(doubts_of_schema, schema))

    assert work(2000) < 5 * work(500)
    assert len(doubts({f"p{n}": {"minlength": 1} for n in range(500)})) == 20
