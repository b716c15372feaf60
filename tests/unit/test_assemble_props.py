"""Props: schemas in both forms, defaults, validation, placeholders."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks import assemble
from robbieblocks.assemble.placeholders import (
    PLACEHOLDER,
    has_placeholder,
    resolved,
    with_fallbacks,
)
from robbieblocks.assemble.props.preparing import Budget, CompiledSchema, ReadyProps, compile_schema
from robbieblocks.assemble.props.schema import References, Schema, normal_form
from robbieblocks.assemble.props.validation_cost import ValidationCost
from robbieblocks.assemble.values import ValueProblem, checked_json
from robbieblocks.model import Json, canonical_json
from tests.counting import lines_executed

PACKAGE = Path(assemble.__file__).parent.parent


@pytest.mark.parametrize("script", ["bundle/runtime/fill.js", "prerender/page/visitor.js"])
def test_the_browsers_scripts_have_the_same_pattern(script: str) -> None:
    """What the build takes for a placeholder, both scripts of the browser take for one."""
    assert f"/{PLACEHOLDER.pattern}/g" in (PACKAGE / script).read_text()


def compiled(schema: Any) -> CompiledSchema:
    made = compile_schema(schema)
    assert isinstance(made, CompiledSchema), made
    return made


def ready(schema: Any, props: Any) -> ReadyProps:
    found = compiled(schema).ready(props)
    assert isinstance(found, ReadyProps), found
    return found


def faults(schema: Any, props: Any) -> tuple[ValueProblem, ...]:
    found = compiled(schema).ready(props)
    assert not isinstance(found, ReadyProps)
    return found


@pytest.mark.parametrize(
    ("stored", "bare"),
    [
        ({}, False),
        ({"title": {"type": "string"}}, True),
        ({"type": {"type": "string"}}, True),
        ({"description": {}, "default": {"type": "string"}}, True),
        ({"items": {"type": "array"}}, True),
        ({"properties": {"type": "array"}}, True),
        ({"required": {"type": "boolean"}, "enum": {"type": "array"}}, True),
        ({"format": {"default": "long"}, "pattern": True}, True),
        ({"properties": {"title": {"type": "string"}}}, False),
        ({"type": "object"}, False),
        ({"title": "My props", "properties": {}}, False),
        ({"required": ["a"]}, False),
        ({"$ref": "#/$defs/a", "$defs": {"a": {}}}, False),
        ({"additionalProperties": False}, False),
        ({"type": ["object", "null"], "items": {"type": "array"}}, False),
    ],
)
def test_a_bare_map_is_told_from_a_schema_by_its_values(stored: Any, bare: bool) -> None:
    """A keyword counts as one only where its value has the keyword's type."""
    form = normal_form(stored)
    assert isinstance(form, tuple)
    assert form[1] is bare


BARE_LINK = {"href": {"type": "string"}, "label": {"type": "string", "default": "More"}}


@pytest.mark.parametrize(
    ("schema", "props", "expected"),
    [
        ({"greeting": {"type": "string", "default": "Hi"}}, {}, {"greeting": "Hi"}),
        ({"greeting": {"default": "Hi"}}, {"greeting": ""}, {"greeting": ""}),
        ({"greeting": {"default": "Hi"}}, None, {"greeting": "Hi"}),
        ({"n": {"default": None}}, {}, {"n": None}),
        (
            {"link": {"properties": BARE_LINK}},
            {"link": {"href": "/"}},
            {"link": {"href": "/", "label": "More"}},
        ),
        ({"link": {"properties": BARE_LINK}}, {}, {"link": {"label": "More"}}),
        ({"link": {"properties": BARE_LINK, "required": ["href"]}}, {}, {}),
        (
            {"link": {"properties": BARE_LINK, "default": {"href": "#"}}},
            {},
            {"link": {"href": "#", "label": "More"}},
        ),
        (
            {"links": {"items": {"properties": BARE_LINK}}},
            {"links": [{"href": "/a"}, {"label": "B"}]},
            {"links": [{"href": "/a", "label": "More"}, {"label": "B"}]},
        ),
        (
            {"by": {"additionalProperties": {"properties": BARE_LINK}}},
            {"by": {"x": {}}},
            {"by": {"x": {"label": "More"}}},
        ),
        (
            {
                "properties": {"link": {"$ref": "#/$defs/link"}},
                "$defs": {"link": {"default": {"a": 1}}},
            },
            {},
            {"link": {"a": 1}},
        ),
        (
            {
                "allOf": [
                    {"properties": {"a": {"default": 1}}},
                    {"properties": {"b": {"default": 2}}},
                ]
            },
            {"b": 3},
            {"a": 1, "b": 3},
        ),
        ({"anyOf": [{"properties": {"a": {"default": 1}}}, {}]}, {}, {}),
        (
            {
                "$ref": "#/$defs/node",
                "$defs": {
                    "node": {
                        "properties": {
                            "open": {"default": False},
                            "children": {"items": {"$ref": "#/$defs/node"}},
                        }
                    }
                },
            },
            {"children": [{"children": [{"open": True}]}]},
            {"open": False, "children": [{"open": False, "children": [{"open": True}]}]},
        ),
        ({"__proto__x": {"default": 1}}, {}, {"__proto__x": 1}),
    ],
)
def test_defaults_are_filled_in(schema: Any, props: Any, expected: Any) -> None:
    """What is missing gets its default, however deep; what is there stays."""
    before = json.dumps(props)
    found = ready(schema, props)
    assert found.value == expected
    assert found.json == canonical_json(expected)
    assert json.dumps(props) == before


def test_a_default_must_fit_its_own_schema() -> None:
    """Defaults are filled in before validation, so a wrong one is seen."""
    assert faults({"n": {"type": "integer", "default": "x"}}, {})[0].pointer == "/n"


@pytest.mark.parametrize(
    ("schema", "props", "pointer", "what"),
    [
        ({"n": {"type": "integer"}}, {"n": "5"}, "/n", '"5" is not of type "integer"'),
        ({"mood": {"enum": ["calm", "playful"]}}, {"mood": "sad"}, "/mood", '"calm" or "playful"'),
        ({"properties": {"a": {}}, "required": ["a"]}, {}, "", '"a" is a required property'),
        (
            {"a": {"items": {"minimum": 1}}},
            {"a": [1, 0]},
            "/a/1",
            "0 is less than the minimum of 1",
        ),
        ({"a/b~c": {"type": "string"}}, {"a/b~c": 1}, "/a~1b~0c", "is not of type"),
        ({"mail": {"format": "email"}}, {"mail": "x"}, "/mail", 'is not a "email"'),
        ({"at": {"format": "date-time"}}, {"at": "soon"}, "/at", 'is not a "date-time"'),
        ({"c": {"pattern": "^#"}}, {"c": "red"}, "/c", "does not match"),
        ({"n": {"minimum": 0}}, {"n": -1}, "/n", "-1 is less than the minimum of 0"),
        ({"n": {"type": "integer"}}, {"n": 10**20 + 0.5}, "", ""),
    ],
)
def test_an_error_has_its_pointer_and_what_was_expected(
    schema: Any, props: Any, pointer: str, what: str
) -> None:
    """A validation error says where in the props, and what the schema expects there."""
    if not what:
        assert ready(schema, props).value == props
        return
    (fault,) = faults(schema, props)
    assert fault.pointer == pointer
    assert what in fault.what


def test_a_mistyped_property_is_recognised() -> None:
    """Where a schema allows nothing else, the nearest property is suggested."""
    schema = {"properties": {"mood": {}, "title": {}}, "additionalProperties": False}
    (fault,) = faults(schema, {"moood": 1})
    assert fault.remedy == "did you mean mood?"


def test_all_errors_of_a_block_come_together() -> None:
    """Validation doesn't stop at the first error, but at twenty."""
    assert len(faults({"a": {"type": "string"}, "b": {"type": "string"}}, {"a": 1, "b": 2})) == 2
    assert len(faults({"a": {"items": {"type": "string"}}}, {"a": [1] * 100})) == 20


def test_a_schema_is_compiled_once() -> None:
    """Equal schemas share one contract."""
    assert compile_schema({"a": {"type": "string"}}) is compile_schema({"a": {"type": "string"}})


def test_equal_props_have_equal_json() -> None:
    """The JSON of props doesn't depend on the order in which they were stored."""
    assert ready({}, {"b": 1, "a": 2}).json == ready({}, {"a": 2, "b": 1}).json == '{"a":2,"b":1}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{name|there}}!", "Hello there!"),
        ("Hello {{name}}!", "Hello !"),
        ("{{ name | dear friend }}", "dear friend"),
        ("{{\tname\t}}", ""),
        ("{{a|1}}{{b|2}}", "12"),
        ("{{a|<b>&\"'}}", "<b>&\"'"),
        ("{{a||}}", "|"),
        ("{{_x9|y}}", "y"),
        ("{{{a|x}}}", "{x}"),
        ("{{9a}}", "{{9a}}"),
        ("{{a.b}}", "{{a.b}}"),
        ("{{}}", "{{}}"),
        ("{{ }}", "{{ }}"),
        ("{{a|{b}}}", "{{a|{b}}}"),
        ("{{a", "{{a"),
        ("{%a%}", "{%a%}"),
        ("{{ä}}", "{{ä}}"),
        ("{{" + "a" * 65 + "}}", "{{" + "a" * 65 + "}}"),
    ],
)
def test_placeholders_show_their_fallback(text: str, expected: str) -> None:
    """A placeholder shows its fallback or nothing; what is no placeholder stays text."""
    assert with_fallbacks(text) == expected
    assert has_placeholder(text) == (text != expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{{{name}}", "{{name}}"),
        ("{{{{name|x}} {{a|1}}", "{{name|x}} 1"),
        ("{{{{", "{{"),
        ("{{|x}}", "{{|x}}"),
    ],
)
def test_four_braces_are_two(text: str, expected: str) -> None:
    """`{{{{` shows two braces, so that a text can show a placeholder; without a name there is none.

    A text without a placeholder costs the browser nothing.
    """
    assert with_fallbacks(text) == expected
    made = ready({}, {"text": text})
    assert made.value == {"text": expected}
    assert (made.fill is not None) == ("{{a" in text)


def test_props_keep_the_template_for_the_browser() -> None:
    """`fill` is what the browser fills; `value` and its JSON are what shows until then."""
    found = ready(
        {"b": {"default": "{{who|you}}"}}, {"a": [{"t": "Hi {{name|there}}"}], "{{k}}": 1}
    )
    assert found.value == {"a": [{"t": "Hi there"}], "b": "you", "{{k}}": 1}
    assert found.json == canonical_json(found.value)
    assert found.fill == {"a": [{"t": "Hi {{name|there}}"}], "b": "{{who|you}}", "{{k}}": 1}


def test_props_without_placeholders_have_nothing_to_fill() -> None:
    """Braces that are no placeholder cause no work in the browser."""
    assert ready({}, {"a": "{{ 7*7 }}"}).fill is None


def test_the_fallback_is_what_is_validated() -> None:
    """The component gets the fallback first, so that must fit the schema."""
    schema = {"name": {"type": "string", "minLength": 1}}
    assert ready(schema, {"name": "{{n|x}}"}).value == {"name": "x"}
    assert faults(schema, {"name": "{{n}}"})[0].pointer == "/name"


_PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_NAMES = _PLAIN.filter(lambda name: name != "__proto__")
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=20,
)
_PROPS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), _JSON)


@given(_PROPS)
def test_good_json_is_never_refused(props: dict[str, Any]) -> None:
    """Props of plain JSON pass the empty schema, and come back from their JSON the same, where
    they have no placeholder and no `{{{{`, which stands for `{{`.
    """
    found = ready({}, props)
    assert json.loads(found.json) == found.value
    if found.fill is None and "{{{{" not in json.dumps(props):
        assert found.value == props


@given(
    st.recursive(
        st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_value_is_written_whole_or_refused(value: Any) -> None:
    """What is written is UTF-8 that reads back as the same value; all else is a fault."""
    text = checked_json(value)
    if isinstance(text, str):
        assert json.loads(text.encode()) == value
    else:
        assert text


@given(_PROPS, _PROPS)
def test_filling_defaults_twice_changes_nothing(
    defaults: dict[str, Any], props: dict[str, Any]
) -> None:
    """Filling is idempotent, keeps what is there, and leaves its input alone."""
    schema = {name: {"default": value} for name, value in defaults.items()}
    made = compiled(schema)
    first = made.ready(props)
    assert isinstance(first, ReadyProps)
    again = made.ready(first.value)
    assert isinstance(again, ReadyProps)
    assert again.value == resolved(first.value)
    assert first.value == resolved({**defaults, **props})


_SMALL_SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "string"},
    {"minimum": 3},
    {"enum": [1, "a"]},
    {"default": 1},
    {"$ref": "#"},
    {"$ref": "#/properties/a"},
    {"pattern": "("},
    {"type": 5},
    {"$ref": "x"},
]
_SCHEMAS = st.recursive(
    st.booleans() | st.sampled_from(_SMALL_SCHEMAS),
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b", "items", "type"]), inner, max_size=3)
        | st.builds(lambda x: {"properties": {"a": x}}, inner)
        | st.builds(lambda x, y: {"allOf": [x, y]}, inner, inner)
        | st.builds(lambda x, y: {"anyOf": [x, y]}, inner, inner)
        | st.builds(lambda x: {"items": x, "additionalProperties": x}, inner)
        | st.builds(lambda x: {"not": x, "default": {}}, inner)
    ),
    max_leaves=12,
)


@given(_SCHEMAS, _PROPS)
def test_any_schema_is_used_or_refused(schema: Any, props: dict[str, Any]) -> None:
    """Whatever stands in `props_schema`, it ends in valid props or in faults."""
    made = compile_schema(schema)
    if isinstance(made, CompiledSchema):
        found = made.ready(props)
        assert isinstance(found, ReadyProps) or found
    else:
        assert made


@given(st.text(alphabet="{}|ab_ 1\t%"))
def test_resolving_leaves_no_placeholder_of_the_text(text: str) -> None:
    """Each placeholder found is replaced once, and the rest of the text is untouched."""
    pieces = PLACEHOLDER.split(text)
    literal = "".join(pieces[::3])
    kept = iter(with_fallbacks(text))
    assert all(character in kept for character in literal)


def _refused(schema: Any, props: Any) -> str:
    found = compiled({"type": "object", "properties": {"x": schema}}).ready({"x": props})
    assert isinstance(found, tuple)
    assert not isinstance(found, ReadyProps)
    (problem,) = found
    return problem.what


@pytest.mark.parametrize(
    ("schema", "props", "says"),
    [
        (
            {"items": {"enum": [{"a": n} for n in range(5_000)]}},
            [{"a": 4_999}] * 50_000,
            "would take too long",
        ),
        ({"items": {"const": [1] * 5_000}}, [[1] * 10] * 20_000, "would take too long"),
        ({"pattern": "[ab]*a[ab]{10000}c"}, "ab" * 200_000, "would take too long"),
        ({"patternProperties": {"a[ab]{9000}c": {}}}, {"a" * 500_000: 1}, "would take too long"),
        (
            {"allOf": [{"uniqueItems": True, "minItems": n} for n in range(500)]},
            [{"a": n} for n in range(50_000)],
            "would take too long",
        ),
        (
            {"allOf": [{"format": "uri", "minLength": n} for n in range(500)]},
            "a" * 900_000,
            "would take too long",
        ),
        (
            {"items": {"dependentRequired": {f"n{n}": ["a"] for n in range(9_000)}}},
            [{}] * 50_000,
            "would take too long",
        ),
        ({"items": {"properties": {"t": {"default": "x" * 200_000}}}}, [{}] * 40_000, "defaults"),
        ({"items": {"properties": {"t" * 200_000: {"default": 1}}}}, [{}] * 40_000, "defaults"),
        ({"items": {"type": "string"}}, [1] * 400_000, 'not of type "string"'),
        (
            {"anyOf": [{"items": {"anyOf": [{"type": "string"}] * 2}}] * 100},
            [1] * 50_000,
            "too large to say where",
        ),
    ],
    ids=[
        "enum",
        "const",
        "pattern",
        "names",
        "unique",
        "format",
        "dependent",
        "defaults",
        "default-names",
        "errors",
        "choices",
    ],
)
def test_what_multiplies_is_refused(schema: Any, props: Any, says: str) -> None:
    """Work and output that a schema and props multiply are counted before they are done."""
    assert says in _refused(schema, props)


@pytest.mark.parametrize("keyword", ["items", "additionalProperties"])
def test_counting_takes_no_longer_for_many_choices(keyword: str) -> None:
    """What applies to all items or members is put together once, not for each of them."""
    value: Json = [1] * 2_000 if keyword == "items" else {f"a{n}": 1 for n in range(2_000)}

    def cost(choices: int) -> ValidationCost:
        schema: Schema = {"anyOf": [{keyword: {"minLength": n}} for n in range(choices)]}
        return ValidationCost(schema, References(schema))

    few, many = cost(4), cost(40)
    counted = [lines_executed(partial(each.work_on, value, 10**9)) for each in (few, many)]
    assert counted[1] < 2 * counted[0]
    assert many.work_on(value, 10**9) > 3 * few.work_on(value, 10**9)


def test_the_blocks_of_a_page_have_one_budget() -> None:
    """What each block alone may take, many together may not."""
    schema = compiled({"x": {"items": {"enum": [{"a": n} for n in range(500)]}}})
    budget = Budget()
    props = {"x": [{"a": 1}] * 4_000}
    found = [schema.ready(props, budget) for _ in range(100)]
    refused = [each for each in found if not isinstance(each, ReadyProps)]
    assert isinstance(found[0], ReadyProps)
    assert refused
    assert all("would take too long" in each[0].what for each in refused)


def test_a_long_enum_beside_a_long_text_is_no_reason_to_refuse() -> None:
    """An enum counts for the values that it is compared with, and a pattern for its own text."""
    country = {"enum": [f"C{n}" for n in range(250)]}
    schema = {f"c{n}": country for n in range(16)} | {"name": {"pattern": r"^\p{L}{1,20}$"}}
    rows = [{f"c{n}": "C249" for n in range(16)} | {"name": "abc"}] * 2_000
    made = compiled({"rows": {"type": "array", "items": {"properties": schema}}})
    assert isinstance(made.ready({"rows": rows, "text": "z" * 300_000}), ReadyProps)


@pytest.mark.parametrize(
    ("schema", "remedy"),
    [
        ({"a": {"type": "array", "items": [{"type": "string"}]}}, "prefixItems"),
        ({"a": {"type": "number", "exclusiveMinimum": True}}, "write the number"),
        ({"a": {"type": "string", "required": True}}, "a list of names"),
    ],
)
def test_schemas_of_earlier_drafts(schema: Any, remedy: str) -> None:
    """What a keyword meant in an earlier draft is one problem, with how to write it now."""
    problems = compile_schema(schema)
    assert isinstance(problems, tuple)
    (problem,) = problems
    assert remedy in problem.remedy
