"""Content into the rows of a real database."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from robbieblocks.cache import Cache
from robbieblocks.content import (
    PACKAGED,
    Block,
    Component,
    Content,
    Page,
    RowMerge,
    Token,
    import_,
    is_packaged,
    load,
    outdated,
    row_hash,
    seed,
)
from robbieblocks.errors import ContentError, SchemaOutdated
from robbieblocks.model import NodeRow
from robbieblocks.settings import resource_dir

pytestmark = pytest.mark.postgres

BAR = Component(
    key="bar",
    name="Bar",
    type="widget",
    code="export default () => <p>'\"\\ž\r\n</p>;",
    props_schema={"mood": {"type": "string"}},
    dependencies=("react",),
    metadata={"null": None, "deep": [1, 2.5, {"a": "b"}]},
)
FOO = replace(BAR, key="foo", css="", props_schema=True)
HOME = Page(
    key="home",
    name="Home",
    app="play",
    route="/play/",
    layout="single-column",
    published_at=datetime(2025, 1, 9, 12, tzinfo=UTC),
    blocks=(
        Block(order=1, zone="main", component="bar", props={"mood": None}),
        Block(order=2, zone="footer", component="foo", conditions={"theme": "dark"}),
    ),
)
SMALL = Content(
    components=(BAR, FOO),
    pages=(HOME,),
    tokens=(Token(key="color.test", category="color", value="#fff", description="A test"),),
    nodes=(
        NodeRow(id="test-node", name="Test", overrides={"theme": "dark"}, enabled_apps=("play",)),
    ),
)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def everything(connection: psycopg.Connection) -> dict[str, list[Any]]:
    """All rows of content with ids, times and places on disk: equal if nothing was written."""
    tables = ("pages", "components", "page_blocks", "style_tokens", "node_branding")
    return {
        table: connection.execute(
            f"SELECT xmin, ctid, t.* FROM robbieblocks_{table} AS t ORDER BY id"
        ).fetchall()
        for table in (*tables, "change_triggers")
    }


def queued(connection: psycopg.Connection) -> int:
    return len(connection.execute("SELECT FROM robbieblocks_change_triggers").fetchall())


def written(merged: Iterable[RowMerge]) -> dict[str, str]:
    """What was done to the rows that were written."""
    return {str(row.name): row.action for row in merged if row.merged is not None}


def test_every_column_arrives(connection: psycopg.Connection) -> None:
    """A seeded row says what its file said, to the letter and the null."""
    seed(connection, SMALL)
    cursor = connection.cursor(row_factory=dict_row)
    bar = cursor.execute(
        "SELECT * FROM robbieblocks_components WHERE component_key = 'bar'"
    ).fetchone()
    assert bar is not None
    assert bar["react_code"] == BAR.code
    assert bar["props_schema"] == BAR.props_schema
    assert bar["metadata"] == BAR.metadata
    assert bar["dependencies"] == ["react"]
    assert bar["css_styles"] is None
    assert bar["is_published"] is True
    page = cursor.execute("SELECT * FROM robbieblocks_pages WHERE page_key = 'home'").fetchone()
    assert page is not None
    assert page["published_at"] == HOME.published_at
    assert page["meta_title"] is None
    blocks = cursor.execute(
        "SELECT * FROM robbieblocks_page_blocks WHERE page_id = %s ORDER BY block_order",
        (page["id"],),
    ).fetchall()
    assert [(block["zone"], block["props"], block["conditions"]) for block in blocks] == [
        ("main", {"mood": None}, {}),
        ("footer", {}, {"theme": "dark"}),
    ]


@pytest.mark.parametrize("rows", [psycopg.rows.tuple_row, dict_row])
def test_a_second_seed_writes_nothing(connection: psycopg.Connection, rows: Any) -> None:
    """Where nothing differs no row is written, so that nothing is queued and nothing built."""
    connection.row_factory = rows
    seed(connection, SMALL)
    connection.row_factory = psycopg.rows.tuple_row
    before = everything(connection)
    connection.row_factory = rows
    merged = seed(connection, SMALL)
    connection.row_factory = psycopg.rows.tuple_row
    assert written(merged) == {}
    assert everything(connection) == before


def test_the_seeds_of_the_house_settle(connection: psycopg.Connection) -> None:
    """The second seed of the shipped content is quiet too."""
    content = load(resource_dir("schema") / "content", resource_dir("node_branding"))
    assert written(seed(connection, content))
    waiting = queued(connection)
    assert written(seed(connection, content)) == {}
    assert queued(connection) == waiting


def test_only_what_differs_is_written(connection: psycopg.Connection) -> None:
    """One edited block is one row: its neighbours, its page and their ids stay."""
    seed(connection, SMALL)
    before = everything(connection)
    first, second = HOME.blocks
    edited = replace(SMALL, pages=(replace(HOME, blocks=(first, replace(second, zone="main"))),))
    assert written(seed(connection, edited)) == {"page/home": "update"}
    after = everything(connection)
    changed = [row for row in after["page_blocks"] if row not in before["page_blocks"]]
    assert len(changed) == 1
    assert [row[2] for row in changed] == [
        row[2] for row in before["page_blocks"] if row not in after["page_blocks"]
    ]


def test_a_block_that_left_its_file_goes(connection: psycopg.Connection) -> None:
    """A seeded page has the blocks of its file and no others; other pages keep theirs."""
    other = replace(HOME, key="other", route="/play/other")
    seed(connection, replace(SMALL, pages=(HOME, other)))
    seed(connection, replace(SMALL, pages=(replace(HOME, blocks=HOME.blocks[:1]),)))
    left = connection.execute(
        "SELECT p.page_key, count(*) FROM robbieblocks_page_blocks b"
        " JOIN robbieblocks_pages p ON p.id = b.page_id"
        " WHERE p.page_key IN ('home', 'other') GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert left == [("home", 1), ("other", 2)]


def test_empty_branding_texts_and_none_are_equal(connection: psycopg.Connection) -> None:
    """A node whose custom_css is '' in the database is not written for a file without any."""
    seed(connection, SMALL)
    connection.execute(
        "UPDATE robbieblocks_node_branding SET custom_css = '' WHERE node_id = 'test-node'"
    )
    assert written(seed(connection, SMALL)) == {}


def test_a_page_may_place_a_component_of_the_database(
    connection: psycopg.Connection,
) -> None:
    """A folder need not repeat the components that its pages place."""
    seed(connection, replace(SMALL, pages=()))
    assert written(seed(connection, replace(SMALL, components=()))) == {"page/home": "add"}


def test_a_component_that_is_nowhere_is_told_and_nothing_written(
    connection: psycopg.Connection,
) -> None:
    """A page that places an unknown component is an error with its block; the database stays."""
    before = everything(connection)
    with pytest.raises(ContentError) as caught:
        seed(connection, replace(SMALL, components=(BAR,)))
    (problem,) = caught.value.problems
    assert (problem.key, problem.block) == ("home", 2)
    assert "'foo'" in problem.what
    assert everything(connection) == before


def test_a_database_without_our_schema_is_told(empty_database: str) -> None:
    """Seeding an empty database says that the schema is missing, not what the driver said."""
    with (
        psycopg.connect(empty_database, autocommit=True) as connection,
        pytest.raises(SchemaOutdated),
    ):
        seed(connection, SMALL)


def test_an_empty_folder_changes_nothing(connection: psycopg.Connection) -> None:
    """No content is no work, and no deletion."""
    seed(connection, SMALL)
    before = everything(connection)
    assert written(seed(connection, Content())) == {}
    assert everything(connection) == before


def test_rows_of_an_earlier_version_of_the_package_are_named(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    """Until an import; not one that somebody changed, and not one with a folder of its own."""
    folder, branding = tmp_path / "content", tmp_path / "node_branding"
    (folder / "pages").mkdir(parents=True)
    branding.mkdir()
    head = '+++\nname = "A"\napp = "play"\nroute = "/a"\nlayout = "single-column"\n+++\n# A\n'
    (folder / "pages/a.md").write_text(head)
    import_(connection, load(folder, branding))

    def named() -> tuple[str, ...]:
        return outdated(connection, folder, branding)

    def put(code: str, imported: str | None) -> None:
        connection.execute(
            "UPDATE robbieblocks_components SET react_code = %s, imported_hash = %s "
            "WHERE component_key = 'markdown'",
            (code, imported),
        )

    assert named() == ()
    earlier = replace(PACKAGED["markdown"], code="export default () => <p>Earlier</p>;")
    put(earlier.code, row_hash(earlier))
    assert named() == ("markdown",)
    put(earlier.code + "\n", row_hash(earlier))
    assert named() == ()
    put(earlier.code, None)
    assert named() == ()
    put(earlier.code, row_hash(earlier))
    own = folder / "components/markdown"
    own.mkdir(parents=True)
    (own / "component.toml").write_text('name = "Own"\ntype = "content"\n')
    (own / "component.tsx").write_text("<p/>")
    assert named() == ()
    shutil.rmtree(own)
    assert named() == ("markdown",)
    import_(connection, load(folder, branding))
    assert named() == ()


def test_the_seeds_cover_every_shape(toolchain: Any, cache: Cache) -> None:
    """Default export, named export, bare declaration and bare JSX each have a seed component, and
    all of them compile."""
    from robbieblocks.bundle import Bundler
    from robbieblocks.model import ComponentRow, TokenRow

    content = load(resource_dir("schema") / "content", resource_dir("node_branding"))
    shapes = {
        str(component.metadata["shape"]).split(" memo")[0]
        for component in content.components
        if not is_packaged(component)
    }
    assert shapes == {"export default", "named export", "bare declaration", "bare JSX"}
    rows = {
        each.key: ComponentRow(
            id=UUID(int=0),
            key=each.key,
            name=each.name,
            type=each.type,
            code=each.code,
            css=each.css or "",
            props_schema=each.props_schema,
            dependencies=each.dependencies,
            metadata=each.metadata,
        )
        for each in content.components
    }
    tokens = [
        TokenRow(key=each.key, category=each.category, default=each.value)
        for each in content.tokens
    ]
    with closing(Bundler(cache)) as bundler:
        built = bundler.bundle(rows, rows, toolchain=toolchain, tokens=tokens, base_css="")
    assert built.problems == ()
    assert built.broken == frozenset()
