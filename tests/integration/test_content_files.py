"""Rows to files and back: nothing is lost, nothing churns, and nobody's change is overwritten."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from robbieblocks.content import (
    Block,
    Component,
    Content,
    Page,
    RowMerge,
    RowName,
    Side,
    Token,
    export,
    import_,
    load,
    remember_export,
    seed,
    stored,
)
from robbieblocks.errors import ContentError, DatabaseUnavailable, SiteUnavailable
from robbieblocks.model import NodeRow
from robbieblocks.settings import resource_dir

pytestmark = pytest.mark.postgres

TABLES = ("page_blocks", "pages", "components", "style_tokens", "node_branding", "change_triggers")
BAR = Component(key="bar", name="Bar", type="widget", code="<p/>", props_schema={})
HOME = Page(
    key="home",
    name="Home",
    app="play",
    route="/",
    layout="single-column",
    blocks=(
        Block(order=1, zone="main", component="bar", props={"n": 1}),
        Block(order=2, zone="main", component="bar", props={"n": 2}),
    ),
)
SMALL = Content(
    components=(BAR,),
    pages=(HOME,),
    tokens=(Token(key="color.test", category="color", value="#fff"),),
    nodes=(NodeRow(id="one", name="One", overrides={"theme": "dark"}),),
)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        empty(opened)
        yield opened


def empty(connection: psycopg.Connection) -> None:
    for table in TABLES:
        connection.execute(f"DELETE FROM robbieblocks_{table}")


def exported(connection: psycopg.Connection, folder: Path, side: Side = None) -> dict[str, bytes]:
    """Every file of an export into a folder, by its path."""
    export(stored(connection), folder / "content", folder / "node_branding", side=lambda _: side)
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def read(folder: Path) -> Content:
    return load(folder / "content", folder / "node_branding")


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def actions(rows: Iterable[RowMerge]) -> dict[str, str]:
    return {str(row.name): row.action for row in rows if row.action != "unchanged"}


def queued(connection: psycopg.Connection) -> int:
    return connection.execute("SELECT FROM robbieblocks_change_triggers").rowcount


def test_the_seed_content_comes_back_as_it_went_in(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Export of imported files says the same; into another database it gives the same bytes."""
    given_ = load(resource_dir("schema") / "content", resource_dir("node_branding"))
    seed(connection, given_)
    first = exported(connection, tmp_path / "first")
    assert read(tmp_path / "first") == given_
    empty(connection)
    import_(connection, read(tmp_path / "first"))
    assert exported(connection, tmp_path / "second") == first


def test_an_export_over_its_own_files_touches_none(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Comments, order and line ends of a file whose row is unchanged stay to the byte."""
    seed(connection, SMALL)
    exported(connection, tmp_path)
    page = tmp_path / "content" / "pages" / "home.toml"
    page.write_text("# Ours.\r\n" + page.read_text().replace('name = "Home"', "name   = 'Home'"))
    before = page.read_bytes()
    done = export(stored(connection), tmp_path / "content", tmp_path / "node_branding")
    assert done.written == ()
    assert page.read_bytes() == before


def test_an_export_keeps_the_comments_of_what_it_changes(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """One token changes; the lines of the others, and the remarks between them, stay."""
    tokens = tmp_path / "content" / "tokens.toml"
    tokens.parent.mkdir()
    text = '# Colour\n"a" = { value = "1", category = "x" } # one\n"b" = { value = "2" }\n'
    tokens.write_text(text)
    (tmp_path / "node_branding").mkdir()
    seed(connection, read(tmp_path))
    connection.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = '3' WHERE token_key = 'a'"
    )
    exported(connection, tmp_path)
    assert tokens.read_text() == text.replace('"1"', '"3"')


def change_every_row(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE robbieblocks_pages SET page_name = 'Row'")
    connection.execute("UPDATE robbieblocks_components SET component_name = 'Row'")
    connection.execute("UPDATE robbieblocks_style_tokens SET default_value = 'row'")
    connection.execute("UPDATE robbieblocks_node_branding SET node_name = 'Row'")


EDITS = (
    ("content/pages/home.toml", '"Home"', '"Edited"'),
    ("content/components/bar/component.toml", '"Bar"', '"Edited"'),
    ("content/tokens.toml", "#fff", "#000"),
    ("node_branding/one.toml", '"One"', '"Edited"'),
)


@pytest.mark.parametrize("rows_change", [True, False])
def test_an_export_keeps_files_that_were_edited_since_the_import(
    connection: psycopg.Connection, tmp_path: Path, rows_change: bool
) -> None:
    """Whether their rows have changed, too, or not; the database wins where that is chosen."""
    seed(connection, SMALL)
    before = exported(connection, tmp_path)
    for name, was, now in EDITS:
        edit(tmp_path / name, was, now)
    if rows_change:
        change_every_row(connection)
    folders = (tmp_path / "content", tmp_path / "node_branding")
    done = export(stored(connection), *folders, prune=True)
    assert {str(each.name) for each in done.kept} == set(map(str, SMALL.rows()))
    assert (done.written, done.removed, done.in_step) == ((), (), ())
    assert all(now in (tmp_path / name).read_text() for name, _, now in EDITS)
    kept = export(stored(connection), *folders, side=lambda _: "theirs")
    assert kept.written == ()
    assert all(each.chosen for each in kept.kept)
    after = exported(connection, tmp_path, side="ours")
    assert (after == before) is not rows_change
    assert read(tmp_path) == stored(connection).content


def test_an_export_replaces_files_that_were_not_edited(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    seed(connection, SMALL)
    exported(connection, tmp_path)
    change_every_row(connection)
    done = export(stored(connection), tmp_path / "content", tmp_path / "node_branding")
    assert (done.kept, len(done.written)) == ((), 4)
    assert read(tmp_path) == stored(connection).content


def test_a_token_that_only_its_file_has_stays_without_prune(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    seed(connection, SMALL)
    exported(connection, tmp_path)
    tokens = tmp_path / "content/tokens.toml"
    tokens.write_text(tokens.read_text() + '"color.new" = { value = "1", category = "color" }\n')
    folders = (tmp_path / "content", tmp_path / "node_branding")
    done = export(stored(connection), *folders)
    assert [str(name) for name in done.strange_tokens] == ["token/color.new"]
    assert "color.new" in tokens.read_text()
    export(stored(connection), *folders, prune=True)
    assert "color.new" not in tokens.read_text()


def test_files_are_in_step_after_an_export(connection: psycopg.Connection, tmp_path: Path) -> None:
    """A row that the database changed, and that was exported, is changed by its file alone again.

    Nothing is built for it, and no time of the row moves. In a folder from which nothing is
    imported an export settles nothing: the project's older files would win over the rows.
    """
    seed(connection, SMALL)
    exported(connection, tmp_path / "project")
    change_every_row(connection)
    waiting = queued(connection)
    moments = "SELECT updated_at FROM robbieblocks_pages"
    moment = connection.execute(moments).fetchall()
    for place, settled in (("elsewhere", False), ("project", True)):
        folders = (tmp_path / place / "content", tmp_path / place / "node_branding")
        held = stored(connection)
        done = export(held, *folders)
        remember_export(connection, held, done.in_step)
        assert bool(done.in_step) is settled
    assert (queued(connection), connection.execute(moments).fetchall()) == (waiting, moment)
    edit(tmp_path / "project/content/pages/home.toml", '"Row"', '"Edited"')
    assert actions(import_(connection, read(tmp_path / "project"))) == {"page/home": "update"}


def test_an_import_that_says_nothing_new_writes_nothing(connection: psycopg.Connection) -> None:
    seed(connection, SMALL)
    before = queued(connection)
    assert actions(import_(connection, SMALL)) == {}
    assert queued(connection) == before


def test_what_only_the_file_changed_is_written(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    seed(connection, SMALL)
    exported(connection, tmp_path)
    edit(tmp_path / "content/pages/home.toml", '"Home"', '"House"')
    assert actions(import_(connection, read(tmp_path), dry_run=True)) == {"page/home": "update"}
    assert stored(connection).content.pages[0].name == "Home"
    assert actions(import_(connection, read(tmp_path))) == {"page/home": "update"}
    assert stored(connection).content.pages[0].name == "House"
    assert actions(import_(connection, read(tmp_path))) == {}


def test_an_older_file_takes_back_nothing_that_a_design_tool_brought(
    connection: psycopg.Connection,
) -> None:
    """For content files, a design tool's values are a change of the database; for the tool's own
    next file they are not, and what both say alike counts as imported from content files."""

    def files(value: str) -> dict[str, str]:
        return actions(import_(connection, colored(value)))

    def tool(value: str) -> dict[str, str]:
        return actions(import_(connection, colored(value), only="token", source="design tokens"))

    def colored(value: str) -> Content:
        return Content(tokens=(Token(key="color.test", category="color", value=value),))

    assert files("red") == {"token/color.test": "add"}
    assert tool("blue") == {"token/color.test": "update"}
    assert files("red") == {"token/color.test": "conflict"}
    assert tool("green") == {"token/color.test": "update"}
    assert files("green") == {}
    assert tool("green") == {}
    assert files("red") == {"token/color.test": "update"}


def test_what_only_the_database_changed_is_kept(connection: psycopg.Connection) -> None:
    seed(connection, SMALL)
    connection.execute("UPDATE robbieblocks_components SET css_styles = 'p {}'")
    assert actions(import_(connection, SMALL)) == {"component/bar": "keep"}
    assert stored(connection).content.components[0].css == "p {}"


def changed_twice(connection: psycopg.Connection) -> Content:
    """The files of a component that the database has changed otherwise."""
    seed(connection, SMALL)
    connection.execute("UPDATE robbieblocks_components SET react_code = '<b/>'")
    tokens = (replace(SMALL.tokens[0], value="#000"),)
    return replace(SMALL, components=(replace(BAR, code="<i/>"),), tokens=tokens)


def test_what_both_changed_is_a_conflict_and_nothing_is_written(
    connection: psycopg.Connection,
) -> None:
    files = changed_twice(connection)
    assert actions(import_(connection, files)) == {
        "component/bar": "conflict",
        "token/color.test": "update",
    }
    now = stored(connection).content
    assert (now.components[0].code, now.tokens[0].value) == ("<b/>", "#fff")


@pytest.mark.parametrize(("side", "code"), [("theirs", "<i/>"), ("ours", "<b/>")])
def test_a_side_that_was_chosen_settles_the_conflict(
    connection: psycopg.Connection, side: Side, code: str
) -> None:
    """After it the file counts as imported, so that the same import is no conflict again."""
    files = changed_twice(connection)
    import_(connection, files, side=lambda _: side)
    now = stored(connection).content
    assert (now.components[0].code, now.tokens[0].value) == (code, "#000")
    again = actions(import_(connection, files))
    assert "conflict" not in again.values()
    assert stored(connection).content == now


def test_a_side_decides_conflicts_alone(connection: psycopg.Connection) -> None:
    """What only the database has changed, or only it has, stays when the files win."""
    seed(connection, SMALL)
    connection.execute("UPDATE robbieblocks_pages SET page_name = 'House'")
    connection.execute(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
        " VALUES ('mine', 'x', '1')"
    )
    merged = import_(connection, SMALL, prune=True, side=lambda _: "theirs")
    assert actions(merged) == {"page/home": "keep", "token/mine": "keep"}


def test_blocks_changed_on_both_sides_are_merged_where_they_are_others(
    connection: psycopg.Connection,
) -> None:
    seed(connection, SMALL)
    connection.execute(
        "UPDATE robbieblocks_page_blocks SET props = '{\"n\": 20}' WHERE block_order = 2"
    )
    one, two = HOME.blocks
    files = replace(SMALL, pages=(replace(HOME, blocks=(replace(one, props={"n": 10}), two)),))
    assert actions(import_(connection, files)) == {"page/home": "update"}
    (page,) = stored(connection).content.pages
    assert [block.props for block in page.blocks] == [{"n": 10}, {"n": 20}]
    assert actions(import_(connection, files)) == {"page/home": "keep"}


def test_a_block_changed_on_both_sides_is_a_conflict(connection: psycopg.Connection) -> None:
    seed(connection, SMALL)
    connection.execute("UPDATE robbieblocks_page_blocks SET props = '{\"n\": 5}'")
    one, two = HOME.blocks
    files = replace(SMALL, pages=(replace(HOME, blocks=(replace(one, props={"n": 10}), two)),))
    assert actions(import_(connection, files)) == {"page/home": "conflict"}


def test_a_block_that_the_database_deleted_does_not_come_back(
    connection: psycopg.Connection,
) -> None:
    seed(connection, SMALL)
    connection.execute("DELETE FROM robbieblocks_page_blocks WHERE block_order = 2")
    assert actions(import_(connection, SMALL)) == {"page/home": "keep"}
    assert len(stored(connection).content.pages[0].blocks) == 1


def test_rows_whose_files_are_gone_are_removed_with_prune_alone(
    connection: psycopg.Connection,
) -> None:
    other = replace(HOME, key="other", blocks=())
    seed(connection, replace(SMALL, pages=(HOME, other)))
    assert actions(import_(connection, SMALL)) == {"page/other": "keep"}
    assert actions(import_(connection, SMALL, prune=True)) == {"page/other": "remove"}
    assert stored(connection).content == SMALL


def test_prune_asks_before_a_kind_of_row_is_gone_altogether(
    connection: psycopg.Connection,
) -> None:
    """An empty or wrong folder empties no table, unless the files are said to win."""
    seed(connection, SMALL)
    asked = actions(import_(connection, replace(SMALL, nodes=()), prune=True))
    assert asked == {"node/one": "conflict"}
    assert set(actions(import_(connection, Content(), prune=True)).values()) == {"conflict"}
    assert stored(connection).content == SMALL
    import_(connection, Content(), prune=True, side=lambda _: "theirs")
    assert stored(connection).content == Content()


def test_prune_spares_what_was_never_imported_and_what_has_changed(
    connection: psycopg.Connection,
) -> None:
    seed(connection, SMALL)
    connection.execute(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
        " VALUES ('mine', 'x', '1')"
    )
    connection.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = '2' WHERE token_key = 'color.test'"
    )
    files = replace(SMALL, tokens=())
    assert actions(import_(connection, files, prune=True)) == {
        "token/color.test": "conflict",
        "token/mine": "keep",
    }


def test_a_component_that_a_page_still_places_is_not_removed(
    connection: psycopg.Connection,
) -> None:
    seed(connection, SMALL)
    files = replace(SMALL, components=(replace(BAR, key="other"),))
    with pytest.raises(ContentError, match=r"page home, block 1.*'bar'"):
        import_(connection, files, prune=True)
    connection.execute("UPDATE robbieblocks_pages SET published_at = 'infinity'")
    with pytest.raises(ContentError, match=r"page home, block 1.*'bar'"):
        import_(
            connection,
            files,
            prune=True,
            side=lambda name: "ours" if name.kind == "page" else None,
        )


class Meanwhile:
    """Executes a statement over another connection once, after the rows were read."""

    def __init__(self, database: str, statement: LiteralString) -> None:
        self.database = database
        self.statement: LiteralString = statement

    def __call__(self, _: RowName) -> Side:
        if statement := self.statement:
            self.statement = ""
            with psycopg.connect(self.database) as other:
                other.execute(statement)
        return None


def test_a_row_that_is_edited_during_an_import_is_not_overwritten(
    database: str, connection: psycopg.Connection
) -> None:
    """The import starts again, and finds what the edit has made of it."""
    seed(connection, SMALL)
    edit_ = Meanwhile(database, "UPDATE robbieblocks_components SET react_code = '<u/>'")
    files = replace(SMALL, components=(replace(BAR, code="<i/>"),))
    assert actions(import_(connection, files, side=edit_)) == {"component/bar": "conflict"}
    assert stored(connection).content.components[0].code == "<u/>"


def test_an_import_whose_connection_breaks_says_so(
    database: str, connection: psycopg.Connection
) -> None:
    """The error is ours, whatever was to be cleaned up behind it."""
    seed(connection, SMALL)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
    end += " current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with pytest.raises(DatabaseUnavailable, match="import the content"):
        import_(connection, replace(SMALL, pages=()), side=Meanwhile(database, end))


def test_a_row_that_no_file_can_hold_is_named_and_the_others_go_out(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    seed(connection, SMALL)
    connection.execute("UPDATE robbieblocks_pages SET published_at = 'infinity'")
    found = stored(connection)
    assert "published_at" in str(found.unreadable[RowName("page", "home")])
    assert "content/components/bar/component.tsx" in exported(connection, tmp_path)
    assert actions(import_(connection, SMALL)) == {"page/home": "conflict"}


def test_a_status_that_no_file_may_say_is_named(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """In a database of an earlier version; the other files can be read back."""
    seed(connection, SMALL)
    connection.execute(
        "ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_status_check"
    )
    connection.execute("UPDATE robbieblocks_pages SET status = 'hidden'")
    assert "status: is 'hidden'" in str(stored(connection).unreadable[RowName("page", "home")])
    exported(connection, tmp_path)
    assert read(tmp_path) == replace(SMALL, pages=())


def test_an_export_leaves_the_files_of_a_row_that_can_not_be_read(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """They are the last that is known of it: not strange, and not removed with prune."""
    seed(connection, SMALL)
    before = exported(connection, tmp_path)
    connection.execute("UPDATE robbieblocks_pages SET published_at = 'infinity'")
    connection.execute("UPDATE robbieblocks_components SET dependencies = '{NULL}'")
    connection.execute("UPDATE robbieblocks_node_branding SET style_overrides = '[1]'")
    found = stored(connection)
    assert len(found.unreadable) == 3
    done = export(found, tmp_path / "content", tmp_path / "node_branding", prune=True)
    assert (done.written, done.removed, done.strange) == ((), (), ())
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_what_a_component_has_no_more_leaves_its_folder(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Without its stylesheet and schema the files say what the row says."""
    full = replace(BAR, css="p {}", props_schema={"type": "object"})
    seed(connection, replace(SMALL, components=(full,)))
    exported(connection, tmp_path)
    connection.execute("UPDATE robbieblocks_components SET css_styles = NULL, props_schema = '{}'")
    done = export(stored(connection), tmp_path / "content", tmp_path / "node_branding")
    assert [file.name for file in done.removed] == ["component.css", "props.schema.json"]
    assert read(tmp_path).components == (BAR,)


def test_an_export_mends_a_file_that_no_reader_of_toml_takes_if_told_to(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """What such a file says is in no row: unasked it stays."""
    seed(connection, SMALL)
    before = exported(connection, tmp_path)
    for name in ("content/tokens.toml", "content/pages/home.toml"):
        (tmp_path / name).write_text("number = " + "1" * 5000)
    assert exported(connection, tmp_path) != before
    assert exported(connection, tmp_path, side="ours") == before


def test_an_export_writes_through_no_symlink(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    seed(connection, SMALL)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "pages").symlink_to(elsewhere)
    with pytest.raises(SiteUnavailable, match="symlink"):
        exported(connection, tmp_path)
    assert list(elsewhere.iterdir()) == []
    # Nor through what lies where it writes aside.
    (tmp_path / "content" / "tokens.toml").unlink(missing_ok=True)
    (tmp_path / "content" / "pages").unlink()
    (tmp_path / "content" / ".tokens.toml.new").unlink(missing_ok=True)
    (tmp_path / "content" / ".tokens.toml.new").symlink_to(elsewhere / "aside")
    (tmp_path / "node_branding").mkdir(exist_ok=True)
    os.mkfifo(tmp_path / "node_branding" / ".one.toml.new")
    (tmp_path / "node_branding" / "one.toml").unlink(missing_ok=True)
    assert "content/tokens.toml" in exported(connection, tmp_path)
    assert list(elsewhere.iterdir()) == []


def test_an_export_removes_nothing_behind_a_symlink(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """A project that is itself reached by one is exported like any other."""
    (tmp_path / "real").mkdir()
    project = tmp_path / "project"
    project.symlink_to("real")
    seed(connection, SMALL)
    assert "node_branding/one.toml" in exported(connection, project)
    precious = tmp_path / "precious.txt"
    precious.touch()
    (project / "content" / "components" / "strange").symlink_to(tmp_path)
    with pytest.raises(SiteUnavailable, match="symlink"):
        export(stored(connection), project / "content", project / "node_branding", prune=True)
    assert precious.exists()


def test_a_value_that_nests_too_deep_for_a_file_is_named(connection: psycopg.Connection) -> None:
    seed(connection, SMALL)
    deep = "[" * 2000 + "]" * 2000
    connection.execute("UPDATE robbieblocks_components SET props_schema = %s", (deep,))
    assert "props_schema" in str(stored(connection).unreadable[RowName("component", "bar")])


def test_a_node_that_no_branding_file_may_describe_is_named(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    seed(connection, SMALL)
    connection.execute("UPDATE robbieblocks_node_branding SET style_overrides = '[1]'")
    assert RowName("node", "one") in stored(connection).unreadable
    assert "content/pages/home.toml" in exported(connection, tmp_path)


# --- Any content --------------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
keys = st.one_of(st.sampled_from(["a", "A", "b/c", "..", "con", ""]), texts)
numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)
overrides = st.fixed_dictionaries(
    {},
    optional={
        "theme": st.sampled_from(["dark", "light"]),
        "color.x": texts | st.integers(),
        "font": st.dictionaries(st.sampled_from(["a", "b-c"]), texts, max_size=2),
    },
)
moments = st.none() | st.datetimes(timezones=st.just(UTC)).filter(lambda at: 2 < at.year < 9998)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Content with rows of every kind, their texts and values whatever the columns can hold."""
    components = [
        Component(
            key=key,
            name=draw(texts),
            type=draw(texts),
            code=draw(texts),
            props_schema=draw(values.filter(lambda value: value is not None)),
            css=draw(st.none() | texts),
            dependencies=tuple(draw(st.lists(texts, max_size=2))),
            version=draw(texts),
            published=draw(st.booleans()),
            preview_url=draw(st.none() | texts),
            metadata=draw(objects),
        )
        for key in sorted(draw(st.sets(keys, min_size=1, max_size=3)))
    ]
    pages = [
        Page(
            key=key,
            name=draw(texts),
            app=draw(texts),
            route=draw(texts),
            layout=draw(texts),
            title=draw(st.none() | texts),
            description=draw(st.none() | texts),
            status=draw(st.sampled_from(["draft", "published", "archived"])),
            version=draw(st.integers(-(2**31), 2**31 - 1)),
            published_at=draw(moments),
            created_by=draw(st.none() | st.integers(0, 9)),
            metadata=draw(objects),
            blocks=tuple(
                Block(
                    order=order,
                    zone=draw(texts),
                    component=draw(st.sampled_from(components)).key,
                    props=draw(objects),
                    conditions=draw(objects),
                )
                for order in sorted(draw(st.sets(st.integers(-5, 5), max_size=2)))
            ),
        )
        for key in sorted(draw(st.sets(keys, max_size=2)))
    ]
    tokens = [
        Token(key=key, category=draw(texts), value=draw(texts), description=draw(st.none() | texts))
        for key in sorted(draw(st.sets(keys, max_size=2)))
    ]
    nodes = [
        NodeRow(
            id=key,
            name=draw(texts),
            overrides=draw(overrides),
            enabled_apps=tuple(draw(st.lists(st.sampled_from(["play", "work"]), max_size=2))),
            custom_css=draw(texts),
            custom_scripts=draw(texts),
            base_url=draw(texts),
            settings=draw(overrides),
        )
        for key in sorted(draw(st.sets(st.sampled_from(["one", "two.local"]), max_size=2)))
    ]
    return Content(
        components=tuple(components), pages=tuple(pages), tokens=tuple(tokens), nodes=tuple(nodes)
    )


@given(contents())
@example(
    Content(
        tokens=(Token(key="x", category="", value=""),),
        nodes=(NodeRow(id="one", name="One", overrides={"x": 2**63}),),
    )
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_content_goes_round(
    connection: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory, content: Content
) -> None:
    """Import, export, import into an empty database, export: the same bytes, and the same rows."""
    empty(connection)
    seed(connection, content)
    folder = tmp_path_factory.mktemp("first")
    first = exported(connection, folder)
    # Not the content that was given: Postgres writes a float of seventeen digits as an integer.
    assert read(folder) == stored(connection).content
    assert actions(import_(connection, read(folder))) == {}
    empty(connection)
    import_(connection, read(folder))
    assert exported(connection, tmp_path_factory.mktemp("second")) == first
