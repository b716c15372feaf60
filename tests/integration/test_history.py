"""History: reading the journal, and writing changes back, over the real database."""
# ruff: noqa: E501  # statements read best on one line

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from robbieblocks import history, record
from robbieblocks.errors import ContentError, UsageError
from robbieblocks.history import Asked, AskedRuns, Change
from robbieblocks.record import RunEnd
from tests.commands import Installation
from tests.databases import Databases
from tests.integration.rows import CONTENT, Db, one
from tests.workers import until

pytestmark = pytest.mark.postgres

HOME: LiteralString = "(SELECT id FROM robbieblocks_pages WHERE page_key = 'home')"
BLOCK: LiteralString = (
    f"UPDATE robbieblocks_page_blocks SET props = %s WHERE page_id = {HOME} AND block_order = 2"
)
# All content, with nothing of when it was written.
ALL: LiteralString = """
    SELECT jsonb_build_object(
        'pages', (SELECT jsonb_object_agg(id, to_jsonb(t) - '{updated_at,imported_hash}'::text[]) FROM robbieblocks_pages t),
        'blocks', (SELECT jsonb_object_agg(id, to_jsonb(t) - '{updated_at,imported_hash}'::text[]) FROM robbieblocks_page_blocks t),
        'components', (SELECT jsonb_object_agg(id, to_jsonb(t) - '{updated_at,imported_hash}'::text[]) FROM robbieblocks_components t),
        'tokens', (SELECT jsonb_object_agg(id, to_jsonb(t) - '{updated_at,imported_hash}'::text[]) FROM robbieblocks_style_tokens t),
        'nodes', (SELECT jsonb_object_agg(id, to_jsonb(t) - '{updated_at,imported_hash}'::text[]) FROM robbieblocks_node_branding t))"""


@pytest.fixture
def own(databases: Databases, schema_template: str) -> Iterator[str]:
    """The address of a database with a little content."""
    with databases.copy(schema_template) as conninfo:
        with psycopg.connect(conninfo) as connection:
            connection.execute(CONTENT)
        yield conninfo


@pytest.fixture
def edited(own: str) -> Iterator[Db]:
    """A connection to it, on which each statement is a transaction."""
    with psycopg.connect(own, autocommit=True, application_name="psql") as connection:
        yield connection


def newest(db: Db) -> Change:
    """The latest change."""
    return history.changes(db, Asked(limit=1))[0]


def said(change: Change) -> list[tuple[Any, ...]]:
    """What a change did, in editors' terms."""
    found = history.difference(change)
    assert found is not None
    return [(each.block, each.field, each.before, each.after) for each in found.fields]


@pytest.mark.parametrize(
    ("statement", "fields"),
    [
        (f"UPDATE robbieblocks_page_blocks SET props = '{{\"maxBet\": 500}}' WHERE page_id = {HOME} AND block_order = 2", [(2, "maxBet", None, "500")]),
        ("UPDATE robbieblocks_pages SET meta_title = 'Open late' WHERE page_key = 'home'", [(None, "title", None, "Open late")]),
        ("UPDATE robbieblocks_pages SET page_key = 'start' WHERE page_key = 'home'", [(None, "key", "home", "start")]),
        ("UPDATE robbieblocks_style_tokens SET default_value = '#fff' WHERE token_key = 'color.primary'", [(None, "value", "#1f5fa8", "#fff")]),
        ("UPDATE robbieblocks_node_branding SET style_overrides = '{\"theme\": \"light\"}', node_name = 'V' WHERE node_id = 'vengeance-local'", None),
        ("UPDATE robbieblocks_components SET react_code = '<b/>' WHERE component_key = 'bar'", [(None, "code", "<i/>", "<b/>")]),
        ("SELECT robbieblocks_move_block('desk', 2, 1)", [(2, "", "1", "2")]),
        ("SELECT robbieblocks_remove_block('home', 1)", [(1, "", "bar", None)]),
        ("SELECT robbieblocks_insert_block('home', 1, 'bar')", [(3, "", None, "bar")]),
        ("SELECT robbieblocks_archive_page('home')", [(None, "status", "published", "archived")]),
        ("DELETE FROM robbieblocks_pages WHERE page_key = 'home'", None),
        ("DELETE FROM robbieblocks_style_tokens WHERE token_key = 'color.primary'", None),
        ("DELETE FROM robbieblocks_components WHERE component_key = 'alone'", None),
        ("DELETE FROM robbieblocks_node_branding WHERE node_id = 'fluenti-local'", None),
        ("UPDATE robbieblocks_pages SET published_at = 'infinity', metadata = NULL WHERE page_key = 'home'", None),
    ],
)  # fmt: skip
def test_a_change_is_told_and_undone(
    edited: Db, statement: LiteralString, fields: list[tuple[Any, ...]] | None
) -> None:
    """A change is said in the words of reviews; an undo leaves every row as it was, and is a change."""
    before = one(edited, ALL)
    edited.execute(statement)
    change = newest(edited)
    assert change.by is not None
    assert change.by.endswith("(psql)")
    if fields is not None:
        assert said(change) == fields
    after = one(edited, ALL)
    history.undo(edited, change, dry_run=True)
    assert one(edited, ALL) == after
    history.undo(edited, change)
    assert one(edited, ALL) == before
    undone = newest(edited)
    assert undone.by is not None
    assert f"robbieblocks changes undo {str(change.id)[:8]}" in undone.by
    history.undo(edited, undone)
    assert one(edited, ALL) == after


def test_any_transaction_can_be_undone(edited: Db) -> None:
    """Whatever a transaction does to a page and its blocks, in whatever order, its undo takes back."""
    chance = random.Random(14)
    steps: tuple[LiteralString, ...] = (
        "SELECT robbieblocks_insert_block('home', %(a)s, 'bar', '{\"n\": 1}')",
        "SELECT robbieblocks_move_block('home', block_order, %(a)s) FROM robbieblocks_page_blocks WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'home') ORDER BY block_order LIMIT 1",
        "UPDATE robbieblocks_page_blocks SET props = jsonb_build_object('n', %(b)s::int) WHERE block_order = %(a)s",
        "UPDATE robbieblocks_page_blocks SET conditions = jsonb_build_object('apps', repeat('x', %(b)s * 900)) WHERE block_order = %(a)s",
        "DELETE FROM robbieblocks_page_blocks WHERE block_order = %(a)s",
        "UPDATE robbieblocks_page_blocks SET page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'about'), block_order = %(c)s WHERE block_order = %(a)s AND page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'home')",
        "UPDATE robbieblocks_pages SET meta_title = %(b)s, metadata = jsonb_build_object('x', repeat('y', %(b)s * 500)) WHERE page_key = 'home'",
        "UPDATE robbieblocks_pages SET meta_description = repeat('z', %(b)s * 700) WHERE page_key IN ('home', 'about')",
    )
    # What happens to drafts is not kept.
    edited.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'draft'")
    free = itertools.count(100)
    for _ in range(25):
        before = one(edited, ALL)
        edited.execute("DELETE FROM robbieblocks_change_triggers")
        with edited.transaction():
            for _ in range(chance.randint(1, 6)):
                values = {"a": chance.randint(0, 4), "b": chance.randint(1, 20), "c": next(free)}
                edited.execute(chance.choice(steps), values)
        after = one(edited, ALL)
        made = history.changes(edited, Asked())
        assert len({change.key for change in made}) == len(made)
        # Blocks that moved to another page leave that one first.
        with edited.transaction(force_rollback=True):
            for change in sorted(made, key=lambda change: change.key != "about"):
                history.undo(edited, change)
            assert one(edited, ALL) == before
        assert one(edited, ALL) == after


def test_an_undo_keeps_what_came_later_elsewhere(edited: Db) -> None:
    """Another field and another block that changed since stay as they are, and so does a new key."""
    edited.execute(BLOCK, ('{"a": 1}',))
    change = newest(edited)
    edited.execute("UPDATE robbieblocks_pages SET page_key = 'start', meta_title = 'x' WHERE page_key = 'home'")  # fmt: skip
    edited.execute("SELECT robbieblocks_insert_block('start', 9, 'bar')")
    history.undo(edited, change)
    rows = edited.execute(
        "SELECT meta_title, block_order, props FROM robbieblocks_pages p JOIN robbieblocks_page_blocks b ON b.page_id = p.id WHERE page_key = 'start' ORDER BY block_order"
    ).fetchall()
    assert rows == [("x", 1, {}), ("x", 2, {}), ("x", 9, {})]


@pytest.mark.parametrize(
    ("first", "later", "why"),
    [
        ("UPDATE robbieblocks_pages SET page_name = 'a' WHERE page_key = 'home'", "UPDATE robbieblocks_pages SET page_name = 'b' WHERE page_key = 'home'", "page_name: is b; the change left a"),
        ("SELECT robbieblocks_move_block('home', 2, 3)", "SELECT robbieblocks_insert_block('home', 2, 'bar')", "another block is there"),
        ("SELECT robbieblocks_insert_block('home', 5, 'bar')", "SELECT robbieblocks_remove_block('home', 5)", "is gone after the change"),
        ("UPDATE robbieblocks_pages SET page_key = 'start' WHERE page_key = 'home'", "UPDATE robbieblocks_pages SET page_key = 'home' WHERE page_key = 'desk'", "another row has its key"),
        ("UPDATE robbieblocks_pages SET page_name = 'a' WHERE page_key = 'home'", "DELETE FROM robbieblocks_pages WHERE page_key = 'home'", "it is deleted"),
        ("DELETE FROM robbieblocks_pages WHERE page_key = 'gone'", "UPDATE robbieblocks_pages SET page_key = 'gone' WHERE page_key = 'desk'", "another row has its key"),
        ("INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema, is_published) VALUES ('new', 'n', 'widget', '<b/>', '{}', true)",
         "INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone) SELECT p.id, c.id, 7, 'main' FROM robbieblocks_pages p, robbieblocks_components c WHERE page_key = 'home' AND component_key = 'new'", "another row needs it"),
        ("UPDATE robbieblocks_components SET react_code = repeat('x', 5000000) WHERE component_key = 'bar'", "SELECT 1", "has not kept"),
    ],
)  # fmt: skip
def test_an_undo_is_refused_where_the_row_changed_since(
    edited: Db, first: LiteralString, later: LiteralString, why: str
) -> None:
    """It says what is there and what the change left, and writes nothing."""
    edited.execute(first)
    change = newest(edited)
    edited.execute(later)
    before = one(edited, ALL)
    with pytest.raises(ContentError, match=why):
        history.undo(edited, change)
    assert one(edited, ALL) == before


def test_a_change_is_undone_in_another_time_zone(own: str, edited: Db) -> None:
    """Times are the same times, whatever zone the editor's and the undo's sessions show them in."""
    edited.execute("SET TimeZone = 'America/New_York'")
    with psycopg.connect(own, autocommit=True, options="-c timezone=Asia/Tokyo") as editor:
        before = one(edited, ALL)
        editor.execute("UPDATE robbieblocks_pages SET published_at = '2026-01-01Z' WHERE page_key = 'home'")  # fmt: skip
        editor.execute("INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) VALUES ('a', 'b', 'c')")  # fmt: skip
        editor.execute("INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps) VALUES ('a', 'b', '{}', '{play}')")  # fmt: skip
        editor.execute("INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema, is_published) VALUES ('new', 'n', 'widget', '<b/>', '{}', true)")  # fmt: skip
        editor.execute("INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone) SELECT p.id, c.id, 7, 'main' FROM robbieblocks_pages p, robbieblocks_components c WHERE page_key = 'home' AND component_key = 'new'")  # fmt: skip
    for change in history.changes(edited, Asked()):
        history.undo(edited, change)
    assert one(edited, ALL) == before


def test_an_undo_waits_for_who_edits_the_block(own: str, edited: Db) -> None:
    """What another session has not committed yet is compared once it has, and not overwritten."""
    edited.execute(BLOCK, ('{"a": 1}',))
    change = newest(edited)
    with psycopg.connect(own, autocommit=True) as second, ThreadPoolExecutor() as threads:
        with edited.transaction():
            edited.execute(BLOCK, ('{"a": 2}',))
            undone = threads.submit(history.undo, second, change)
            pid = second.info.backend_pid
            until(lambda: one(edited, "SELECT pg_blocking_pids(%s) <> '{}'", pid))
        with pytest.raises(ContentError, match=r'props: is \{"a":2\}'):
            undone.result()


def test_long_rows_come_back_whole(edited: Db) -> None:
    """A component of 100 kB that is deleted comes back with its code."""
    edited.execute("UPDATE robbieblocks_components SET react_code = repeat('<i/>', 25000) WHERE component_key = 'alone'")  # fmt: skip
    before = one(edited, ALL)
    edited.execute("DELETE FROM robbieblocks_components WHERE component_key = 'alone'")
    history.undo(edited, newest(edited))
    assert one(edited, ALL) == before


def test_changes_are_filtered(edited: Db) -> None:
    """By row, also under the key that it had, by time and by who made them."""
    edited.execute("UPDATE robbieblocks_pages SET page_key = 'start' WHERE page_key = 'home'")
    edited.execute("UPDATE robbieblocks_style_tokens SET default_value = '#fff' WHERE token_key = 'color.primary'")  # fmt: skip
    token, page = history.changes(edited, Asked())
    assert history.changes(edited, Asked(entity="page", key="home")) == (page,)
    assert history.changes(edited, Asked(entity="page", key="start")) == (page,)
    assert history.changes(edited, Asked(since=token.at)) == (token,)
    assert history.changes(edited, Asked(by="PSQL")) == (token, page)
    assert history.changes(edited, Asked(by="nobody")) == ()
    assert history.change(edited, str(token.id)[:10]) == token
    for unknown in ("", "zzzz", "%"):
        with pytest.raises(UsageError, match="no change begins"):
            history.change(edited, unknown)


def test_rows_of_an_earlier_version_are_read(edited: Db) -> None:
    """A queue row without sides, or with anything in them, is listed and can't be undone."""
    for side in (None, "[1]", '{"blocks": 7}', '"x"'):
        edited.execute(
            f"INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, before) VALUES ('page_update', 'page', {HOME}, %s)",
            (side,),
        )
    edited.execute("INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id) VALUES ('x', 'other', gen_random_uuid())")  # fmt: skip
    found = history.changes(edited, Asked())
    assert len(found) == 5
    for change in found:
        history.difference(change)
        if change.before is None:
            with pytest.raises(ContentError, match="has not kept"):
                history.undo(edited, change)


def test_what_somebody_wrote_into_the_journal_is_refused(edited: Db) -> None:
    """Sides that no trigger wrote, without what a row needs, end in an error that names the row."""
    for side in ('{"blocks": {"a": {}}}', '{"metadata": 1, "published_at": "soon"}', "{}"):
        edited.execute(
            f"INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, before) VALUES ('page_update', 'page', {HOME}, %s)",
            (side,),
        )
        edited.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'home'")
        change = next(each for each in history.changes(edited, Asked()) if each.by is None)
        with pytest.raises(ContentError, match="the database refuses it"):
            history.undo(edited, change)
        history.undo(edited, next(each for each in history.changes(edited, Asked()) if each.by))
        edited.execute("DELETE FROM robbieblocks_change_triggers")


def test_the_commands(own: str, edited: Db, tmp_path: Any) -> None:
    """list, show and undo say what was done, safe to print, and JSON holds it."""
    installation = Installation(home=tmp_path, database_url=own)
    edited.execute("SET application_name = E'x'")
    edited.execute("UPDATE robbieblocks_pages SET meta_title = E'\\x1b[31mred' WHERE page_key = 'home'")  # fmt: skip
    id_ = str(newest(edited).id)
    listing = installation.run("changes", "list", "--page", "home")
    assert id_[:8] in listing.out
    assert "~ page home" in listing.out
    assert "waits" in listing.out
    shown = installation.run("changes", "show", id_[:8])
    assert "title: + \\x1b[31mred" in shown.out
    refused = installation.run("changes", "list", "--page", "home", "--token", "color.primary")
    assert (refused.code, "--page and --token" in refused.error) == (2, True)
    tried = installation.run("changes", "undo", id_, "--dry-run")
    assert "would undo" in tried.out
    undone = installation.run("changes", "undo", id_, "--format", "json")
    assert json.loads(undone.out)["undone"]["fields"][0]["field"] == "title"
    again = installation.run("changes", "undo", id_)
    assert (again.code, "the change left" in again.error) == (1, True)


def ran(db: Db, build_hash: str, changes: list[Change], **pages: str) -> UUID:
    """A finished run of an app; the pages that it touched, and how."""
    run = record.start(
        db,
        node="n",
        app="play",
        triggered_by="cli",
        live_hash=None,
        trigger_ids=[change.id for change in changes],
    )
    touched = [
        {"key": key, "change": change, "causes": [["page", key, ""]]}
        for key, change in pages.items()
    ]
    details = {"plan": "p" * 64, "hash_before": "b" * 64, "pages": touched, "more_pages": 0}
    record.finish(
        db, run, RunEnd(status="success", build_hash=build_hash, details=json.dumps(details))
    )
    return run


def test_a_run_names_its_pages_and_changes(edited: Db) -> None:
    """It has what it did to which page, and whose changes it took along; a change has its runs."""
    edited.execute("UPDATE robbieblocks_pages SET meta_title = 'a' WHERE page_key = 'home'")
    change = newest(edited)
    id_ = ran(edited, "c" * 64, [change], home="changed")
    found = history.run(edited, str(id_)[:13])
    assert (found.id, found.target, found.hash_before) == (id_, "n/play", "b" * 64)
    assert [(page.key, page.change, str(page.causes[0])) for page in found.touched] == [
        ("home", "changed", "page home")
    ]
    assert [each.id for each in history.changes_of(edited, found)] == [change.id]
    assert [(run.run, run.build_hash) for run in newest(edited).runs] == [(id_, "c" * 64)]
    assert history.runs(edited, AskedRuns(node="other")) == ()
    assert history.runs(edited, AskedRuns(status="failed")) == ()
    assert history.runs(edited, AskedRuns(app="play", since=found.started)) == (found,)


def test_runs_of_an_earlier_version_are_read(edited: Db) -> None:
    """A row without node, times and details is a run that nothing more is known of."""
    edited.execute("INSERT INTO robbieblocks_deploys (app_namespace, build_hash, triggered_by, started_at, completed_at) VALUES ('play', 'x', 'hand', NULL, '-infinity')")  # fmt: skip
    edited.execute("INSERT INTO robbieblocks_deploys (app_namespace, build_hash, triggered_by, started_at, details) VALUES ('play', 'x', 'hand', '-infinity', '[1]')")  # fmt: skip
    assert [(run.target, run.touched) for run in history.runs(edited, AskedRuns())] == [
        ("(no node)/play", ()),
        ("(no node)/play", ()),
    ]


def test_what_went_out_between_two_runs(edited: Db) -> None:
    """Pages are as they became in the end, and every change that a run took along is there."""
    first = ran(edited, "a" * 64, [], home="added")
    edited.execute("UPDATE robbieblocks_pages SET meta_title = 'a' WHERE page_key = 'home'")
    one_ = newest(edited)
    ran(edited, "b" * 64, [one_], home="changed", new="added", brief="added", old="removed")
    edited.execute("UPDATE robbieblocks_pages SET meta_title = 'b' WHERE page_key = 'home'")
    two = newest(edited)
    last = ran(edited, "c" * 64, [two], new="changed", brief="removed", old="added", bad="held back")  # fmt: skip
    runs = [history.run(edited, str(each)) for each in (last, first)]
    found = history.between(edited, *runs)
    assert (found.first.id, found.second.id, len(found.runs)) == (first, last, 2)
    assert {page.key: page.change for page in found.touched} == {
        "home": "changed",
        "new": "added",
        "old": "changed",
    }
    assert [change.id for change in found.changes] == [one_.id, two.id]
    back = history.run(edited, str(ran(edited, "a" * 64, [])))
    assert history.between(edited, runs[1], back).touched == ()
    other = record.start(edited, node="m", app="play", triggered_by="cli", live_hash=None)
    with pytest.raises(UsageError, match="two sites"):
        history.between(edited, back, history.run(edited, str(other)))


def test_the_commands_of_runs(own: str, edited: Db, tmp_path: Any) -> None:
    """list, show and diff tell of runs, and JSON has the same."""
    installation = Installation(home=tmp_path, database_url=own)
    first = ran(edited, "a" * 64, [], home="added")
    edited.execute("UPDATE robbieblocks_pages SET meta_title = 'Open late' WHERE page_key = 'home'")
    last = ran(edited, "b" * 64, [newest(edited)], home="changed")
    listing = installation.run("deploys", "list", "--node", "n", "--format", "json")
    assert [run["id"] for run in json.loads(listing.out)["deploys"]] == [str(last), str(first)]
    shown = installation.run("deploys", "show", str(last))
    for told in ("changed: home (page home)", "title: + Open late", "(psql)", "b" * 64):
        assert told in shown.out
    differs = installation.run("deploys", "diff", str(first), str(last))
    assert "title: + Open late" in differs.out
    assert "no run begins" in installation.run("deploys", "show", "ffffffff-ffff").error
