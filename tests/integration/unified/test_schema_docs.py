"""docs/schema/ says what a database with every file has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from tests.databases import Databases
from tools.schema_docs import DOCS, SchemaFile, diagrams, documents, mark, read

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def files(
    unified_template: str, databases: Databases
) -> Iterator[tuple[list[SchemaFile], dict[str, str]]]:
    """The files as they are in a database, and their pages."""
    with databases.copy(unified_template) as conninfo, psycopg.connect(conninfo) as connection:
        yield read(connection), documents(connection)


def test_the_pages_are_those_of_the_database(
    files: tuple[list[SchemaFile], dict[str, str]],
) -> None:
    """Where this fails, a file has changed since: `make schemadocs`."""
    texts = diagrams(files[0])
    written = {path.name: path.read_text("utf-8") for path in DOCS.iterdir()}
    wanted = files[1] | {f"{name}.mmd": text for name, text in texts.items()}
    assert {name: text for name, text in written.items() if not name.endswith(".svg")} == wanted
    pictures = {name.removesuffix(".svg") for name in written if name.endswith(".svg")}
    assert pictures == texts.keys()
    for name, text in texts.items():
        picture = written[f"{name}.svg"]
        assert picture.endswith(mark(text)), f"{name}.svg is drawn from another text"
        assert "@import" not in picture
        assert "url(" not in picture.replace("url(#", "")


def test_every_table_and_view_is_of_one_file(
    files: tuple[list[SchemaFile], dict[str, str]], unified_database: str
) -> None:
    """None is left out, and none is told twice; so of functions."""
    made = Counter(each.name for file in files[0] for each in (*file.tables, *file.views))
    assert set(made.values()) == {1}
    with psycopg.connect(unified_database) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition"
        ).fetchall()
        functions = connection.execute(
            "SELECT DISTINCT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        ).fetchall()
    assert {name for (name,) in rows} == made.keys()
    told = {each.name for file in files[0] for each in file.functions}
    assert {name for (name,) in functions} == told
