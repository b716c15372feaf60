"""The documents for people who make pages do what they say, word for word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.commands import Installation, released
from tests.documents import Reader, steps

pytestmark = [pytest.mark.postgres]

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def reader(
    toolchain: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    """Someone in an empty folder."""
    assert toolchain
    for name in os.environ:
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    # No variable names the home: the project's file does, by where it lies.
    home = tmp_path / "bakery" / ".robbieblocks"
    shell = Installation(
        home=home, variables={"ROBBIEBLOCKS_HOME": "", "ROBBIEBLOCKS_HEALTH": "off"}
    )
    with ExitStack() as running:
        yield Reader(folder=tmp_path, shell=shell, running=running)
    released(home)


def test_the_tutorial_leads_from_nothing_to_a_site_on_two_nodes(reader: Reader) -> None:
    """Each command and file of docs/tutorial.md, in order."""
    for step in steps(DOCS / "tutorial.md"):
        reader.follow(step)
