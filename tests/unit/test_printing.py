"""What leaves the program is safe for a terminal and for a comment in Markdown."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.cli.building.render import as_markdown, as_text
from robbieblocks.cli.output import as_json, print_crash, print_progress, print_result
from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer, printable, visible, visible_line
from robbieblocks.pipeline import BuildReport, PageReport, RunReport
from robbieblocks.pipeline.planning import Plan
from robbieblocks.worker import open_log

# ESC and a title that a terminal sets, BEL, CR, a C1 control, bidi controls, zero-width characters,
# line ends of Unicode, a tag character, half of a surrogate pair.
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ACTS = "\x1b]0;evil\x07\r\x9b31m\u202e\u2066\u200b\ufeff\u2028\u0085\x7f\x00\U000e0041\ud800"


def safe(text: str) -> bool:
    """Whether nothing in a text acts on a terminal."""
    return all(part.isprintable() for line in text.split("\n") for part in line.split("\t"))


def test_each_character_that_acts_is_written_out() -> None:
    """Escapes say which character it was; what is a sign of its own stays as it is."""
    assert visible("a\x1b[2J\u202eb\U000e0041\ud800") == "a\\x1b[2J\\u202eb\\U000e0041\\ud800"
    assert visible("日本 🙂 é\n\tdone") == "日本 🙂 é\n\tdone"
    assert visible_line("a\n\tb") == "a\\n\\tb"
    assert printable("") == "''"


@given(st.text(st.characters(), max_size=40))
def test_no_text_acts_on_a_terminal(text: str) -> None:
    """Every text is made safe, stays in its lines, and can be encoded."""
    found = visible(text)
    assert safe(found)
    assert found.count("\n") == text.count("\n")
    assert found.encode().decode() == found
    assert visible(found) == found
    assert visible_line(text).isprintable()


def test_results_progress_and_crashes_are_printed_safely(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever a command prints passes through the same function."""
    print_result(f"result {ACTS}")
    print_progress(f"progress {ACTS}")
    print_crash(ValueError, ValueError(ACTS), None)
    out, err = capsys.readouterr()
    assert out.startswith("result \\x1b]0;evil\\x07\\r")
    assert "progress \\x1b" in err
    assert "ValueError: \\x1b" in err
    assert safe(out + err)


def test_only_the_colours_of_a_table_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """Where colours are wanted, any other escape sequence is still written out."""
    print_result("\x1b[32mup to date\x1b[0m \x1b[2J", colored=True)
    assert capsys.readouterr().out == "\x1b[32mup to date\x1b[0m \\x1b[2J\n"


def test_a_pointer_names_a_member_of_any_name() -> None:
    """Its parts are short and printable, as names of rows are in sentences."""
    assert json_pointer("a~/b", 3, "") == "/a~0~1b/3/"
    assert json_pointer("\x1b[2J") == "/\\x1b[2J"
    assert len(json_pointer("x" * 100_000, "y")) < 100


def test_json_is_ascii_without_controls() -> None:
    """It needs no change at the door, and is read back as it was."""
    text = as_json({"error": ACTS})
    assert text.isascii()
    assert visible(text) == text
    assert json.loads(text) == {"error": ACTS}


@pytest.mark.parametrize("colors", [False, True])
def test_the_log_for_people_is_safe(colors: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts, lists of them and tracebacks are made safe; the log's own colours stay."""
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: colors)
    log = open_log("text", stream)
    log.warning("run.finished", error="\x1b[8mhidden\u202e", pages=["\x1b[8m\u202e"])
    log.error("bug", exc_info=ValueError("\x1b[8mhidden\u202e"))
    written = stream.getvalue()
    assert "ValueError: \\x1b[8mhidden\\u202e" in written
    assert "\x1b[8m" not in written
    assert "\u202e" not in written
    assert ("\x1b[" in written) is colors


def report(key: str, route: str, what: str) -> BuildReport:
    """A build in which one page changed and one has a problem."""
    run = RunReport(
        node="node|<b>",
        app="@team",
        outcome="published",
        build_hash="a" * 64,
        hash_before="",
        planned=(PageReport(key=key, route=route, change="changed"),),
        problems=(Problem(entity="component", key="x", what=what),),
        run=uuid4(),
    )
    return BuildReport(
        plan=Plan(now=NOW, runs=(), boundaries={}), runs=(run,), compiled=("www.evil.example",)
    )


def test_a_page_is_one_line_of_a_report() -> None:
    """A key or route with a line end forges no line of its own."""
    text = as_text(report("home\nnode  play  published", "/\r\n", "x"))
    assert len([line for line in text.splitlines() if "published" in line]) == 2
    assert "home\\nnode  play  published" in text


def test_a_page_that_is_held_back_is_explained_with_its_problem() -> None:
    """What `status` shows of it is its first line and the remedy: both say what is wrong."""
    run = report("home", "/", "unknown zone").runs[0]
    problem = replace(run.problems[0], remedy="known: main")
    held = replace(
        run,
        planned=(PageReport(key="home", route="/", change="held back"),),
        problems=(problem,),
        error=f"held back: home\n{problem}",
    )
    first, remedy = held.explained.split("\n")
    assert first == "held back: home: component x: unknown zone"
    assert remedy.strip() == "-> known: main"


def test_markdown_shows_rows_as_code() -> None:
    """No text of a row is a link, a mention, HTML, a table's cell or the end of its code block."""
    route = "/`@admin` <img src=x>|[a](b)\n| forged |"
    text = as_markdown(report("home", route, "```\n@admin <img src=x>\n````\nend"))
    lines = text.split("\n")
    row = next(line for line in lines if "@admin` <img" in line)
    assert row.startswith(
        "| `` /`@admin` <img src=x>\\|[a](b)\\n\\| forged \\| `` | `node\\|<b>` |"
    )
    assert "| `@team` |" in row
    assert not any(line.startswith("| forged") for line in lines)
    opened, closed = (n for n, line in enumerate(lines) if line.startswith("`````"))
    assert lines[opened] == "`````text"
    assert lines[closed - 1] == "end"
    assert "(`www.evil.example`)" in text


def test_the_door_is_where_commands_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` prints an exception that nothing handles through the same function."""
    from robbieblocks import cli, collector

    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(cli, "app", lambda: None)
    monkeypatch.setattr(collector, "disable_for_command", lambda: None)
    monkeypatch.setattr(collector, "skip_at_exit", lambda: None)
    cli.main()
    assert sys.excepthook is print_crash
