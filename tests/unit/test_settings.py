"""Settings: what the environment says, and what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robbieblocks.settings import Settings, resource_dir

ROOT = Path(__file__).resolve().parents[2]
# Set by a process for its children, and by nobody else.
INTERNAL = {"ROBBIEBLOCKS_PARENT_PID"}
# The variables of the README's table, each with a default and a meaning.
VARIABLES = re.findall(
    r"^\| `(ROBBIEBLOCKS_\w+)` \| [^|]+ \| [^|]+ \|$",
    (ROOT / "README.md").read_text(),
    re.MULTILINE,
)


def test_the_readme_has_the_table_of_variables() -> None:
    """The README's table has every name ROBBIEBLOCKS_... of the package once, and no other."""
    text = "".join(path.read_text() for path in (ROOT / "robbieblocks").rglob("*.py"))
    named = set(re.findall(r"\bROBBIEBLOCKS_[A-Z_]*[A-Z]", text))
    assert sorted(VARIABLES) == sorted(named - INTERNAL)


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
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    settings = Settings.from_environment()
    assert (settings.database_url, settings.health, settings.smoke_url) == (None, None, None)
    assert settings.home == Path(".robbieblocks").absolute()
    assert settings.templates == resource_dir("templates")
