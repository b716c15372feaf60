"""Finding the change that broke a page, over the real journal and the real pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from robbieblocks import history
from robbieblocks.history import Asked
from robbieblocks.history.bisecting import Verdict, first_told, halve
from tests.building import Builder
from tests.commands import Installation

TITLE = """
    UPDATE robbieblocks_page_blocks SET props = props || jsonb_build_object('title', %s::text)
     WHERE block_order = 2
       AND page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'robbie-play-home')
"""
TOKEN = "UPDATE robbieblocks_style_tokens SET default_value = %s WHERE token_key = 'spacing.lg'"
# Bad where the page says Broken; can't tell where it says Odd.
JUDGE = """
import os, sys
from pathlib import Path
page = Path(os.environ["ROBBIEBLOCKS_BISECT_PAGE"]).read_text()
folder = os.environ["ROBBIEBLOCKS_BISECT_FOLDER"]
assert page and folder in os.environ["ROBBIEBLOCKS_BISECT_PAGE"]
print("\\x1b[31mlooked", "Broken" in page, file=sys.stderr)
sys.exit(125 if "Odd" in page else "Broken" in page)
"""


@pytest.mark.postgres
def test_the_change_that_broke_a_page_is_found(seeded: Builder, tmp_path: Path) -> None:
    """It is named with who made it, whatever came later; where none broke it the error says so.
    What the command says on stderr is shown."""
    judge = tmp_path / "judge.py"
    judge.write_text(JUDGE)
    titles = ("Fine", "Also fine", "Broken", "Broken still", "Broken again")
    url = seeded.settings.database_url or ""
    made: dict[str, str] = {}
    with psycopg.connect(url, autocommit=True, application_name="psql") as editor:
        for number, title in enumerate(titles):
            editor.execute(TITLE.encode(), (title,))
            made[title] = str(history.changes(editor, Asked(limit=1))[0].id)
            editor.execute(TOKEN.encode(), (f"{number + 2}rem",))
    installation = Installation(home=seeded.settings.home, database_url=url)
    command = f"{sys.executable} {judge}"
    asked = ("bisect", "--page", "robbie-play-home", "--node", "vengeance-local", "--run")
    found = installation.run(*asked, command, "--format", "json")
    told = json.loads(found.out)["bisected"]
    assert [change["id"] for change in told["changes"]] == [made["Broken"]]
    assert told["changes"][0]["by"].endswith("(psql)")
    assert told["runs"] < told["states"]
    name = Path(sys.executable).name
    said = [line for line in found.err.splitlines() if line.startswith(f"  {name}: ")]
    assert (
        said.count(f"  {name}: \\x1b[31mlooked True")
        + said.count(f"  {name}: \\x1b[31mlooked False")
        == told["runs"]
    )
    good = installation.run(*asked, f"{sys.executable} -c pass")
    assert (good.code, "is good, not bad" in good.error) == (2, True)
    missing = installation.run("bisect", "--page", "nowhere", "--run", command)
    assert "there is no page nowhere" in missing.error


@pytest.mark.postgres
def test_a_state_that_nobody_saw_is_not_blamed(seeded: Builder, tmp_path: Path) -> None:
    """What is bad within a transaction and good at its end is passed over; its row is named where
    the end is bad, too."""
    judge = tmp_path / "judge.py"
    # Bad where title and token differ: as between the two statements of a transaction.
    judge.write_text("""
import os, re, sys
from pathlib import Path
page = Path(os.environ["ROBBIEBLOCKS_BISECT_PAGE"])
folder = Path(os.environ["ROBBIEBLOCKS_BISECT_FOLDER"])
styles = " ".join(each.read_text() for each in folder.rglob("*.css"))
title = re.search(r"Step (\\d)", page.read_text())
sys.exit(title is not None and f"1{title[1]}px" not in styles + page.read_text())
""")
    url = seeded.settings.database_url or ""
    with psycopg.connect(url, autocommit=True) as editor:
        for number in range(1, 6):
            with editor.transaction():
                editor.execute(TITLE.encode(), (f"Step {number}",))
                editor.execute(TOKEN.encode(), (f"1{number}px",))
        with editor.transaction():
            editor.execute(TOKEN.encode(), ("16px",))
            editor.execute(
                "UPDATE robbieblocks_style_tokens SET default_value = '1s'"
                " WHERE token_key = 'spacing.sm'"
            )
        bad = next(each for each in history.changes(editor, Asked()) if each.key == "spacing.lg")
    installation = Installation(home=seeded.settings.home, database_url=url)
    found = installation.run(
        "bisect",
        *("--page", "robbie-play-home", "--node", "vengeance-local", "--format", "json"),
        *("--run", f"{sys.executable} {judge}"),
    )
    told = json.loads(found.out)["bisected"]
    assert [change["id"] for change in told["changes"]] == [str(bad.id)]


def told(*verdicts: Verdict) -> Callable[[int], Verdict]:
    """What the command says of each version."""
    return verdicts.__getitem__


@pytest.mark.parametrize(
    ("verdicts", "bounds"),
    [
        (("good", "bad"), (0, 1)),
        (("good", "good", "good", "bad"), (2, 3)),
        (("good", "bad", "bad", "bad", "bad"), (0, 1)),
        (("good", "skip", "skip", "bad"), (0, 3)),
        (("good", "skip", "good", "skip", "bad", "bad"), (2, 4)),
    ],
)
def test_the_bounds_are_the_narrowest_that_can_be_told(
    verdicts: tuple[Verdict, ...], bounds: tuple[int, int]
) -> None:
    """Between the last good version and the first bad one are none but skipped ones."""
    assert halve(0, len(verdicts) - 1, told(*verdicts)) == bounds


def test_the_oldest_version_that_can_be_told_must_be_good() -> None:
    """Versions that are skipped are passed over."""
    assert first_told(told("skip", "good", "bad"), 2) == 1
    assert first_told(told("skip", "bad", "bad"), 2) is None
    assert first_told(told("skip", "skip", "bad"), 2) is None
