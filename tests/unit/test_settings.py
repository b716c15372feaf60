"""Settings: what the environment says, and what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robbieblocks.settings import VARIABLES, Settings, resource_dir

ROOT = Path(__file__).resolve().parents[2]
# Set by a process for its children, and by nobody else.
INTERNAL = {"ROBBIEBLOCKS_PARENT_PID"}


def test_the_readme_has_the_table_of_variables() -> None:
    """The rows of the README's table are the variables with their defaults and meanings."""
    rows = re.findall(r"^\| `ROBBIEBLOCKS_.*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows == [f"| `{each.name}` | {each.default} | {each.meaning} |" for each in VARIABLES]


def test_no_variable_is_read_that_the_table_lacks() -> None:
    """Every name ROBBIEBLOCKS_... in the package is a variable of the table."""
    text = "".join(path.read_text() for path in (ROOT / "robbieblocks").rglob("*.py"))
    named = set(re.findall(r"\bROBBIEBLOCKS_[A-Z_]*[A-Z]", text))
    assert named - INTERNAL == {each.name for each in VARIABLES}


def test_relative_folders_count_from_the_current_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every folder is absolute, and those in the home move with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBBIEBLOCKS_HOME", "home")
    monkeypatch.setenv("ROBBIEBLOCKS_CACHE", "elsewhere")
    monkeypatch.delenv("ROBBIEBLOCKS_SITE_ROOT", raising=False)
    settings = Settings.from_environment()
    assert settings.site_root == tmp_path / "home" / "site"
    assert settings.cache == tmp_path / "elsewhere"


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable leaves the default."""
    for each in VARIABLES:
        monkeypatch.setenv(each.name, "")
    settings = Settings.from_environment()
    assert (settings.database_url, settings.health, settings.smoke_url) == (None, None, None)
    assert settings.home == Path(".robbieblocks").absolute()
    assert settings.templates == resource_dir("templates")
