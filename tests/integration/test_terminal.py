"""What a row says never acts on the terminal of the person who reads it."""

from __future__ import annotations

import json

import pytest

from tests.commands import Installation
from tests.sites import APP, NODE, Block, MakeSite

pytestmark = pytest.mark.postgres

ACTS = "\x1b]0;evil\x07\x1b[2J\r\x9b\u202e\u2066\u200b"
THROWS = f"export default ({{ text }}) => {{ throw new Error(text); /* {ACTS} */ }};"


def _safe(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def test_a_thrown_message_and_the_line_that_is_quoted_are_safe_wherever_they_are_read(
    make_site: MakeSite,
) -> None:
    """On the terminal, as Markdown and JSON, in the status, and in the stored row of the run."""
    site = make_site()
    site.component("fine", "<p>fine</p>")
    site.component("throws", THROWS.replace("\r", ""))
    site.page("home", "fine", Block(component="throws", props={"text": f"stop {ACTS}\nsecond"}))
    settings = site.builder.settings
    shell = Installation(home=settings.home, database_url=settings.database_url)
    told = [
        shell.run("build", "--node", NODE, "--app", APP, "--format", form)
        for form in ("text", "markdown", "json")
    ]
    told.append(shell.run("status"))
    for ran in told:
        assert _safe(ran.out), ran.out
        assert _safe(ran.err), ran.err
    for ran in told[:2]:
        assert "stop \\x1b]0;evil\\x07\\x1b[2J\\r\\x9b\\u202e\\u2066\\u200b\nsecond" in ran.out
    (problem,) = json.loads(told[2].out)["runs"][0]["problems"]
    assert ACTS in problem["what"]
    (stored, *_) = site.builder.sql("SELECT error_message, build_log FROM robbieblocks_deploys")
    assert "stop \\x1b]0;evil" in stored["error_message"]
    assert _safe(stored["error_message"])
    assert _safe(stored["build_log"])
