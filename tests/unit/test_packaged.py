"""Components of the package that pages place: when they count as files, and what goes before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from robbieblocks.builtin import BUILTIN, with_builtin
from robbieblocks.content import (
    PACKAGED,
    Component,
    Content,
    RowName,
    Stored,
    export,
    is_packaged,
    load,
    merge,
    row_hash,
)
from robbieblocks.errors import ContentError

MARKDOWN = PACKAGED["markdown"]
NAME = RowName("component", "markdown")
PAGE = '+++\nname = "A"\napp = "play"\nroute = "/a"\nlayout = "single-column"\n+++\n# A\n'
OWN = 'name = "Own"\ntype = "content"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A content folder with a page of Markdown, and no component."""
    (tmp_path / "content/pages").mkdir(parents=True)
    (tmp_path / "content/pages/a.md").write_text(PAGE)
    (tmp_path / "node_branding").mkdir()
    return tmp_path / "content"


def test_it_is_there_where_a_page_places_it(folder: Path) -> None:
    """And nowhere else."""
    (row,) = load(folder).components
    assert is_packaged(row)
    assert (row.type, row.metadata) == ("content", {"reset": True})
    (folder / "pages/a.md").unlink()
    assert load(folder).components == ()


def test_the_projects_own_goes_before_it(folder: Path) -> None:
    """Also one that has a mistake: nothing else takes its place meanwhile."""
    own = folder / "components/markdown"
    own.mkdir(parents=True)
    (own / "component.toml").write_text(OWN)
    with pytest.raises(ContentError, match=r"has no component\.tsx"):
        load(folder)
    (own / "component.tsx").write_text("<p/>")
    (row,) = load(folder).components
    assert (row.name, is_packaged(row)) == ("Own", False)


def test_a_row_that_no_import_made_stays(folder: Path) -> None:
    """One that was imported follows a newer package, and a missing one is added."""
    files = load(folder)

    def action(*rows: Component, imported: Component | None = None) -> str:
        known = {NAME: row_hash(imported) if imported else None}
        database = Stored(content=Content(components=rows), imported=known)
        (found,) = [each for each in merge(files, database) if each.name == NAME]
        return found.action

    own, older = (replace(MARKDOWN, code=code) for code in ("own", "older"))
    assert action() == "add"
    assert action(own) == "keep"
    assert action(own, imported=older) == "keep"
    assert action(older, imported=older) == "update"
    assert action(MARKDOWN, imported=MARKDOWN) == "unchanged"


def test_an_export_leaves_it_to_the_package(folder: Path) -> None:
    """A row that differs is written; so is the project's own, though it be the same."""
    components = folder / "components"

    def exported(row: Component) -> list[str]:
        database = Stored(content=replace(load(folder), components=(row,)))
        export(database, folder, folder.parent / "node_branding", side=lambda _: "ours")
        return sorted(path.name for path in components.glob("*/*"))

    assert exported(MARKDOWN) == []
    names = ["component.css", "component.toml", "component.tsx", "props.schema.json"]
    assert exported(replace(MARKDOWN, name="Own")) == names
    assert exported(MARKDOWN) == names
    assert load(folder).components == (MARKDOWN,)


def test_what_an_imported_component_imports_comes_with_it() -> None:
    """A component with the key of one takes its place, and does not count as the package's."""
    find = replace(BUILTIN["search"], key="find", packaged=False)
    find = replace(find, code='import Search from "@robbieblocks/search"; export default Search;')
    found = with_builtin({"find": find})
    assert set(found) == {"find", "search", "search-index"}
    assert found["search-index"].packaged
    own = replace(BUILTIN["search-index"], packaged=False)
    assert with_builtin({"find": find, "search-index": own})["search-index"] is own
