"""node_branding/*.toml: read, written and compared."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.brand.reviewed import Change, diff, format_toml, parse_toml
from tests.unit.rows import a_node

FILE = """\
# Vengeance is the gaming rig.
node_id = "vengeance-local"
node_name = "Vengeance"
theme = "dark"
base_url = "https://vengeance.example"
enabled_apps = ["play", "code"]
custom_css = '''
.rb-page { color: red }
'''

[tokens]
"color.primary" = "#e5484d"
font = { heading = "Tektur, sans-serif" }
"""


def test_a_file_is_read_as_its_row() -> None:
    """Every key of the file has its place in the row."""
    node, problems = parse_toml(FILE, "vengeance-local.toml")
    assert problems == ()
    assert node == a_node(
        enabled_apps=("play", "code"),
        base_url="https://vengeance.example",
        custom_css=".rb-page { color: red }\n",
        overrides={
            "theme": "dark",
            "color.primary": "#e5484d",
            "font": {"heading": "Tektur, sans-serif"},
        },
    )


def test_a_row_is_written_as_people_would() -> None:
    """Tokens are sorted and quoted, long texts stand in blocks, what is empty is left out."""
    node = a_node(overrides={"theme": "dark", "b": "2", "a.x": "1"}, custom_css="a {\n  b: c;\n}\n")
    assert format_toml(node) == (
        'node_id = "vengeance-local"\n'
        'node_name = "Vengeance"\n'
        'theme = "dark"\n'
        'enabled_apps = ["play"]\n'
        "custom_css = '''\na {\n  b: c;\n}\n'''\n"
        '\n[tokens]\n"a.x" = "1"\n"b" = "2"\n'
    )


def test_a_mistake_names_file_line_and_remedy() -> None:
    """The message quotes the line of the file, and says what would be right."""
    node, (problem,) = parse_toml(FILE.replace('"dark"', '"blue"'), "vengeance-local.toml")
    assert node is None
    assert (problem.key, problem.line) == ("vengeance-local.toml", 4)
    assert problem.source == 'theme = "blue"'
    assert problem.remedy == "known: dark, light"


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_KEY = st.from_regex(r"[A-Za-z0-9]{1,4}(?:[._-][A-Za-z0-9]{1,4}){0,2}", fullmatch=True)
_NODES = st.builds(
    a_node,
    name=_TEXT.filter(str.strip),
    overrides=st.builds(
        lambda theme, tokens: {**theme, **tokens},
        st.sampled_from([{}, {"theme": "dark"}, {"theme": "light"}]),
        st.dictionaries(_KEY.filter(lambda key: key != "theme"), _TEXT | st.integers(-9, 9)),
    ),
    enabled_apps=st.lists(st.sampled_from(["play", "work", "shared"]), unique=True).map(tuple),
    custom_css=_TEXT | st.text(alphabet="a'\n\r\t\\\"{}"),
    custom_scripts=_TEXT,
    base_url=st.sampled_from(["", "https://x.example"]),
)


@given(_NODES)
def test_every_row_survives_its_file(node: Any) -> None:
    """Written and read again, a row is the same, and any TOML reader agrees on the texts."""
    text = format_toml(node)
    assert parse_toml(text, "x.toml") == (node, ())
    assert tomllib.loads(text).get("custom_css", "") == node.custom_css
    assert diff(node, parse_toml(text, "x.toml")[0]) == ()


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No file makes reading fail."""
    node, problems = parse_toml(text, "x.toml")
    assert (node is None) == any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (a_node(), a_node(), []),
        (a_node(), a_node(name="V"), ["~ node_name: Vengeance -> V"]),
        (
            a_node(overrides={"theme": "dark", "a": "1", "b": "2"}),
            a_node(overrides={"theme": "light", "b": "3", "c": "4"}),
            ["~ theme: dark -> light", "- tokens.a = 1", "~ tokens.b: 2 -> 3", "+ tokens.c = 4"],
        ),
        (a_node(overrides={"a": {"b": "1"}}), a_node(overrides={"a.b": "1", "x": None}), []),
        (a_node(enabled_apps=()), a_node(), ["+ enabled_apps = [play]"]),
        (a_node(), a_node(custom_css="a\nb\nc"), ["+ custom_css = 2 lines"]),
    ],
)
def test_differences_are_named_field_by_field(before: Any, after: Any, expected: list[str]) -> None:
    """A change is a field or a token, with what it was and what it will be."""
    assert [str(change) for change in diff(before, after)] == expected


def test_a_new_and_a_vanished_node_differ_in_every_field() -> None:
    """A node that only one side has is all additions, or all removals."""
    added = diff(None, a_node())
    assert added == (
        Change("enabled_apps", None, ["play"]),
        Change("node_id", None, "vengeance-local"),
        Change("node_name", None, "Vengeance"),
    )
    assert [(c.field, c.before, c.after) for c in diff(a_node(), None)] == [
        (c.field, c.after, c.before) for c in added
    ]
