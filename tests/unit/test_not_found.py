"""404 pages: where each stands, what it is kept out of, and what a row may not say besides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from robbieblocks.assemble import Relations, assemble, check_routes, index_of
from robbieblocks.media_names import path_problem
from robbieblocks.model import PageRow
from robbieblocks.release import not_found_files
from tests.integration.releases import manifest
from tests.unit.rows import (
    LAYOUTS,
    NOW,
    a_block,
    a_component,
    a_node,
    a_page,
    a_snapshot,
    nothing_live,
)

OPEN = a_component("card", {"type": "object"})


def lost(key: str = "lost", **fields: Any) -> PageRow:
    metadata = {"not_found": True, **fields.pop("metadata", {})}
    return a_page(key, route="", metadata=metadata, **fields)


def shown(*pages: PageRow, relations: Relations | None = None) -> dict[str, PageRow]:
    content = a_snapshot(*pages, components=(OPEN,))
    return {row.key: row for row in (relations or Relations()).applied(content, NOW).pages}


def held_back(*pages: PageRow, app: str = "play") -> dict[str, list[str]]:
    content = Relations().applied(a_snapshot(*pages, components=(OPEN,)), NOW)
    assembly = assemble(content, app, layouts=LAYOUTS)
    return {key: [str(each) for each in wrong] for key, wrong in assembly.held_back.items()}


def german(key: str, route: str) -> PageRow:
    return a_page(key, route=route, metadata={"lang": "de"})


def test_it_stands_where_its_app_begins() -> None:
    """At `/<app>/`, else where the shortest route is: as the node's list of apps has it."""
    assert shown(lost(), a_page("home", route="/play/"))["lost"].route == "/play/404.html"
    assert shown(lost(), a_page("a", route="/"))["lost"].route == "/404.html"
    assert shown(lost(), a_page("a", route="/x/y"))["lost"].route == "/x/y/404.html"
    assert shown(lost(), a_page("a", route="/x.html"))["lost"].route == "/404.html"
    # No server looks deeper.
    assert shown(lost(), a_page("a", route="/a/b/c/d/"))["lost"].route == "/a/b/c/404.html"


def test_each_language_has_its_own() -> None:
    """Where the app begins in it, by the language's tag in any letters."""
    pages = shown(
        lost(),
        lost("weg", metadata={"lang": "DE"}),
        a_page("home", route="/play/"),
        german("start", "/play/de/"),
        german("mehr", "/play/de/mehr/"),
    )
    assert (pages["lost"].route, pages["weg"].route) == ("/play/404.html", "/play/de/404.html")


def test_of_the_shared_app_it_is_the_nodes() -> None:
    """In its default language without any other page; in another one where it begins in that."""
    pages = shown(
        lost(app="shared"),
        lost("weg", app="shared", metadata={"lang": "de"}),
        a_page("imprint", app="shared", route="/imprint/"),
        a_page("impressum", app="shared", route="/de/impressum/", metadata={"lang": "de"}),
    )
    assert pages["lost"].route == "/404.html"
    assert pages["weg"].route == "/de/impressum/404.html"


def test_without_a_page_in_its_language_it_has_no_place() -> None:
    """Nor with one that is not due; the error says so, and other pages go out."""
    later = a_page("a", route="/play/", published_at=NOW + timedelta(hours=1))
    assert "the app has no page in en that is due" in held_back(lost(), later)["lost"][0]
    home = a_page("home", route="/play/")
    assert held_back(lost(metadata={"lang": "de"}), home).keys() == {"lost"}


def test_two_for_the_same_addresses_are_an_error_that_names_both() -> None:
    """Of one app and language, or of an app at `/` and of the shared one."""
    home = a_page("home", route="/")
    for pages in ([lost(), lost("other"), home], [lost(), lost("other", app="shared"), home]):
        content = Relations().applied(a_snapshot(*pages, components=(OPEN,)), NOW)
        (problem,) = check_routes(content, a_node(), nothing_live)
        assert (problem.key, problem.field, problem.pointer) == ("other", "metadata", "/not_found")
        assert problem.what.startswith(
            "page lost is the 404 page of all addresses below /, too, which is as old"
        )


def test_it_is_in_no_list_and_no_group_and_no_home() -> None:
    """Search engines don't get it either, whatever it says of robots."""
    query: Any = {"items": {"$pages": {"fields": ["key"]}}}
    asks = a_page("asks", route="/play/", blocks=(a_block(props=query),))
    there = lost(metadata={"robots": "index"})
    named = a_page("named", route="/de/", metadata={"lang": "de", "translation_of": "lost"})
    content = Relations().applied(a_snapshot(asks, there, named, components=(OPEN,)), NOW)
    pages = {row.key: row for row in content.pages}
    props: Any = pages["asks"].blocks[0].props
    assert [item["key"] for item in props["items"]] == ["named"]
    assert pages["lost"].metadata == {"not_found": True, "robots": "noindex"}
    assert pages["named"].faults
    assert [home.route for home in index_of(content, a_node()).homes] == ["/play/"]
    kept = shown(asks, lost(metadata={"robots": "none"}))["lost"].metadata
    assert kept == {"not_found": True, "robots": "none"}


def test_it_stays_the_same_object_while_nothing_moves_it() -> None:
    """An edit of another page leaves it alone; one that moves the home moves it."""
    relations, there, home = Relations(), lost(), a_page("home", route="/play/")
    first = shown(there, home, relations=relations)["lost"]
    again = shown(there, home, a_page("more", route="/play/more/"), relations=relations)
    assert again["lost"] is first
    moved = shown(there, a_page("home", route="/"), relations=relations)["lost"]
    assert moved.route == "/404.html"


def test_an_app_without_one_costs_nothing() -> None:
    """Its pages are the very rows."""
    home = a_page("home", route="/play/", metadata={"not_found": False})
    assert shown(home)["home"] is home


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"not_found": "yes"}, "not_found is neither true nor false"),
        ({"feed": {"pages": {}}}, "a 404 page has no feed"),
        ({"redirect_from": ["/old/"]}, "a 404 page has no redirect_from"),
        ({"translation_of": "home"}, "a 404 page has no translation_of"),
    ],
)
def test_what_it_may_not_say_is_an_error(metadata: dict[str, Any], said: str) -> None:
    """Each names the key."""
    wrong = held_back(lost(metadata=metadata), a_page("home", route="/play/"))["lost"]
    assert any(said in each for each in wrong), wrong


def test_a_frame_is_none() -> None:
    """A page that says both is a frame, and its pages are held back by an error that names it."""
    both = a_page("both", route="", metadata={"frame": True, "not_found": True})
    (wrong,) = held_back(both, a_page("home", route="/play/"))["home"]
    assert "both" in wrong
    assert "a 404 page has no frame" in wrong


def test_its_list_has_no_parts() -> None:
    """They would have no address."""
    query: Any = {"items": {"$pages": {"limit": 1, "paginate": True}}}
    there = lost(blocks=(a_block(props=query),))
    (wrong,) = held_back(there, a_page("home", route="/play/"), a_page("b", route="/b/"))["lost"]
    assert "a 404 page shows a list in parts" in wrong


@pytest.mark.parametrize("route", ["/404.html", "/play/404.html", "/a/404.HTML"])
def test_no_other_page_and_no_file_has_its_place(route: str) -> None:
    """Servers take it for a 404 page. The error says how to make one."""
    (wrong,) = held_back(a_page("home", route=route))["home"]
    assert "write not_found = true into metadata" in wrong
    assert path_problem(route.lower()) == "is taken by what RobbieBlocks makes"


def test_files_are_found_by_folder() -> None:
    """The root's is that of all addresses."""
    made = manifest({"404.html": b"", "play/404.html": b"", "play/index.html": b""}, [])
    assert not_found_files(made) == {"": "404.html", "/play": "play/404.html"}
