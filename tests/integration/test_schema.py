"""The schema file: over nothing, over the first version, again, and by two at once."""
# ruff: noqa: E501  # a statement reads best on one line

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from robbieblocks.database import schema
from robbieblocks.database.embedded.server import _binaries
from robbieblocks.errors import UsageError
from tests.integration.rows import CONTENT, Db, one

pytestmark = pytest.mark.postgres

_EARLIER = Path(__file__).parents[1] / "fixtures" / "earlier-21-robbieblocks-cms.sql"


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """A connection to a database with a little content and an empty queue."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(CONTENT)
        yield connection


# --- the file --------------------------------------------------------------------------------


def test_seven_tables(db: Db) -> None:
    """There are seven tables."""
    assert one(db, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'robbieblocks%'") == 7


def test_fresh_database_is_as_the_file_makes_it(empty_database: str) -> None:
    """Over nothing, the file gives nodes, tokens and an empty queue; verify agrees; twice is once."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.add_notice_handler(lambda notice: pytest.fail(str(notice.message_primary)))
        assert "table robbieblocks_pages" in {difference.what for difference in schema.verify(db)}
        schema.apply(db)
        assert schema.verify(db) == ()
        assert schema.upgrade(db) == schema.Upgraded(changes=(), remaining=())
        assert db.execute(
            "SELECT node_id, style_overrides ->> 'theme', enabled_apps FROM robbieblocks_node_branding ORDER BY 1"
        ).fetchall() == [
            ("aurora-town-local", "light", ["work", "code"]),
            ("collaboration-local", "light", ["work", "play", "code"]),
            ("fluenti-local", "dark", ["work", "code"]),
            ("vengeance-local", "dark", ["play", "code"]),
        ]
        categories = {
            row[0]
            for row in db.execute("SELECT DISTINCT token_category FROM robbieblocks_style_tokens")
        }
        assert categories >= {"color", "font", "spacing", "shadow", "animation", "radius"}
        assert one(db, "SELECT count(*) FROM robbieblocks_change_triggers") == 0


def _rows(db: Db) -> dict[str, list[Any]]:
    tables: tuple[LiteralString, ...] = (
        "SELECT to_jsonb(t) - 'base_url' FROM robbieblocks_node_branding t ORDER BY id",
        "SELECT to_jsonb(t) - '{incarnation,worker,heartbeat_at,trigger_ids,details}'::text[] FROM robbieblocks_deploys t ORDER BY id",
        "SELECT to_jsonb(t) - '{handled_nodes,change_xid}'::text[] FROM robbieblocks_change_triggers t ORDER BY id",
        "SELECT to_jsonb(t) FROM robbieblocks_pages t ORDER BY id",
        "SELECT to_jsonb(t) FROM robbieblocks_components t ORDER BY id",
        "SELECT to_jsonb(t) FROM robbieblocks_page_blocks t ORDER BY id",
        "SELECT to_jsonb(t) FROM robbieblocks_style_tokens t WHERE token_key IN ('color.primary', 'old.token') ORDER BY id",
        "SELECT to_jsonb(t) FROM notes t",
    )
    return {query: db.execute(query).fetchall() for query in tables}


@pytest.mark.parametrize("default", [" DEFAULT gen_random_uuid()", " DEFAULT md5('x')::uuid", ""])
def test_over_the_first_version(empty_database: str, default: str) -> None:
    """Over the first version rows stay as they are, its triggers go, and the schema is complete."""
    earlier = _EARLIER.read_text().replace(" DEFAULT gen_random_uuid()", default)
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.add_notice_handler(lambda notice: pytest.fail(str(notice.message_primary)))
        db.execute(earlier.encode())
        before = _rows(db)
        upgraded = schema.upgrade(db)
        assert upgraded.remaining == ()
        assert "removed trigger robbieblocks_pages.page_update_trigger" in upgraded.changes
        assert "added column robbieblocks_change_triggers.handled_nodes" in upgraded.changes
        assert _rows(db) == before
        assert schema.upgrade(db).changes == ()
        # What is not ours goes on working, with the function that it shares with the first version.
        db.execute("UPDATE notes SET body = 'x'")
        db.execute("UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'old-home'")
        assert (
            one(
                db,
                "SELECT count(*) FROM robbieblocks_change_triggers WHERE created_at > now() - interval '1 hour' AND affected_nodes = '{vengeance-local}'",
            )
            == 1
        )
        assert one(db, "SELECT get_node_styles('vengeance-local') ->> 'color.primary'") == "hotpink"


def test_rows_that_do_not_fit_a_check_stay(empty_database: str) -> None:
    """A check that earlier rows break binds new rows only, and is made good once they fit."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        schema.apply(db)
        valid: LiteralString = "SELECT convalidated FROM pg_constraint WHERE conname = 'robbieblocks_pages_status_check'"
        assert one(db, valid) is False
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(
                "UPDATE robbieblocks_pages SET status = 'nonsense' WHERE page_key = 'old-home'"
            )
        db.execute("UPDATE robbieblocks_pages SET status = 'archived' WHERE status = 'hidden'")
        schema.apply(db)
        assert one(db, valid) is True


def test_edits_survive(db: Db) -> None:
    """Applying again keeps an operator's tokens and nodes, and brings back no node that was removed."""
    db.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = 'mine' WHERE token_key = 'color.primary'"
    )
    db.execute("DELETE FROM robbieblocks_node_branding WHERE node_id <> 'vengeance-local'")
    schema.apply(db)
    assert (
        one(
            db,
            "SELECT default_value FROM robbieblocks_style_tokens WHERE token_key = 'color.primary'",
        )
        == "mine"
    )
    assert one(db, "SELECT count(*) FROM robbieblocks_node_branding") == 1


def test_two_at_once(empty_database: str) -> None:
    """Several sessions that apply the schema to one empty database all succeed."""
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def work() -> None:
        try:
            with psycopg.connect(empty_database, autocommit=True) as db:
                ready.wait()
                schema.apply(db)
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_dump_that_is_restored_is_as_the_file_makes_it(db: Db, empty_database: str) -> None:
    """After pg_dump and pg_restore nothing differs: conditions are spelled as Postgres spells them."""
    programs = _binaries()
    dumped = subprocess.run(
        [programs / "pg_dump", "--format=custom", "--no-owner", db.info.dsn],
        check=True,
        stdout=subprocess.PIPE,
    )
    subprocess.run(
        [programs / "pg_restore", "--no-owner", "--exit-on-error", "--dbname", empty_database],
        check=True,
        input=dumped.stdout,
    )
    with psycopg.connect(empty_database, autocommit=True) as restored:
        assert schema.verify(restored) == ()
        assert schema.upgrade(restored).changes == ()


def test_the_index_of_an_earlier_version_is_replaced(db: Db) -> None:
    """The index whose condition Postgres rewrote goes, and another with that name is not missed."""
    db.execute(
        "CREATE INDEX robbieblocks_deploys_unfinished_idx ON robbieblocks_deploys (node_id)"
        " WHERE deploy_status IN ('pending', 'building', 'deploying')"
    )
    db.execute("DROP INDEX robbieblocks_deploys_active_idx")
    upgraded = schema.upgrade(db)
    assert upgraded.remaining == ()
    assert upgraded.changes == (
        "added index robbieblocks_deploys_active_idx",
        "removed index robbieblocks_deploys_unfinished_idx",
    )


def test_a_view_of_an_earlier_version_with_other_columns_is_made_again(db: Db) -> None:
    """Where CREATE OR REPLACE can't turn a view into the file's, it is dropped first."""
    db.execute("DROP VIEW robbieblocks_published_pages")
    db.execute("CREATE VIEW robbieblocks_published_pages AS SELECT 1 AS other")
    assert schema.upgrade(db).changes == ("changed view robbieblocks_published_pages",)
    assert schema.verify(db) == ()


_WAITS: LiteralString = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event IN ('PgSleep', 'relation')
"""


@pytest.mark.parametrize("earlier", [False, True])
def test_no_deadlock_with_editors(empty_database: str, *, earlier: bool) -> None:
    """An editor who has read and edited some tables may edit any other while the schema waits to be
    applied; it is applied once the editor has committed."""
    with psycopg.connect(empty_database, autocommit=True) as db, ThreadPoolExecutor() as aside:
        db.execute(_EARLIER.read_bytes()) if earlier else schema.apply(db)
        with db.transaction():
            db.execute("SELECT * FROM robbieblocks_published_pages")
            db.execute("UPDATE robbieblocks_node_branding SET node_name = node_name")
            applied = aside.submit(_apply, empty_database)
            end = time.monotonic() + 20
            with psycopg.connect(empty_database, autocommit=True) as watch:
                while not (one(watch, _WAITS) or applied.done()) and time.monotonic() < end:
                    pass
            assert not applied.done()
            db.execute("UPDATE robbieblocks_components SET component_name = 'edited'")
            db.execute("""INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template)
                          VALUES ('new', 'play', 'edited', '/new', 'single-column')""")
        applied.result()
        assert schema.verify(db) == ()
        assert (
            one(db, "SELECT page_name FROM robbieblocks_pages WHERE page_key = 'new'") == "edited"
        )


def _apply(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as db:
        schema.apply(db)


def test_verifying_makes_no_deadlock_with_applying(empty_database: str) -> None:
    """Sessions that verify an earlier version while others bring it up to date stop nobody."""

    def verify(_: int) -> tuple[schema.Difference, ...]:
        with psycopg.connect(empty_database, autocommit=True) as db:
            return schema.verify(db)

    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
    with ThreadPoolExecutor(16) as aside:
        found = aside.map(verify, range(8))
        for applied in [aside.submit(_apply, empty_database) for _ in range(8)]:
            applied.result()
        # None saw it half done.
        assert {len(differences) > 20 or not differences for differences in found} == {True}
    assert verify(0) == ()


def test_verify_names_each_difference_with_a_remedy(db: Db) -> None:
    """What was changed by hand is named, with the statement or command that mends it."""
    db.execute(
        "ALTER TABLE robbieblocks_page_blocks ALTER zone TYPE text, ALTER block_order DROP NOT NULL"
    )
    db.execute("ALTER TABLE robbieblocks_pages DISABLE TRIGGER robbieblocks_capture_update")
    db.execute("DROP INDEX robbieblocks_deploys_history_idx")
    db.execute(
        "CREATE OR REPLACE FUNCTION get_page_config(page_key text) RETURNS json LANGUAGE sql AS 'SELECT NULL::json'"
    )
    db.execute("ALTER TABLE robbieblocks_pages ADD COLUMN mine text")
    found = {difference.what: difference.remedy for difference in schema.verify(db)}
    assert found == {
        "column robbieblocks_page_blocks.block_order": "ALTER TABLE robbieblocks_page_blocks ALTER COLUMN block_order SET NOT NULL",
        "column robbieblocks_page_blocks.zone": "ALTER TABLE robbieblocks_page_blocks ALTER COLUMN zone TYPE character varying(50)",
        "function get_page_config(page_key text)": schema.UPGRADE,
        "index robbieblocks_deploys_history_idx": schema.UPGRADE,
        "trigger robbieblocks_pages.robbieblocks_capture_update": schema.UPGRADE,
    }
    remaining = schema.upgrade(db).remaining
    assert {difference.what for difference in remaining} == {
        "column robbieblocks_page_blocks.block_order",
        "column robbieblocks_page_blocks.zone",
    }


def test_without_rights(db: Db, database: str) -> None:
    """A role that may not create a schema is told so, and nothing is left behind."""
    with psycopg.connect(database, user="postgres", autocommit=True) as other:
        other.execute("CREATE ROLE reader_for_test")
        try:
            other.execute("SET ROLE reader_for_test")
            with pytest.raises(UsageError, match="verify the schema"):
                schema.verify(other)
            with pytest.raises(UsageError, match="apply the schema"):
                schema.apply(other)
        finally:
            other.execute("RESET ROLE")
            other.execute("DROP ROLE reader_for_test")


# --- reading ---------------------------------------------------------------------------------


def test_get_page_config(db: Db) -> None:
    """A page's configuration holds its blocks in order; there is none for an unknown page."""
    config = one(db, "SELECT get_page_config('desk')")
    assert config["page_route"] == "/desk"
    assert [block["component_key"] for block in config["blocks"]] == ["bar", "outer"]
    assert one(db, "SELECT get_page_config('gone')")["blocks"] == []
    assert one(db, "SELECT get_page_config('nope')") is None


def test_get_node_styles(db: Db) -> None:
    """A node's styles are every token, overridden where the node does, and its theme."""
    styles = one(db, "SELECT get_node_styles('vengeance-local')")
    assert styles["theme"] == "dark"
    assert set(styles) > {
        row[0] for row in db.execute("SELECT token_key FROM robbieblocks_style_tokens")
    }
    assert one(db, "SELECT get_node_styles('nope')") is None


def test_views(db: Db) -> None:
    """The views show published pages with their components, and the runs that have not ended."""
    read: LiteralString = "SELECT page_key, component_keys FROM robbieblocks_published_pages"
    pages: dict[str, list[str] | None] = dict(db.execute(read))
    assert pages == {
        "home": ["bar", "bar"],
        "desk": ["bar", "outer"],
        "about": ["unpublished"],
        "gone": None,
    }
    db.execute("""INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, deploy_status, triggered_by)
                  SELECT 'vengeance-local', 'play', 'none', status, 'cli' FROM unnest(ARRAY['pending', 'deploying', 'failed']) status""")
    assert (
        one(db, "SELECT count(*) FROM robbieblocks_active_deploys WHERE node_name = 'Vengeance'")
        == 2
    )
