"""Each command under each role of schema/roles.sql, and what it says where a right is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks import changes
from robbieblocks.settings import Settings
from tests.commands import Installation
from tests.workers import Worker, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROLES = Path(__file__).parents[2] / "schema" / "roles.sql"
NODE = "vengeance-local"
READING = (
    ("status", "--quick"),
    ("status",),
    ("build", "--dry-run", "--node", NODE),
    ("db", "verify"),
    ("doctor",),
)
_EDIT = (
    "UPDATE robbieblocks_pages SET meta_title = 'By an editor' WHERE page_key = 'robbie-code-home'"
)
_COMPONENT_EDIT = """
    UPDATE robbieblocks_components SET react_code = react_code || '\n'
     WHERE component_key = 'code-shelf'
"""
_SUBMISSION = """
    INSERT INTO form_submissions (form_name, node_id, app, page_key, fields)
    VALUES ('contact', 'day', 'play', 'contact', '{}')
"""
_CLEAR = """
    DROP OWNED BY robbieblocks_reviewer, robbieblocks_worker, robbieblocks_editor;
    DROP ROLE robbieblocks_reviewer, robbieblocks_worker, robbieblocks_editor;
    DROP ROLE IF EXISTS reviewer, worker, editor, nobody;
    ALTER ROLE robbieblocks NOCREATEROLE;
"""


@contextmanager
def accounts(database: str) -> Iterator[None]:
    """The roles, which are made twice, and an account in each, while it is entered."""
    with psycopg.connect(database, user="postgres", autocommit=True) as superuser:
        superuser.execute("ALTER ROLE robbieblocks CREATEROLE")
        try:
            with psycopg.connect(database, autocommit=True) as owner:
                for _ in range(2):
                    owner.execute(ROLES.read_bytes())
            for role in ("reviewer", "worker", "editor"):
                superuser.execute(f"CREATE ROLE {role} LOGIN IN ROLE robbieblocks_{role}".encode())
            superuser.execute("CREATE ROLE nobody LOGIN")
            yield
        finally:
            superuser.execute(_CLEAR)


@pytest.fixture
def roles(installation: Installation, seeded_database: str) -> Iterator[Installation]:
    """An installation whose database has the roles, and an account in each."""
    with accounts(seeded_database):
        yield installation


def under(roles: Installation, role: str) -> Installation:
    """The same installation, used with a role's account."""
    return replace(roles, database_url=make_conninfo(roles.database_url or "", user=role))


def test_a_reviewer_reads_and_writes_nothing(roles: Installation) -> None:
    """What only reads works; what writes ends with the grant that it would need."""
    reviewer = under(roles, "reviewer")
    with psycopg.connect(reviewer.database_url or "", autocommit=True) as connection:
        connection.execute("SELECT content FROM media_assets")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM media_assets")
    for command in READING:
        ran = reviewer.run(*command)
        assert ran.code == 0, (command, ran.out, ran.err)
    built = reviewer.run("build", "--node", NODE)
    assert built.code == 3
    assert "GRANT UPDATE ON robbieblocks_deploys TO reviewer;" in built.error


def test_an_editor_takes_content_out_and_brings_it_back(
    roles: Installation, tmp_path: Path
) -> None:
    """An import needs the rights of an editor, all of which are in one grant; an export and a
    difference those of a reviewer."""
    editor, reviewer = under(roles, "editor"), under(roles, "reviewer")
    site = str(tmp_path / "site")
    assert reviewer.run("content", "export", site).code == 0
    assert reviewer.run("content", "diff", site, "--check").code == 0
    (tmp_path / "project").mkdir()
    own = reviewer.run("content", "export", cwd=tmp_path / "project")
    # The demo's rows were imported, and are in step already.
    assert (own.code, own.err) == (0, "")
    with psycopg.connect(roles.database_url or "", autocommit=True) as connection:
        connection.execute("UPDATE robbieblocks_pages SET imported_hash = NULL")
        own = reviewer.run("content", "export", cwd=tmp_path / "project")
        assert (own.code, "don't count as imported: could not" in own.err) == (0, True)
        assert editor.run("content", "export", cwd=tmp_path / "project").err == ""
        assert not connection.execute(
            "SELECT FROM robbieblocks_pages WHERE imported_hash IS NULL"
        ).fetchall()
    for file in Path(site).rglob("tokens.toml"):
        file.write_text(file.read_text().replace("120ms", "130ms"))
    for role in ("reviewer", "worker"):
        refused = under(roles, role).run("content", "import", site)
        grant = f"GRANT INSERT, UPDATE ON robbieblocks_style_tokens TO {role};"
        assert (refused.code, grant in refused.error) == (3, True), refused.err
    done = editor.run("content", "import", site)
    assert (done.code, done.err) == (0, ""), done.err
    assert "token/animation.fast" in done.out


def test_a_worker_builds_what_an_editor_writes(
    roles: Installation, make_settings: Callable[..., Settings]
) -> None:
    """An editor's account changes content and no more, and a worker's publishes it and no more."""
    worker, editor = under(roles, "worker"), under(roles, "editor")
    built = worker.run("build", "--node", NODE)
    assert built.code == 0, built.out + built.err
    for each in (worker, editor):
        ran = each.run("db", "verify")
        assert ran.code == 0, ran.out + ran.err
        assert each.run("status", "--quick").code == 0
    settings = replace(
        make_settings(worker.database_url),
        site_root=worker.site,
        home=worker.home,
        cache=worker.home / "cache",
    )
    page = settings.site_root / NODE / "code" / "current" / "code" / "index.html"
    with psycopg.connect(roles.database_url or "") as owner:
        owner.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    with running(process := Worker(settings, NODE)):
        process.wait_until_ready()
        with psycopg.connect(editor.database_url or "", autocommit=True) as connection:
            connection.execute(_EDIT)
            connection.execute("SELECT robbieblocks_duplicate_block('robbie-code-home', 1)")
            connection.execute(_COMPONENT_EDIT)
            connection.execute("SELECT get_page_config('robbie-code-home')")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM robbieblocks_change_triggers")
        until(lambda: "By an editor" in page.read_text(), "the edit")
        assert process.stop() == 0
        assert not process.logged("change.refused")
    with psycopg.connect(worker.database_url or "", autocommit=True) as connection:
        changes.remove_processed(connection, {})
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(_EDIT)


def test_what_visitors_send_is_for_the_worker_alone(roles: Installation) -> None:
    """Others are told what they lack; without the right to store it, no form is taken at all."""
    worker = under(roles, "worker")
    with psycopg.connect(worker.database_url or "", autocommit=True) as connection:
        connection.execute(_SUBMISSION)
    for role in ("reviewer", "editor"):
        refused = under(roles, role).run("forms", "list")
        grant = f"GRANT SELECT ON form_submissions TO {role};"
        assert (refused.code, refused.out, grant in refused.error) == (3, "", True), refused.err
    listed = worker.run("forms", "list")
    assert (listed.code, "contact" in listed.out) == (0, True), listed.err
    assert worker.run("forms", "delete", listed.out.split()[0]).code == 0
    with psycopg.connect(roles.database_url or "", autocommit=True) as owner:
        owner.execute("REVOKE INSERT ON form_submissions FROM robbieblocks_worker")
    (roles.home.parent / "robbieblocks.toml").write_text("[forms.contact]\n")
    refused = worker.run("forms", "receive", "--node", NODE)
    grant = "GRANT INSERT ON form_submissions TO worker;"
    assert (refused.code, grant in refused.error) == (3, True), refused.err


def test_without_any_right_each_command_names_the_first_grant(roles: Installation) -> None:
    """Exit code 3, one error, and exactly what the owner of the tables has to run."""
    nobody = under(roles, "nobody")
    for command, grant in (
        (("build",), "GRANT SELECT ON robbieblocks_node_branding TO nobody;"),
        (("status",), "GRANT SELECT ON robbieblocks_node_branding TO nobody;"),
        (("worker", "--node", NODE), "GRANT SELECT ON robbieblocks_node_branding TO nobody;"),
        (("db", "upgrade"), "GRANT CREATE ON SCHEMA public TO nobody;"),
    ):
        ran = nobody.run(*command)
        assert (ran.code, grant in ran.error) == (3, True), (command, ran.err)
    ran = nobody.run("doctor")
    assert (ran.code, "GRANT robbieblocks_reviewer TO nobody;" in ran.out) == (1, True), ran.out
    with psycopg.connect(roles.database_url or "", autocommit=True) as owner:
        owner.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    ran = nobody.run("build")
    assert (ran.code, "GRANT USAGE ON SCHEMA public TO nobody;" in ran.error) == (3, True), ran.err
