"""Edits go up and down, once, by the rule of the newer row."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres


def new_page(site: Site, key: str, **columns: Any) -> str:
    """Insert a page; its id."""
    return str(
        site.value(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status, meta_title) VALUES (%s, 'play', %s, %s, 'default',"
            " 'published', %s) RETURNING id",
            key,
            key,
            f"/{key}",
            columns.get("title", key),
        )
    )


def title(site: Site, page: str) -> Any:
    return site.value("SELECT meta_title FROM robbieblocks_pages WHERE id = %s", page)


def retitle(site: Site, page: str, text: str) -> None:
    site.run("UPDATE robbieblocks_pages SET meta_title = %s WHERE id = %s", text, page)


def remove(site: Site, page: str) -> None:
    site.run("DELETE FROM robbieblocks_pages WHERE id = %s", page)


def test_an_edit_reaches_every_database_once(fleet: Fleet) -> None:
    """What is inserted, updated and deleted at the master or a node is so everywhere."""
    aurora, vengeance = fleet.nodes
    page = new_page(fleet.master, "down")
    other = new_page(aurora, "up")
    fleet.settle()
    retitle(vengeance, page, "by vengeance")
    retitle(fleet.master, other, "by the master")
    fleet.settle()
    assert fleet.master.content() == aurora.content() == vengeance.content()
    assert [title(site, page) for site in (fleet.master, aurora)] == ["by vengeance"] * 2
    assert title(vengeance, other) == "by the master"
    remove(aurora, page)
    remove(fleet.master, other)
    fleet.settle()
    assert fleet.master.content() == aurora.content() == vengeance.content()
    assert fleet.master.content()["pages"] == {}
    assert fleet.conflicts() == []


def test_the_newer_row_wins_and_the_older_is_kept(fleet: Fleet) -> None:
    """Of two edits of one row the later one is everywhere, both are in the audit; either way."""
    aurora = fleet.nodes[0]
    for first, second, resolution in (
        (aurora, fleet.master, "master_wins"),
        (fleet.master, aurora, "replica_wins"),
    ):
        page = new_page(fleet.master, uuid.uuid4().hex)
        fleet.settle()
        fleet.master.run("DELETE FROM sync_conflicts")
        aurora.admin.execute(f"ALTER SUBSCRIPTION {aurora.role} DISABLE".encode())
        retitle(first, page, "first")
        retitle(second, page, "second")
        fleet.send(aurora)
        aurora.admin.execute(f"ALTER SUBSCRIPTION {aurora.role} ENABLE".encode())
        fleet.settle()
        assert [title(site, page) for site in (fleet.master, *fleet.nodes)] == ["second"] * 3
        [kept] = fleet.conflicts()
        assert kept["resolution"] == resolution
        assert kept["source_node"] == "aurora"
        titles = (kept["master_data"]["meta_title"], kept["replica_data"]["meta_title"])
        assert set(titles) == {"first", "second"}
        assert fleet.master.content() == aurora.content()
