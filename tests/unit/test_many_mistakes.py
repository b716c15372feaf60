"""Thousands of mistakes in one value: what is like a name is looked for a few times alone."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from robbieblocks.assemble.forms.fields import read_fields
from robbieblocks.assemble.props.media_props import PageMedia
from robbieblocks.assemble.relations.query import read_query, read_rows_query
from robbieblocks.model import CollectionSource, Json, MediaLibrary, RowCollection
from robbieblocks.site_settings.stated import Stated
from robbieblocks.source_files.problems import ProblemCollector
from robbieblocks.source_files.toml import parse_toml

_MANY: dict[str, Json] = {f"k{n}": n for n in range(2_000)}
_ROWS = RowCollection(source=CollectionSource(name="p", view=("v",), key="slug"), columns=("slug",))


def _settings() -> int:
    stated = Stated(_MANY)
    stated.members(("icons", "head"))
    return len(stated.problems)


def _form() -> int:
    return len(read_fields([_MANY], "/fields"))


def _pages() -> int:
    found = read_query(_MANY, "play", "", "/list", lambda value, _: value)
    return len(found) if isinstance(found, tuple) else 0


def _rows() -> int:
    asked: dict[str, Json] = {**_MANY, "where": _MANY}
    found = read_rows_query(asked, _ROWS, "/list", lambda value, _: value)
    return len(found) if isinstance(found, tuple) else 0


def _media() -> int:
    page = PageMedia(library=MediaLibrary(keys=("logo", "photo")))
    return len([page.value(f"media:{name}", ()) for name in list(_MANY)[:30]])


def _file() -> int:
    collector = ProblemCollector(Path("/"), ())
    text = "".join(f"{name} = 1\n" for name in _MANY)
    table = parse_toml(collector, Path("/a.toml"), text)
    assert table is not None
    table.finish()
    assert collector.problems[-1].what == "k20 is unknown here, and so are 1,979 after it"
    return len(collector.problems)


@pytest.mark.parametrize("mistakes", [_settings, _form, _pages, _rows, _media, _file])
def test_what_is_like_a_name_is_looked_for_a_few_times(mistakes: Callable[[], int]) -> None:
    """It takes a millisecond, so 50,000 unknown keys of one row kept every page for 40 seconds."""
    door = "robbieblocks.messages.get_close_matches"
    with patch(door, wraps=difflib.get_close_matches) as compared:
        assert 1 <= mistakes() <= 50
    assert 1 <= compared.call_count <= 45
