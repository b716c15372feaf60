"""Sitemaps that are altered by edits: as if made anew, whatever came before."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import PreparedPage
from robbieblocks.model import AssembledPage, PageEntry, Sha256, Translation
from robbieblocks.pipeline.sitemaps import Sitemaps
from tests.unit.rows import a_page

BASE = "https://e.org"


class Said(NamedTuple):
    """What rows say of a page, and whether it is live, and listed."""

    route: str
    modified: str
    day: int
    group: tuple[str, ...]
    is_live: bool
    listed: bool


KEYS = ("a", "b", "c", "d")
SAID = st.builds(
    Said,
    route=st.sampled_from(("/", "/x/", "/é&/")),
    modified=st.sampled_from(("", "2026-01-02", "2026-03-04")),
    day=st.integers(1, 3),
    group=st.sampled_from(((), (), ("a", "b"), ("a", "b", "c"))),
    is_live=st.booleans(),
    listed=st.booleans(),
)
STATES = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(KEYS), SAID), st.sampled_from(((), ("a",)))),
    max_size=5,
)


def entry_of(key: str, said: Said) -> PageEntry:
    route = f"/{key}{said.route}"
    return PageEntry(
        key=key, route=route, path=f"{route}index.html", inputs=Sha256(""), listed=said.listed
    )


def prepared_of(key: str, said: Said) -> PreparedPage:
    group = tuple(
        Translation(lang=k, key=k, route="", title="", default=k == "b") for k in said.group
    )
    page = AssembledPage(
        key=key,
        app="play",
        route=f"/{key}{said.route}",
        path="",
        layout="",
        title="",
        blocks=(),
        translations=group,
    )
    published = datetime(2026, 1, said.day, tzinfo=UTC)
    return PreparedPage(row=a_page(key, modified=said.modified, published_at=published), page=page)


@given(STATES)
def test_a_sitemap_that_is_altered_is_that_of_a_build_from_nothing(
    states: list[tuple[dict[str, Said], tuple[str, ...]]],
) -> None:
    """Pages come, go, move, join groups and are held; what is as it was is the same object."""
    kept = Sitemaps()
    entries, pages = dict[tuple[str, Said], PageEntry](), dict[tuple[str, Said], PreparedPage]()
    for state, held in states:
        said = sorted(state.items())
        live = [entries.setdefault(each, entry_of(*each)) for each in said if each[1].is_live]
        made = [pages.setdefault(each, prepared_of(*each)) for each in said]
        found = kept.file("play", BASE, live, made, held=set(held), more=())
        assert found == Sitemaps().file("play", BASE, live, made, held=set(held), more=())


def test_routes_are_sorted_absolute_and_encoded() -> None:
    """With those of other apps; without an address there is no sitemap."""
    said = Said("/é&/", "", 1, (), is_live=True, listed=True)
    live = [entry_of("b", said), entry_of("a", said)]
    hidden = entry_of("c", said._replace(listed=False))
    xml = Sitemaps().file("play", f"{BASE}/", [*live, hidden], [], held=set(), more=())
    assert xml is not None
    assert re.findall("<loc>(.*?)</loc>", xml.decode()) == [
        "https://e.org/a/%C3%A9%26/",
        "https://e.org/b/%C3%A9%26/",
    ]
    assert Sitemaps().file("play", "", live, [], held=set(), more=()) is None
