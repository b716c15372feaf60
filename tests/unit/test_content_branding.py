"""node_branding/*.toml: read into a node's row, with every mistake in its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.content.reading.branding import node_of
from robbieblocks.errors import Problem
from robbieblocks.model import NodeRow
from robbieblocks.source_files import ProblemCollector, parse_toml
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

[settings]
trusted_types = "off"

[tokens]
"color.primary" = "#e5484d"
font = { heading = "Tektur, sans-serif" }
"""


def read(text: str) -> tuple[NodeRow | None, list[Problem]]:
    """The row of a branding file with this text, and what is wrong with it."""
    collector = ProblemCollector(Path(), (Path("/"),))
    table = parse_toml(collector, Path("x.toml"), text)
    return (None if table is None else node_of(table)), collector.problems


def test_a_file_is_read_as_its_row() -> None:
    """Every key of the file has its place in the row."""
    node, problems = read(FILE)
    assert problems == []
    assert node == a_node(
        enabled_apps=("play", "code"),
        base_url="https://vengeance.example",
        custom_css=".rb-page { color: red }\n",
        settings={"trusted_types": "off"},
        overrides={
            "theme": "dark",
            "color.primary": "#e5484d",
            "font": {"heading": "Tektur, sans-serif"},
        },
    )


def test_a_mistake_names_file_line_and_remedy() -> None:
    """The message quotes the line of the file, and says what would be right."""
    _, (problem,) = read(FILE.replace('"dark"', '"blue"'))
    assert (problem.key, problem.line) == ("x.toml", 4)
    assert problem.source == 'theme = "blue"'
    assert problem.remedy == "known: dark, light"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No file makes reading fail."""
    node, problems = read(text)
    assert node is not None or problems


@pytest.mark.parametrize(
    ("toml", "line", "expected"),
    [
        ("node_id = ", 1, "is not valid TOML"),
        ('node_id = "x"\nnode_name = "X"\nnode_id = "y"', 3, "is not valid TOML"),
        ('node_id = "../x"\nnode_name = "X"', 1, "that names don't have"),
        ('node_name = "X"', None, "lacks node_id"),
        ('node_id = "x"', None, "lacks node_name"),
        ('node_id = " "\nnode_name = "X"', 1, "node_id"),
        ('node_id = "x"\nnode_name = "X"\ntheme = "blue"', 3, "unknown: blue"),
        ('node_id = "x"\nnode_name = "X"\ntheem = "dark"', 3, "did you mean theme?"),
        ('node_id = "x"\nnode_name = "X"\nenabled_apps = "play"', 3, "an array of strings"),
        ('node_id = "x"\nnode_name = "X"\nenabled_apps = ["a/b"]', 3, "that names don't have"),
        ('node_id = "x"\nnode_name = 5', 2, "node_name must be a string"),
        ('node_id = "x"\nnode_name = "X"\ntokens = 5', 3, "tokens must be a table"),
        ('node_id = "x"\nnode_name = "X"\n[tokens]\n"a b" = "c"', 4, "letters and digits"),
        ('node_id = "x"\nnode_name = "X"\n[tokens]\na = true', 4, "sets a to a value"),
        ('node_id = "x"\nnode_name = "X"\n[tokens]\nb = 1\na.c = true', 5, "sets a.c to a value"),
        ('node_id = "x"\nnode_name = "X"\n[tokens]\na.b = "1"\n"a.b" = "2"', 3, "given twice"),
        ('node_id = "x"\nnode_name = "X"\n[tokens]\ntheme = "dark"', 4, "stands above [tokens]"),
        ('node_id = "x"\nnode_name = "X"\na = ' + "[" * 3_000, None, "it nests too deeply"),
    ],
)
def test_a_bad_branding_file_names_the_line(toml: str, line: int | None, expected: str) -> None:
    """A branding file that can't be used says what is wrong in which line."""
    _, problems = read(toml)
    assert expected in "\n".join(map(str, problems))
    assert line is None or line in {problem.line for problem in problems}
