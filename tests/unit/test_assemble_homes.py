"""Where each app of a node begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import NodeIndexes, index_of
from robbieblocks.model import NodeRow, PageRow, Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NODE = NodeRow(id="one", name="One", enabled_apps=("shop", "play"))


def row(app: str, route: str, **more: object) -> PageRow:
    return PageRow(
        id=uuid4(),
        key=f"{app}{route}",
        app=app,
        name=f"{app} {route}",
        route=route,
        layout="single-column",
        **more,  # type: ignore[arg-type] # of tests' own
    )


def content(*pages: PageRow) -> Snapshot:
    return Snapshot(pages=pages, components={}, tokens=(), nodes=(NODE,), taken_at=NOW)


def homes(*pages: PageRow) -> list[tuple[str, str]]:
    return [(home.app, home.route) for home in index_of(content(*pages), NODE).homes]


def test_an_app_begins_at_its_own_name() -> None:
    """`/shop/` is the home of the app `shop`, whatever else it has; else the shortest route is."""
    pages = row("shop", "/a"), row("shop", "/shop/"), row("play", "/x/y"), row("play", "/z")
    assert homes(*pages) == [("shop", "/shop/"), ("play", "/z")]


def test_only_what_the_node_shows_counts() -> None:
    """Apps that it does not enable, shared pages, pages that are not due and routes that can't be
    read have no place."""
    later = NOW + timedelta(hours=1)
    assert not homes(
        row("work", "/work/"),
        row("shared", "/about"),
        row("shop", "/shop/", published_at=later),
        row("play", "no route"),
        row("play", ""),
    )


def test_a_page_at_the_root_is_known() -> None:
    """Of any app of the node, shared among them; and it may be an app's home."""
    index = index_of(content(row("shop", "/"), row("shop", "/shop/")), NODE)
    assert index.root_is_taken
    assert index.homes[0].route == "/shop/"
    assert index_of(content(row("shared", "/")), NODE).root_is_taken
    assert not index_of(content(row("work", "/")), NODE).root_is_taken


def test_a_home_has_its_title_without_placeholders() -> None:
    """As a page that nobody's name is known on."""
    page = row("shop", "/", meta_title="For {{name|you}}", meta_description=" All {{x|of it}}. ")
    (home,) = index_of(content(page), NODE).homes
    assert (home.title, home.description) == ("For you", "All of it.")


PAGES = st.builds(
    row,
    st.sampled_from(("shop", "play", "work", "shared")),
    st.sampled_from(("/", "/index.html", "/shop/", "/play", "/a/", "/a/b/", "no route")),
    meta_title=st.sampled_from(("A", "B")),
    published_at=st.sampled_from((None, NOW, NOW + timedelta(days=1))),
)
STEPS = st.tuples(st.integers(0, 9), st.none() | PAGES, st.sampled_from((-1, 0, 0, 0, 1)))


@given(st.lists(PAGES, max_size=6), st.lists(STEPS, max_size=6))
def test_an_edit_gives_what_looking_at_all_gives(
    pages: list[PageRow], steps: list[tuple[int, PageRow | None, int]]
) -> None:
    """Whatever comes, goes or becomes due; and while nothing does, it is the same object."""
    indexes, at = NodeIndexes(), NOW
    for place, page, days in [(0, None, 0), *steps]:
        pages = [*pages[:place], *([page] if page else []), *pages[place + 1 :]]
        at += timedelta(days=days)
        snapshot = replace(content(*pages), taken_at=at)
        for node in (NODE, replace(NODE, id="two", enabled_apps=("work",))):
            found = indexes.of(snapshot, node)
            assert found == index_of(snapshot, node)
            assert indexes.of(replace(snapshot, taken_at=at), node) is found
