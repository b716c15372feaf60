"""Which line of which file a problem's row stands in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from robbieblocks.content import ContentPlaces, FilePlace
from robbieblocks.errors import Problem

FILES = {
    "content/components/card/component.toml": 'name = "Card"\ntype = "widget"\n',
    "content/components/card/component.jsx": "export default () => <p/>;\n",
    "content/components/card/component.css": ".a {}\n",
    "content/tokens.toml": '"a.b" = { value = "1" }\n"c.d" = { value = "2" }\n',
    "content/pages/home.toml": """\
name = "Home"
app = "play"
title = "T"
route = "/home/"
layout = "single-column"

[[blocks]]
order = 7
zone = "main"
component = "card"

[[blocks]]
order = 2
zone = "main"
component = "card"
[blocks.props]
text = "x"
[blocks.props.link]
href = "/gone/"
""",
    "branding/daytime.toml": """\
node_id = "day"
node_name = "Day"
custom_css = '''
a {}
b { color: red }
'''
custom_scripts = "let"
[tokens]
"a.b" = "3"
""",
    "templates/base.css": "a {}\n",
}
# A problem's fields, and the file with its line and column.
PLACES: list[tuple[dict[str, Any], str, int, int | None]] = [
    (
        {"entity": "component", "key": "card", "field": "react_code", "line": 1, "column": 5},
        "content/components/card/component.jsx",
        1,
        5,
    ),
    (
        {"entity": "component", "key": "card", "field": "css_styles", "line": 1, "page": "home"},
        "content/components/card/component.css",
        1,
        None,
    ),
    (
        {"entity": "component", "key": "card", "field": "props_schema"},
        "content/components/card/component.toml",
        1,
        None,
    ),
    (
        {"entity": "page", "key": "home", "field": "meta_title"},
        "content/pages/home.toml",
        3,
        None,
    ),
    (
        {"entity": "page", "key": "home", "field": "props", "page": "home", "block": 2}
        | {"pointer": "/link/href"},
        "content/pages/home.toml",
        19,
        None,
    ),
    (
        {"entity": "component", "key": "card", "page": "home", "block": 7},
        "content/pages/home.toml",
        7,
        None,
    ),
    ({"entity": "style_token", "key": "c.d"}, "content/tokens.toml", 2, None),
    (
        {"entity": "node_branding", "key": "day", "field": "custom_css", "line": 2, "column": 5},
        "branding/daytime.toml",
        5,
        None,
    ),
    (
        {"entity": "node_branding", "key": "day", "field": "custom_scripts", "line": 1},
        "branding/daytime.toml",
        7,
        None,
    ),
    (
        {"entity": "node_branding", "key": "day", "field": "style_overrides", "pointer": "/a.b"},
        "branding/daytime.toml",
        9,
        None,
    ),
    ({"entity": "template", "key": "base.css", "line": 1}, "templates/base.css", 1, None),
]


@pytest.fixture
def places(tmp_path: Path) -> ContentPlaces:
    """A project with one row of each kind."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return ContentPlaces(tmp_path / "content", tmp_path / "branding", tmp_path / "templates")


@pytest.mark.parametrize(("fields", "file", "line", "column"), PLACES)
def test_a_row_of_each_kind_is_found_at_its_line(
    places: ContentPlaces,
    tmp_path: Path,
    fields: dict[str, Any],
    file: str,
    line: int,
    column: int | None,
) -> None:
    """The column counts only where the file holds the text as the row does."""
    found = places.of(Problem(what="is wrong", **fields))
    assert found == FilePlace(tmp_path / file, line, column)


def test_a_row_without_a_file_is_not_found(places: ContentPlaces, tmp_path: Path) -> None:
    """So is every row of files with a mistake, and what is no row."""
    for entity in ("component", "page", "style_token", "node_branding", "template", "rule"):
        assert places.of(Problem(entity=entity, key="../gone", what="is wrong")) is None
    (tmp_path / "content" / "pages" / "home.toml").write_text("name = ")
    broken = ContentPlaces(tmp_path / "content", tmp_path / "branding")
    assert broken.of(Problem(entity="page", key="home", what="is wrong")) is None
