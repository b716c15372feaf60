"""The schema file: over nothing, over the first version, again, and by two at once."""
# ruff: noqa: E501  # a statement reads best on one line

from __future__ import annotations

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from robbieblocks.database import identity, schema
from robbieblocks.database.catalogue import FILE
from robbieblocks.database.embedded.server import _binaries
from robbieblocks.database.schema import catalogue
from robbieblocks.errors import RightsMissing
from tests.databases import Databases
from tests.integration.rows import Db, one

pytestmark = pytest.mark.postgres

_EARLIER = Path(__file__).parents[1] / "fixtures" / "earlier-21-robbieblocks-cms.sql"


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


_TABLES = (
    "robbieblocks_pages",
    "robbieblocks_components",
    "robbieblocks_page_blocks",
    "robbieblocks_style_tokens",
    "robbieblocks_node_branding",
    "robbieblocks_deploys",
    "robbieblocks_change_triggers",
)


def _rows(db: Db) -> dict[str, list[Any]]:
    tables: tuple[LiteralString, ...] = (
        "SELECT to_jsonb(t) - '{base_url,settings,imported_hash}'::text[] FROM robbieblocks_node_branding t ORDER BY id",
        "SELECT to_jsonb(t) - '{incarnation,worker,heartbeat_at,trigger_ids,details}'::text[] FROM robbieblocks_deploys t ORDER BY id",
        "SELECT to_jsonb(t) - '{handled_nodes,change_xid,changed_by,before,after,pending}'::text[] FROM robbieblocks_change_triggers t ORDER BY id",
        "SELECT to_jsonb(t) - 'imported_hash' FROM robbieblocks_pages t ORDER BY id",
        "SELECT to_jsonb(t) - 'imported_hash' FROM robbieblocks_components t ORDER BY id",
        "SELECT to_jsonb(t) - 'imported_hash' FROM robbieblocks_page_blocks t ORDER BY id",
        "SELECT to_jsonb(t) - 'imported_hash' FROM robbieblocks_style_tokens t ORDER BY id",
        "SELECT to_jsonb(t) FROM notes t",
    )
    return {query: db.execute(query).fetchall() for query in tables}


@pytest.mark.parametrize(
    "default", ["SET DEFAULT uuid_generate_v4()", "SET DEFAULT md5('x')::uuid", "DROP DEFAULT"]
)
def test_over_the_first_version(empty_database: str, default: str) -> None:
    """Over the first version rows stay as they are, its triggers go, and the schema is complete."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.add_notice_handler(lambda notice: pytest.fail(str(notice.message_primary)))
        db.execute(_EARLIER.read_bytes())
        for table in _TABLES:
            db.execute(f"ALTER TABLE {table} ALTER id {default}".encode())
        before = _rows(db)
        upgraded = schema.upgrade(db)
        assert upgraded.remaining == ()
        assert "removed trigger robbieblocks_pages.page_update_trigger" in upgraded.changes
        assert "added column robbieblocks_change_triggers.handled_nodes" in upgraded.changes
        assert _rows(db) == before
        assert schema.upgrade(db) == schema.Upgraded(changes=(), remaining=())
        assert schema.verify(db) == ()
        # What is not ours goes on working, with the function that it shares with the first version.
        db.execute("UPDATE notes SET body = 'x'")
        db.execute("UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'old-home'")
        assert (
            one(
                db,
                "SELECT count(*) FROM robbieblocks_change_triggers WHERE isfinite(created_at) AND created_at > now() - interval '1 hour' AND affected_nodes = '{collaboration-local,vengeance-local}'",
            )
            == 1
        )
        assert one(db, "SELECT get_node_styles('vengeance-local') ->> 'color.primary'") == "#8B5CF6"


def test_rows_that_do_not_fit_a_check_stay(empty_database: str) -> None:
    """A check that earlier rows break binds new rows only, and is made good once they fit."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        db.execute("ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_status_check")
        db.execute("UPDATE robbieblocks_pages SET status = 'hidden' WHERE page_key = 'old-draft'")
        schema.apply(db)
        assert schema.verify(db) == ()
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
    ready = threading.Barrier(4)

    def work(_number: int) -> None:
        with psycopg.connect(empty_database, autocommit=True) as db:
            ready.wait(30)
            schema.apply(db)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))


@pytest.mark.parametrize("home", ["public", "My Cms"])
def test_a_dump_that_is_restored_is_as_the_file_makes_it(
    empty_database: str, databases: Databases, home: str
) -> None:
    """After pg_dump and pg_restore nothing differs, in whatever schema the tables are."""
    programs = _binaries()
    options = f'-csearch_path="{home}"'.replace(" ", "\\ ")
    source = make_conninfo(empty_database, options=options)
    with psycopg.connect(source, autocommit=True) as made:
        made.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(home)))
        schema.apply(made)
        assert schema.verify(made) == ()
        known = identity(made)
    dumped = subprocess.run(
        [programs / "pg_dump", "--format=custom", "--no-owner", source],
        check=True,
        stdout=subprocess.PIPE,
    )
    with databases.copy() as target:
        subprocess.run(
            [programs / "pg_restore", "--no-owner", "--exit-on-error", "--dbname", target],
            check=True,
            input=dumped.stdout,
        )
        there = make_conninfo(target, options=options)
        with psycopg.connect(there, autocommit=True) as restored:
            assert schema.verify(restored) == ()
            assert schema.upgrade(restored).changes == ()
            assert identity(restored) == known


def test_each_database_has_an_id_that_anyone_may_read(db: Db, empty_database: str) -> None:
    """Made once, whatever is applied later; without it `db verify` says so; another has another."""
    with psycopg.connect(empty_database, user="postgres", autocommit=True) as other:
        assert identity(other) is None
        schema.apply(other)
        known = identity(other)
        assert known not in (None, identity(db))
        schema.apply(other)
        other.execute("REVOKE ALL ON FUNCTION robbieblocks_database_id() FROM PUBLIC")
        other.execute("SET ROLE pg_monitor")
        assert identity(other) == known
        other.execute("RESET ROLE; DROP FUNCTION robbieblocks_database_id()")
        (missing,) = schema.verify(other)
        assert (missing.what, missing.found, missing.remedy) == (
            "function robbieblocks_database_id()",
            None,
            schema.UPGRADE,
        )
        assert schema.upgrade(other).changes == ("added function robbieblocks_database_id()",)
        assert identity(other) not in (None, known)


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
        "ALTER TABLE robbieblocks_page_blocks ALTER zone TYPE varchar(9), ALTER block_order DROP NOT NULL"
    )
    db.execute("ALTER TABLE robbieblocks_pages DISABLE TRIGGER robbieblocks_capture_update")
    db.execute("DROP INDEX robbieblocks_deploys_history_idx")
    db.execute(
        "CREATE OR REPLACE FUNCTION get_page_config(page_key_param varchar) RETURNS json LANGUAGE sql AS 'SELECT NULL::json'"
    )
    db.execute("ALTER TABLE robbieblocks_pages ADD COLUMN mine text")
    found = {difference.what: difference.remedy for difference in schema.verify(db)}
    assert found == {
        "column robbieblocks_page_blocks.block_order": "ALTER TABLE robbieblocks_page_blocks ALTER COLUMN block_order SET NOT NULL",
        "column robbieblocks_page_blocks.zone": "DROP VIEW IF EXISTS robbieblocks_active_deploys, robbieblocks_published_pages; ALTER TABLE robbieblocks_page_blocks ALTER COLUMN zone TYPE character varying(50); then robbieblocks db upgrade",
        "function get_page_config(page_key_param character varying)": schema.UPGRADE,
        "index robbieblocks_deploys_history_idx": schema.UPGRADE,
        "trigger robbieblocks_pages.robbieblocks_capture_update": schema.UPGRADE,
    }
    remaining = schema.upgrade(db).remaining
    assert {difference.what for difference in remaining} == {
        "column robbieblocks_page_blocks.block_order",
        "column robbieblocks_page_blocks.zone",
    }


def test_without_rights(db: Db, database: str) -> None:
    """A role that may only use the schema verifies it, and may not apply it."""
    with psycopg.connect(database, user="postgres", autocommit=True) as other:
        other.execute("CREATE ROLE reader_for_test")
        try:
            other.execute("SET ROLE reader_for_test")
            assert schema.verify(other) == ()
            with pytest.raises(RightsMissing, match="apply the schema"):
                schema.apply(other)
        finally:
            other.execute("RESET ROLE")
            other.execute("DROP ROLE reader_for_test")


def test_the_stored_catalogue_is_what_the_file_makes(db: Db) -> None:
    """`make catalogue` would write what is there."""
    assert FILE.read_text() == catalogue.as_text(catalogue.made(db))


# --- what serves as well -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE robbieblocks_pages ALTER created_at SET DEFAULT CURRENT_TIMESTAMP",
        "ALTER TABLE robbieblocks_pages ALTER created_at SET DEFAULT transaction_timestamp()",
        "ALTER TABLE robbieblocks_components ALTER version TYPE varchar(80)",
        "ALTER TABLE robbieblocks_components ALTER version TYPE text",
        "DROP VIEW robbieblocks_active_deploys; DROP INDEX robbieblocks_deploys_active_idx; ALTER TABLE robbieblocks_deploys ALTER deploy_status TYPE text",
        "ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_status_check, ADD CHECK (status IN ('draft', 'published', 'archived'))",
        "ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_status_check, ADD CONSTRAINT mine CHECK (status IN ('published', 'archived', 'draft', 'hidden'))",
        "ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_page_key_key, ADD CONSTRAINT mine UNIQUE (page_key)",
        "ALTER TABLE robbieblocks_page_blocks DROP CONSTRAINT robbieblocks_page_blocks_page_id_fkey, ADD CONSTRAINT mine FOREIGN KEY (page_id) REFERENCES robbieblocks_pages (id) ON DELETE CASCADE",
    ],
)
def test_what_means_the_same_or_is_wider_is_no_difference(db: Db, statement: LiteralString) -> None:
    """Other words for the same, longer texts and more words are accepted, also after an upgrade."""
    db.execute(statement)
    assert schema.upgrade(db).remaining == ()
    assert schema.verify(db) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE robbieblocks_pages ALTER created_at SET DEFAULT clock_timestamp() - interval '1 day'",
        "ALTER TABLE robbieblocks_components ALTER version TYPE varchar(10)",
        "ALTER TABLE robbieblocks_page_blocks ALTER block_order TYPE bigint",
        "ALTER TABLE robbieblocks_deploys DROP CONSTRAINT robbieblocks_deploys_deploy_status_check, ADD CONSTRAINT robbieblocks_deploys_deploy_status_check CHECK (deploy_status IN ('success', 'failed'))",
        "ALTER TABLE robbieblocks_page_blocks DROP CONSTRAINT robbieblocks_page_blocks_page_id_fkey, ADD CONSTRAINT mine FOREIGN KEY (page_id) REFERENCES robbieblocks_pages (id)",
    ],
)
def test_what_is_narrower_or_means_something_else_is_a_difference(
    db: Db, statement: LiteralString
) -> None:
    """What could refuse a row that the program writes, or does something else, is named."""
    db.execute(statement)
    assert len(schema.verify(db)) == 1


def test_a_remedy_that_is_printed_works(db: Db) -> None:
    """The statements for a narrow column that a view shows can be run as they are."""
    db.execute(
        "DROP VIEW robbieblocks_published_pages; ALTER TABLE robbieblocks_pages ALTER app_namespace TYPE varchar(40)"
    )
    schema.apply(db)
    (difference,) = schema.verify(db)
    statements, _, command = difference.remedy.partition("; then ")
    assert command == schema.UPGRADE
    db.execute(statements.encode())
    assert schema.upgrade(db).remaining == ()


def test_status_columns_are_widened_and_rights_on_views_kept(db: Db) -> None:
    """Where a type is altered, the views on it are made again, for those who might read them."""
    db.execute(
        """DROP VIEW robbieblocks_active_deploys, robbieblocks_published_pages;
           ALTER TABLE robbieblocks_pages ALTER status TYPE varchar(20);
           ALTER TABLE robbieblocks_deploys ALTER deploy_status TYPE varchar(20), ALTER node_id SET NOT NULL;
           CREATE VIEW robbieblocks_active_deploys AS SELECT deploy_status, node_id FROM robbieblocks_deploys;
           CREATE VIEW robbieblocks_published_pages AS SELECT page_key, status FROM robbieblocks_pages;
           GRANT SELECT ON robbieblocks_active_deploys, robbieblocks_published_pages TO PUBLIC"""
    )
    upgraded = schema.upgrade(db)
    assert upgraded.remaining == ()
    assert "changed column robbieblocks_pages.status" in upgraded.changes
    assert (
        one(
            db,
            "SELECT count(*) FROM pg_class, aclexplode(relacl) r WHERE relkind = 'v' AND r.grantee = 0 AND relname LIKE 'robbieblocks%'",
        )
        == 2
    )
    assert schema.upgrade(db).changes == ()


def test_a_view_of_an_operators_own_stops_no_upgrade(db: Db) -> None:
    """A column that somebody's view shows stays as it is, and its difference is named."""
    db.execute(
        """DROP VIEW robbieblocks_active_deploys, robbieblocks_published_pages;
           ALTER TABLE robbieblocks_pages ALTER status TYPE varchar(20);
           CREATE VIEW mine AS SELECT status FROM robbieblocks_pages"""
    )
    (difference,) = schema.upgrade(db).remaining
    assert difference.what == "column robbieblocks_pages.status"


# --- seeds -------------------------------------------------------------------------------------


def test_seeds_are_for_tables_that_are_being_created(empty_database: str) -> None:
    """A database that has tables gets no row from the file, however often it is applied."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        for _ in range(2):
            schema.apply(db)
            assert one(db, "SELECT count(*) FROM robbieblocks_style_tokens") == 33
            assert one(db, "SELECT count(*) FROM robbieblocks_node_branding") == 4
        db.execute("DELETE FROM robbieblocks_style_tokens; DELETE FROM robbieblocks_node_branding")
        schema.apply(db)
        assert one(db, "SELECT count(*) FROM robbieblocks_style_tokens") == 0
        assert one(db, "SELECT count(*) FROM robbieblocks_node_branding") == 0


def test_indexes_of_the_first_version_stay(empty_database: str) -> None:
    """Queries of the installation's own may need them."""
    listed: LiteralString = "SELECT array_agg(indexname::text ORDER BY indexname) FROM pg_indexes WHERE indexname LIKE 'idx_%'"
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        before = one(db, listed)
        schema.apply(db)
        assert one(db, listed) == before
        assert len(before) == 17


# --- reading ---------------------------------------------------------------------------------

_READ: LiteralString = """
    SELECT get_page_config('old-home'), get_page_config('old-draft'), get_page_config('nope'),
           get_node_styles('vengeance-local'), get_node_styles('nope'),
           get_page_config(page_key_param => 'old-home') IS NULL,
           get_node_styles(node_id_param => 'vengeance-local') IS NULL,
           (SELECT json_agg(v) FROM robbieblocks_published_pages v),
           (SELECT json_agg(v ORDER BY id) FROM robbieblocks_active_deploys v)
"""


def _holds(after: Any, before: Any) -> bool:
    """Whether everything in a JSON value is in another, which may hold more."""
    if isinstance(before, dict):
        return all(key in after and _holds(after[key], value) for key, value in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_holds, after, before))
    return bool(after == before)


def test_readers_of_the_first_version_find_what_they_read(empty_database: str) -> None:
    """After an upgrade every key and column is there with its value; ours stand beside them."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        # The first version could not read a time without end.
        db.execute("UPDATE robbieblocks_deploys SET started_at = now() + interval '1 hour'")
        db.execute("CREATE VIEW mine AS SELECT running_seconds FROM robbieblocks_active_deploys")
        db.execute("CREATE VIEW too AS SELECT last_update FROM robbieblocks_published_pages")
        columns: LiteralString = "SELECT attrelid::regclass::text, attnum, attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid IN ('robbieblocks_active_deploys'::regclass, 'robbieblocks_published_pages'::regclass)"
        with db.transaction():
            typed, before = db.execute(columns).fetchall(), db.execute(_READ).fetchone()
            schema.apply(db)
            after = db.execute(_READ).fetchone()
            assert set(typed) < set(db.execute(columns).fetchall())
        assert before is not None
        assert after is not None
        assert [_holds(*pair) for pair in zip(after, before, strict=True)] == [True] * len(before)
        assert before[1] is after[1] is None
        assert after[0]["page_key"] == after[0]["page"]["page_key"] == "old-home"
        assert after[0]["blocks"][0]["component"]["react_code"].startswith("const OldBar")
        assert after[3]["font.size.2xl"] == after[3]["base_tokens"]["font.size.2xl"] == "1.5rem"


def test_a_time_without_end_stops_no_reader(empty_database: str) -> None:
    """Runs of the first version with any time are listed."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        schema.apply(db)
        db.execute(
            "UPDATE robbieblocks_deploys SET started_at = '4000-01-01 BC' WHERE deploy_status = 'building'"
        )
        assert db.execute(
            "SELECT running_seconds FROM robbieblocks_active_deploys ORDER BY id"
        ).fetchall() == [(2147483647,), (2147483647,), (None,)]


def test_get_page_config(db: Db) -> None:
    """A published page's configuration holds its blocks in order; there is none for another."""
    config = one(db, "SELECT get_page_config('desk')")
    assert config["page_route"] == "/desk"
    assert [block["component_key"] for block in config["blocks"]] == ["bar", "outer"]
    assert one(db, "SELECT get_page_config('gone')")["blocks"] == []
    assert one(db, "SELECT get_page_config('nope')") is None
    assert one(db, "SELECT get_page_config('draft')") is None


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
    read: LiteralString = "SELECT app_namespace, page_keys, component_keys, page_count FROM robbieblocks_published_pages"
    assert {app: rest for app, *rest in db.execute(read)} == {
        "play": [["home"], ["bar"], 1],
        "work": [["desk"], ["bar", "outer"], 1],
        "shared": [["about"], ["unpublished"], 1],
        "nobody": [["gone"], None, 1],
    }
    db.execute("""INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, deploy_status, triggered_by)
                  SELECT 'vengeance-local', 'play', 'none', status, 'cli' FROM unnest(ARRAY['pending', 'deploying', 'failed']) status""")
    assert (
        one(db, "SELECT count(*) FROM robbieblocks_active_deploys WHERE node_name = 'Vengeance'")
        == 2
    )
