"""What `robbieblocks dev` does with files that can't be imported as they are."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from robbieblocks.content import start_project
from robbieblocks.dev.importing import FileImport

pytestmark = pytest.mark.postgres


def test_a_conflict_keeps_no_other_file_out(database: str, tmp_path: Path) -> None:
    """A row that both sides changed stays as it is in the database and is named with how to choose;
    other files are imported, mistakes are named, and what is kept is said once."""
    start_project(tmp_path / "site", "site", ["day"])
    folder = tmp_path / "site" / "content"
    said: list[str] = []
    importing = FileImport(
        folder=folder,
        branding=tmp_path / "site" / "node_branding",
        say=said.append,
        media_size_max_mb=20,
    )
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DELETE FROM robbieblocks_style_tokens")
        assert importing.run(connection) == ()
        connection.execute("UPDATE robbieblocks_pages SET page_name = 'By a row'")
        page = folder / "pages" / "home.toml"
        page.write_text(page.read_text().replace('name = "Home"', 'name = "By a file"'))
        tsx = folder / "components" / "welcome" / "component.tsx"
        tsx.write_text(tsx.read_text().replace("Counted", "Clicked"))
        (folder / "pages" / "other.toml").write_text("[[")

        mistake, conflict = importing.run(connection)
        assert mistake.key == "content/pages/other.toml"
        assert (conflict.entity, conflict.key) == ("page", "home")
        assert "By a row" in conflict.what
        assert "By a file" in conflict.what
        assert "--theirs page/home" in conflict.remedy
        rows = connection.execute(
            "SELECT page_name, react_code LIKE '%Clicked%'"
            " FROM robbieblocks_pages, robbieblocks_components WHERE component_key = 'welcome'"
        ).fetchall()
        assert rows == [("By a row", True)]
        assert len(importing.run(connection)) == 2, "it is still a conflict"

        (folder / "pages" / "astray.toml").write_text(
            'name = "Astray"\napp = "site"\nroute = "/site/astray/"\nlayout = "single-column"\n'
            '[[blocks]]\norder = 1\nzone = "main"\ncomponent = "nowhere"\n'
        )
        tsx.write_text(tsx.read_text().replace("Clicked", "Pressed"))
        _, astray, _ = importing.run(connection)
        assert (astray.key, "'nowhere'" in astray.what) == ("astray", True)
        pressed = connection.execute(
            "SELECT react_code LIKE '%Pressed%' FROM robbieblocks_components"
            " WHERE component_key = 'welcome'"
        )
        assert pressed.fetchone() == (True,)
        (folder / "pages" / "astray.toml").unlink()

        page.write_text(page.read_text().replace("By a file", "By a row"))
        (folder / "pages" / "other.toml").unlink()
        connection.execute("UPDATE robbieblocks_components SET component_name = 'Kept'")
        said.clear()
        assert [importing.run(connection) for _ in range(2)] == [(), ()]
        assert sum("component/welcome" in line for line in said) == 1
        said.clear()
        toml = folder / "components" / "welcome" / "component.toml"
        toml.write_text("[[")
        page.unlink()
        assert len(importing.run(connection)) == 1
        assert said == [], "a file with a mistake is not one that is gone"
        toml.unlink()
        tsx.unlink()
        (missing, _) = importing.run(connection)
        assert missing.what == "is missing"
        toml.parent.rename(tmp_path / "elsewhere")
        assert importing.run(connection) == ()
        assert any("page/home  (its file is gone" in line for line in said)
        assert connection.execute("SELECT count(*) FROM robbieblocks_pages").fetchone() == (1,)
