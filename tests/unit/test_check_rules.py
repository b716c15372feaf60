"""The rules of `robbieblocks check`: each has a function, and stands in the documents."""

from __future__ import annotations

from pathlib import Path

from robbieblocks.check_rules import RULES
from robbieblocks.checks import FINDERS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "checks.md"


def test_every_rule_has_a_function() -> None:
    """A name in the settings is a rule that is run, and no rule has no name."""
    assert [rule.name for rule in RULES] == list(FINDERS)


def test_the_document_lists_every_rule_with_its_level() -> None:
    """docs/checks.md has the table of the code, line by line."""
    table = DOCUMENT.read_text().partition("|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [
        f"| `{rule.name}` | {rule.level} | {rule.finds} |" for rule in RULES
    ]
