"""A node's script that browsers would not run, or that asks for what pages refuse, is told of."""

from __future__ import annotations

import pytest

from robbieblocks.model import NodeRow
from tests.pages import Press

UNREAD = [
    ("https://t.example/a.js", "this is an address", "under `scripts`", 1, 1),
    ("//t.example/a.js\n", "this is an address", "under `scripts`", 1, 1),
    ("go();\n<noscript><img/></noscript>", "read as JavaScript", "take the tags away", 2, 1),
    ("const a: number = 1;", "read as JavaScript", "take the types away", 1, 8),
    ("const a = <p>x</p>;", "read as JavaScript", "document.createElement", 1, 11),
    ("```js\ngo();\n```", "is Markdown", "lines with ```", 1, 1),
    ("Here is the script:\ngo();", "read as JavaScript", "keep the code alone", 1, 6),
    ("go(\u201chi\u201d);", "read as JavaScript", "straight quotation marks", 1, 4),
    ("body { color: red; }", "read as JavaScript", "into custom_css", 1, 6),
    ("if (1) return;\ngo();", "`return` outside of a function", "(() => {", 1, 8),
    ("<style>h1 { top: 0 }</style>", "this is HTML", "into custom_css", 1, 1),
    ("<meta name='a' content='b'>", "this is HTML", "under `head`", 1, 1),
    ("<script type='application/ld+json'>{}</script>", "this is HTML", "json_ld", 1, 1),
    ("go(() => {\n", "read as JavaScript", "mend it", 2, 1),
    ('{ "site": "G-1" }', "read as JavaScript", "JSON belongs into", 1, 9),
]
REFUSED = [
    ("let a = 1;\n  eval('a');", "eval makes code of a text", 2, 3),
    ("/* é */ setTimeout('go()', 1);", "setTimeout makes code of a text", 1, 9),
    ("document.write('<p>');", "document.write writes nothing", 1, 10),
]


@pytest.mark.parametrize(("text", "what", "remedy", "line", "column"), UNREAD)
def test_a_script_that_is_none(
    press: Press, text: str, what: str, remedy: str, line: int, column: int
) -> None:
    """What else is pasted there is named at its place, with where it belongs."""
    row = NodeRow(id="day", name="Day", custom_scripts=text)
    problem = press.bundler.script_problem(row, press.toolchain)
    assert problem is not None
    assert problem.severity == "error"
    assert what in problem.what
    assert remedy in problem.remedy
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(("text", "what", "line", "column"), REFUSED)
def test_a_script_that_asks_for_what_pages_refuse(
    press: Press, text: str, what: str, line: int, column: int
) -> None:
    """It is warned of at its place, also when it is known already, and the node goes out."""
    row = NodeRow(id="day", name="Day", custom_scripts=text)
    for _ in range(2):
        problem = press.bundler.script_problem(row, press.toolchain)
        assert problem is not None
        assert problem.severity == "warning"
        assert what in problem.what
        assert (problem.line, problem.column) == (line, column)


def test_a_return_in_a_function_is_none_outside(press: Press) -> None:
    """Whatever kind of function it stands in."""
    text = "(() => { return 1; })(); const a = { b() { if (1) { return; } } };"
    row = NodeRow(id="day", name="Day", custom_scripts=text)
    assert press.bundler.script_problem(row, press.toolchain) is None
