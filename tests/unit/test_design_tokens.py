"""Design token files (DTCG) as rows, and rows as such files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from robbieblocks.content import (
    DesignTokens,
    Token,
    design_tokens,
    load,
    read_design_tokens,
)
from robbieblocks.errors import ContentError
from robbieblocks.messages import printable
from robbieblocks.settings import resource_dir
from robbieblocks.source_files import json_lines

PX = {"value": 1, "unit": "px"}
BLACK = {"colorSpace": "srgb", "components": [0, 0, 0]}


def read(tmp_path: Path, document: object, known: dict[str, str] | None = None) -> DesignTokens:
    file = tmp_path / "a.tokens.json"
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    file.write_text(text, encoding="utf-8")
    return read_design_tokens(file, known or {})


def values(found: DesignTokens) -> dict[str, str]:
    return {token.key: token.value for token in found.tokens}


def told(found: DesignTokens, severity: str = "error") -> list[tuple[int | None, str]]:
    return [(each.line, each.what) for each in found.problems if each.severity == severity]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("color", {**BLACK, "components": [0.122, 0.373, 0.659]}, "#1f5fa8"),
        ("color", {**BLACK, "components": [0.2, 0.4, 0.9], "hex": "#3366E6"}, "#3366E6"),
        ("color", {**BLACK, "components": [0.2, 0.4, 0.698], "hex": "#3366E6"}, "#3366b2"),
        ("color", {**BLACK, "components": [0.3333, 0, 0.5]}, "color(srgb 0.3333 0 0.5)"),
        ("color", {**BLACK, "alpha": 0.5, "hex": "#000000"}, "rgb(0 0 0 / 0.5)"),
        (
            "color",
            {"colorSpace": "oklch", "components": [0.5, 0.1, "none"], "alpha": 0.25},
            "oklch(0.5 0.1 none / 0.25)",
        ),
        (
            "color",
            {"colorSpace": "display-p3", "components": [1, 0.2, 0]},
            "color(display-p3 1 0.2 0)",
        ),
        ("color", {"colorSpace": "hsl", "components": [120, 50, 25.5]}, "hsl(120 50% 25.5%)"),
        ("color", "#abcdef", "#abcdef"),
        ("dimension", {"value": 0.5, "unit": "rem"}, "0.5rem"),
        ("dimension", {"value": 16.0, "unit": "px"}, "16px"),
        ("dimension", "16px", "16px"),
        ("duration", {"value": 1.5, "unit": "s"}, "1.5s"),
        ("fontFamily", "Comic Sans MS", '"Comic Sans MS"'),
        ("fontFamily", ["Inter", "ui-sans-serif", "serif"], '"Inter", ui-sans-serif, serif'),
        ("fontWeight", "extra-bold", "800"),
        ("fontWeight", 350, "350"),
        ("cubicBezier", [0.5, 0, 1, -0.5], "cubic-bezier(0.5, 0, 1, -0.5)"),
        ("number", -2.3, "-2.3"),
        ("strokeStyle", "dashed", "dashed"),
        ("border", {"color": "{c}", "width": PX, "style": "solid"}, "1px solid {c}"),
        (
            "transition",
            {"duration": "{d}", "delay": {"value": 0, "unit": "ms"}, "timingFunction": "{e}"},
            "{d} {e} 0ms",
        ),
        (
            "shadow",
            [
                {"color": BLACK, "offsetX": PX, "offsetY": "{s}", "blur": PX, "spread": PX},
                "{sh}",
            ],
            "1px {s} 1px 1px #000000, {sh}",
        ),
        (
            "shadow",
            {
                "color": "{c}",
                "offsetX": PX,
                "offsetY": PX,
                "blur": PX,
                "spread": PX,
                "inset": True,
            },
            "1px 1px 1px 1px {c} inset",
        ),
        (
            "gradient",
            [{"color": BLACK, "position": -1}, {"color": "{c}", "position": "{n}"}],
            "linear-gradient(#000000 0%, {c} calc({n} * 100%))",
        ),
        ("color", {"$ref": "#/c/$value"}, "{c}"),
        ("dimension", {"value": {"$ref": "#/s/$value/value"}, "unit": "px"}, "2px"),
        (
            "color",
            {**BLACK, "components": [{"$ref": "#/alias/$value/components/0"}, 0, 0]},
            "#ff0000",
        ),
    ],
)
def test_each_type_becomes_css(tmp_path: Path, kind: str, value: Any, expected: str) -> None:
    """The value of every type of the format, with names and pointers in it."""
    document = {
        "x": {"$type": kind, "$value": value},
        "c": {"$type": "color", "$value": {**BLACK, "components": [1, 0, 0]}},
        "alias": {"$value": "{c}"},
        "d": {"$type": "duration", "$value": {"value": 1, "unit": "s"}},
        "e": {"$type": "cubicBezier", "$value": [0, 0, 1, 1]},
        "s": {"$type": "dimension", "$value": {"value": 2, "unit": "rem"}},
        "n": {"$type": "number", "$value": 0.5},
        "sh": {
            "$type": "shadow",
            "$value": {"color": BLACK, "offsetX": PX, "offsetY": PX, "blur": PX, "spread": PX},
        },
    }
    found = read(tmp_path, document)
    assert values(found)["x"] == expected
    assert not found.problems


def test_groups_give_types_and_members(tmp_path: Path) -> None:
    """A type comes from the nearest group; a root token has its group's key; `$extends` inherits
    by name; a typography token is a row for each part, and so is one that names it."""
    text = {
        "fontFamily": "{face}",
        "fontSize": {"value": 2, "unit": "rem"},
        "lineHeight": 1.2,
    }
    found = read(
        tmp_path,
        {
            "base": {
                "$type": "color",
                "accent": {"$root": {"$value": BLACK}, "soft": {"$value": "{base.accent.$root}"}},
            },
            "button": {
                "$type": "color",
                "bg": {"$value": "{base.accent.soft}"},
                "fg": {"$value": "#fff", "$description": "Text"},
            },
            "danger": {"$extends": "{button}", "bg": {"$value": "#b00"}},
            "also": {"$ref": "#/danger"},
            "face": {"$type": "fontFamily", "$value": "Inter"},
            "h1": {"$type": "typography", "$value": text},
            "h2": {"$value": "{h1}"},
            "gap": {"$type": "dimension", "$value": PX},
            "night": {"$type": "color", "$value": "{known.one}"},
        },
        {"known.one": "color"},
    )
    assert not found.problems
    assert [(token.key, token.category, token.value) for token in found.tokens] == [
        ("also.bg", "color", "#b00"),
        ("also.fg", "color", "#fff"),
        ("base.accent", "color", "#000000"),
        ("base.accent.soft", "color", "{base.accent}"),
        ("button.bg", "color", "{base.accent.soft}"),
        ("button.fg", "color", "#fff"),
        ("danger.bg", "color", "#b00"),
        ("danger.fg", "color", "#fff"),
        ("face", "font", '"Inter"'),
        ("gap", "gap", "1px"),
        ("h1.font-family", "font", "{face}"),
        ("h1.font-size", "font", "2rem"),
        ("h1.line-height", "font", "1.2"),
        ("h2.font-family", "font", "{h1.font-family}"),
        ("h2.font-size", "font", "{h1.font-size}"),
        ("h2.line-height", "font", "{h1.line-height}"),
        ("night", "color", "{known.one}"),
    ]
    assert found.tokens[5].description == "Text"


def test_a_file_of_figma(tmp_path: Path) -> None:
    """Names get letters and digits, what no row can hold is named with its line, and each kind of
    thing that is lost once."""
    scopes = {"com.figma.scopes": ["ALL_SCOPES"], "com.figma.variableId": "VariableID:1:2"}
    blue = {"colorSpace": "srgb", "components": [0.12156862745098039, 0.37254901960784315, 0.65]}
    found = read(
        tmp_path,
        {
            "Brand": {
                "Blue 500": {
                    "$type": "color",
                    "$value": {**blue, "alpha": 1, "hex": "#1F5FA6"},
                    "$extensions": scopes,
                },
                "Link": {"$type": "color", "$value": "{Brand.Blue 500}", "$extensions": scopes},
            },
            "radius": {"md": {"$type": "number", "$value": 8, "$deprecated": True}},
            "is-dark": {"$type": "boolean", "$value": True},
            "now-dark": {"$type": "boolean", "$value": "{is-dark}"},
        },
    )
    assert values(found) == {
        "Brand.Blue-500": "#1F5FA6",
        "Brand.Link": "{Brand.Blue-500}",
        "radius.md": "8",
    }
    assert told(found) == [
        (40, "is-dark: it has the type `boolean`, which no row can hold"),
        (44, "now-dark: it names {is-dark}, which is left out"),
    ]
    assert told(found, "warning") == [
        (3, "Brand.Blue 500: its name as it is can't be kept (the key is Brand.Blue-500)"),
        (
            15,
            "Brand.Blue 500.$extensions: what other tools add in `$extensions` can't be kept "
            "(com.figma.scopes, com.figma.variableId), and 1 more",
        ),
        (37, "radius.md.$deprecated: `$deprecated` of tokens can't be kept"),
    ]


def test_a_file_of_tokens_studio(tmp_path: Path) -> None:
    """Sets are no part of a name; numbers are pixels; what is computed is `calc()`; one token of
    two sets is told."""
    shadow = {"x": "0", "y": 2, "blur": "4", "spread": "0", "color": "{colors.black}"}
    found = read(
        tmp_path,
        {
            "global": {
                "colors": {"black": {"value": "#000000", "type": "color", "description": "Ink"}},
                "spacing": {
                    "base": {"value": "4", "type": "spacing"},
                    "lg": {"value": "{spacing.base} * 4", "type": "spacing"},
                },
                "bold": {"value": "Semi Bold", "type": "fontWeights"},
                "lead": {"value": "150%", "type": "lineHeights"},
                "shade": {"value": "rgba({colors.black}, 0.5)", "type": "color"},
                "card": {"value": [{**shadow, "type": "innerShadow"}], "type": "boxShadow"},
                "h1": {
                    "value": {"fontWeight": "{bold}", "fontSize": "48", "textCase": "none"},
                    "type": "typography",
                },
            },
            "light": {"bg": {"value": "#fff", "type": "color"}},
            "dark": {"bg": {"value": "#000", "type": "color"}},
            "$themes": [],
            "$metadata": {"tokenSetOrder": ["global", "light", "dark"]},
        },
    )
    assert values(found) == {
        "bg": "#fff",
        "bold": "600",
        "card": "0 2px 4px 0 {colors.black} inset",
        "colors.black": "#000000",
        "h1.font-size": "48px",
        "h1.font-weight": "{bold}",
        "h1.text-case": "none",
        "lead": "150%",
        "shade": "rgb(from {colors.black} r g b / 0.5)",
        "spacing.base": "4px",
        "spacing.lg": "calc({spacing.base} * 4)",
    }
    assert [what for _, what in told(found)] == ["dark.bg: has the name of light / bg"]


def test_a_file_of_style_dictionary(tmp_path: Path) -> None:
    """The format before this one: no `$`, no types, and names that end in `.value`."""
    found = read(
        tmp_path,
        {
            "color": {
                "red": {"value": "#ff0000", "comment": "hot"},
                "font": {"value": "{color.red.value}"},
            },
            "size": {"small": {"value": "0.75rem", "themeable": True}},
        },
    )
    assert not told(found)
    assert values(found) == {
        "color.font": "{color.red}",
        "color.red": "#ff0000",
        "size.small": "0.75rem",
    }
    assert [token.category for token in found.tokens] == ["color", "color", "size"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"a":\n{"$value": 1}}', (1, "a: it has no type")),
        ('{"a": 1}', (1, "a: is neither a token nor a group")),
        (
            {"a": {"$type": "dimension", "$value": 16}},
            (2, "a: it has no unit"),
        ),
        (
            {"a": {"$type": "color", "$value": {**BLACK, "components": [255, 0, 0]}}},
            (2, "a: it has the component 255, which is not between 0 and 1"),
        ),
        (
            {"a": {"$type": "color", "$value": {"colorSpace": "cmyk", "components": []}}},
            (2, "a: it has no colour space that is known: cmyk"),
        ),
        (
            {"a": {"$type": "dimension", "$value": {"value": 1, "unit": "s"}}},
            (2, "a: it has the unit s"),
        ),
        (
            {
                "a": {"$type": "number", "$ref": "#/b/$value/" + "1" * 5_000},
                "b": {"$type": "cubicBezier", "$value": [0, 0, 1, 1]},
            },
            (2, f"a: it points at {printable('1' * 5_000)}, which is not there"),
        ),
        (
            {"a": {"b": {"$type": "x", "$extends": "{c}"}, "d": {"$extends": "{a.b}"}}},
            (5, "a.b.$extends: leads to no group of this file"),
        ),
        (
            {"$extensions": {"robbieblocks": {"tokens": {"": {"value": "1"}}}}},
            (5, "$extensions.robbieblocks.tokens.: it is no row as an export keeps one"),
        ),
        ({"a": {"$type": "fontWeight", "$value": "Bold"}}, (2, "a: it is Bold")),
        (
            {"a": {"$type": "cubicBezier", "$value": [2, 0, 0, 0]}},
            (2, "a: it has an x that is not between 0 and 1"),
        ),
        ({"a": {"$type": "border", "$value": {"color": "#fff"}}}, (2, "a: it lacks width, style")),
        (
            {"a": {"$type": "color", "$value": "red; } body { display: none"}},
            (2, "a: it can't be a token: the value holds `;`, which doesn't belong in one value"),
        ),
        (
            {"a": {"$type": "color", "$value": "{b.c}"}, "b": {}},
            (2, "a: it names {b.c}, which is no token"),
        ),
        (
            {
                "a": {"$type": "color", "$value": "{b}"},
                "b": {"$type": "dimension", "$value": PX},
            },
            (2, "a: it names {b}, whose type is dimension, and not color"),
        ),
        ({"a": {"$type": "color", "$ref": "x.json#/a"}}, (2, "a: it points at x.json#/a")),
        (
            {"a": {"$type": "number", "$ref": "#/b/$value/c"}},
            (2, "a: it points at #/b/$value/c, which is not there"),
        ),
        (
            {"a": {"$type": "number", "$value": {"$ref": "#/a/$value"}}},
            (2, "a: it names tokens that name each other in a circle"),
        ),
        ({"a": {"$extends": "{b}"}}, (3, "a.$extends: leads to no group of this file")),
        (
            {"a": {"b": {"$extends": "{a}"}, "c": {"$type": "number", "$value": 1}}},
            (4, "a.b.$extends: leads back to itself, or by way of more than 50 groups"),
        ),
        (
            {"a": {"$type": "number", "$value": 1, "b": {"$type": "number", "$value": 1}}},
            (5, "a.b: is a token, and has `b` in it as if it were a group"),
        ),
        (
            '{"a": {"$type": "number", "$value": 1},\n"a": {"$type": "number", "$value": 2}}',
            (2, "a: it comes twice in one object"),
        ),
        (
            {"a b": {"$type": "number", "$value": 1}, "a-b": {"$type": "number", "$value": 1}},
            (6, "a-b: it is a-b, as another token is"),
        ),
        ({"ü": {"$type": "number", "$value": 1}}, (2, "ü: its key is empty")),
        (
            {"theme": {"$type": "number", "$value": 1}},
            (2, "theme: its key is kept for dark and light"),
        ),
    ],
)
def test_a_mistake_names_path_and_line(
    tmp_path: Path, document: object, expected: tuple[int, str]
) -> None:
    """What is wrong with one token is one error, and the others are read."""
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    found = read(tmp_path, '{"good": {"$type": "number", "$value": 1},' + text.lstrip("{"))
    assert told(found) == [expected]
    assert values(found)["good"] == "1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{", "is not valid JSON"), ("[]", "is no JSON object"), ('{"a":"\\ud800"}', "surrogate")],
)
def test_a_file_that_is_none_is_an_error(tmp_path: Path, text: str, expected: str) -> None:
    """A file that is not JSON, or no object, is one error; so is what Postgres can't store."""
    with pytest.raises(ContentError, match=expected):
        read(tmp_path, text)


def test_circles_chains_and_inheritance_are_bounded(tmp_path: Path) -> None:
    """Each token of a circle is told; a chain of all is followed; groups that multiply end."""
    chain = {f"t{n}": {"$value": f"{{t{n + 1}}}"} for n in range(9_999)}
    last = {"t9999": {"$type": "color", "$value": "#fff"}}
    assert len(read(tmp_path, {**chain, **last}).tokens) == 10_000
    circle = read(tmp_path, {**chain, "t9999": {"$value": "{t0}"}})
    assert not circle.tokens
    assert len(told(circle)) == 10_000
    doubling: dict[str, Any] = {"g0": {"a": {"$type": "number", "$value": 1}}}
    for n in range(1, 40):
        inherited = {"$extends": f"{{g{n - 1}}}"}
        doubling[f"g{n}"] = {"a": inherited, "b": inherited}
    found = read(tmp_path, doubling)
    assert len(found.tokens) == 10_000
    assert "comes after 10,000 others" in told(found)[0][1]


def test_the_seed_tokens_are_what_design_tools_know(tmp_path: Path) -> None:
    """Colours, sizes, fonts and shadows of the house are values of the format, and all rows come
    back; what a tool edits is taken, whatever the row was."""
    tokens = load(resource_dir("schema") / "content").tokens
    document: Any = design_tokens(tokens)
    assert document["color"]["primary"]["$value"] == {
        "colorSpace": "srgb",
        "components": [0.12157, 0.37255, 0.65882],
        "hex": "#1f5fa8",
    }
    assert document["shadow"]["panel"]["$type"] == "shadow"
    assert document["font"]["body"]["$value"][0] == "Inter"
    assert document["animation"]["ease"]["$type"] == "cubicBezier"
    assert document["font"]["weight-heading"]["$type"] == "fontWeight"
    assert len(document["$extensions"]["robbieblocks"]["tokens"]) < len(tokens) / 5
    found = read(tmp_path, document)
    assert found.tokens == tokens
    assert not found.problems
    document["font"]["body"]["$value"] = ["Tektur"]
    assert values(read(tmp_path, document))["font.body"] == '"Tektur"'


KEYS = st.from_regex(r"[ab](\.[ab]){0,3}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
CSS = st.sampled_from(
    [
        *("#1F5FA8", "#abc", "red", "rgb(1 2 3 / 0.5)", "oklch(0.5 none 3)", "hsl(1 2% 3%)"),
        *("1px", ".5rem", "1e3px", "0", "-0", "450", "1.50", "1e400", "120MS", "2em", "50%"),
        *("Inter, serif", "'Inter'", "Press Start 2P", "cubic-bezier(0, 0, 1, 1)", "ease"),
        *("0 1px 2px rgb(0 0 0 / 0.1)", "inset 0 0 red, 1px 1px", "0 0 {a}", "{a} {b} 0 1px red"),
        *("{a}", "{ a.b }", "{b}", "{a.b.a}", "1px solid {b}", "'{a}'", "{x}", "{a}{b}", "none"),
        *("9" * 5000, "((((", "url(//x)", "red;", "{", "--rb-named-0 1px 1px"),
    ]
)
ROWS = st.builds(
    Token,
    key=KEYS | TEXTS.filter(bool) | st.sampled_from(["theme", "a.$root", "a..b", "$type", "{a}"]),
    category=st.sampled_from(["color", "font", "shadow", "a", "animation", ""]),
    value=CSS | TEXTS,
    description=st.none() | TEXTS,
)

FAMILY_IN_BRACES = Token(key="b", category="font", value="'{a}'")


@given(st.lists(ROWS, unique_by=lambda row: row.key, max_size=12))
@example([Token(key="a", category="color", value="red"), FAMILY_IN_BRACES])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_go_round(tmp_path: Path, rows: list[Token]) -> None:
    """Rows of any text are the same rows after they were written and read, without a problem."""
    text = json.dumps(design_tokens(rows))
    found = read(tmp_path, text)
    assert list(found.tokens) == sorted(rows, key=lambda row: row.key)
    assert not found.problems


NAMES = st.sampled_from(["a", "b", "$value", "$ref", "$type", "$extends", "$root", "$extensions"])
PARTS = st.sampled_from(["color", "shadow", "typography", "{a}", "{a.b}", "#/a", "#/a/$value/b"])
DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PARTS
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            NAMES | st.sampled_from(["color", "fontSize", "components", "value", "type"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(st.dictionaries(NAMES, DOCUMENTS, max_size=5))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_told(tmp_path: Path, document: dict[str, Any]) -> None:
    """No file of JSON is a traceback, and what is read can be written and read again."""
    found = read(tmp_path, document)
    again = read(tmp_path, design_tokens(found.tokens))
    assert again.tokens == found.tokens


def test_lines_of_json_are_found() -> None:
    """Keys and items have the line on which they stand, whatever their texts hold."""
    text = '{\n "a\\"{": [1,\n {"b": "}"}],\n "c": {}, "c": 1}'
    lines, twice = json_lines(text)
    assert lines['a"{',] == 2
    assert lines['a"{', 1, "b"] == 3
    assert twice == {("c",)}
