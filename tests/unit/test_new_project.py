"""The files of a new project, and what `robbieblocks new` does where they can't be written."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from robbieblocks.cli import new
from robbieblocks.content import load, start_project
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.model import NODE_KEYS
from robbieblocks.settings import Settings, resource_dir


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_project_is_content_without_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its settings and files are read; nothing is left to fill in, and the README names each."""
    folder = tmp_path / 'my "site" \\ 家'
    start_project(folder, "shop", ["b", "a", "c", "b"])
    monkeypatch.chdir(folder / "content" / "components")
    settings = Settings.from_environment()
    found = load(settings.content, settings.node_branding)
    (page,) = found.pages
    assert (page.key, page.app, page.route) == ("home", "shop", "/shop/")
    assert [component.key for component in found.components] == ["markdown", "welcome"]
    themes = {node.id: node.theme for node in found.nodes}
    assert themes == {"b": "light", "a": "dark", "c": "light"}
    assert {node.enabled_apps for node in found.nodes} == {("shop",)}
    for name in files(folder):
        text = (folder / name).read_text()
        assert not re.search("__[A-Z]+__", text), name
    readme = (folder / "README.md").read_text()
    for place in re.findall(r"^\| `([^`]+)`", readme, re.MULTILINE):
        assert (folder / place).exists() or place == ".robbieblocks/"
    assert {".gitignore", ".github/workflows/preview.yml"} < files(folder)


def test_its_tokens_are_those_that_the_templates_use(tmp_path: Path) -> None:
    """No layout, base style or component of a new site lacks a colour, and no node sets another."""
    start_project(tmp_path / "site", "site", ["day", "night"])
    content = load(tmp_path / "site" / "content", tmp_path / "site" / "node_branding")
    tokens = {token.key for token in content.tokens}
    sheets = [(resource_dir("templates") / name).read_text() for name in ("base.css", "layout.css")]
    sheets += [component.css or "" for component in content.components]
    used = set(re.findall(r"var\(--(?!rb-)([a-z0-9-]+)", "".join(sheets)))
    assert used <= {key.replace(".", "-") for key in tokens}
    for node in content.nodes:
        assert isinstance(node.overrides, dict)
        assert set(node.overrides) - {*NODE_KEYS} <= tokens


@pytest.mark.parametrize(
    ("app", "nodes", "told"),
    [
        ("assets", ["a"], "the app assets is reserved"),
        ("shared", ["a"], "the app shared holds pages that every app shows"),
        ("../x", ["a"], r"the app \.\./x holds characters"),
        ("site", ["a", "../b"], r"the node \.\./b holds characters"),
        ("site", ["A"], "the node A holds capital letters"),
        ("site", [""], "the node '' is empty"),
    ],
)
def test_names_that_no_row_may_have_are_refused(
    tmp_path: Path, app: str, nodes: list[str], told: str
) -> None:
    """The name is told, and nothing is made."""
    with pytest.raises(UsageError, match=told):
        start_project(tmp_path / "site", app, nodes)
    assert not list(tmp_path.iterdir())


def test_no_file_of_somebody_is_touched(tmp_path: Path) -> None:
    """A folder with any file, a file and a symlink that leads nowhere are refused."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".hidden").touch()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    before = files(tmp_path)
    for name, told in (("full", "is not empty"), ("file", "no folder"), ("link", "no folder")):
        with pytest.raises(UsageError, match=told):
            start_project(tmp_path / name, "site", ["day"])
    assert files(tmp_path) == before


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("step", ["write_bytes", "rename"])
def test_a_project_is_made_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, there: bool
) -> None:
    """Wherever it fails, nothing is left of it, and the same command works afterwards."""
    folder = tmp_path / "site"
    if there:
        folder.mkdir()
    real = getattr(Path, step)
    # In a new folder all is moved at once.
    good: Iterator[bool] = iter([True] * (3 if there or step == "write_bytes" else 0))

    def fails(path: Path, *given: object, **options: object) -> object:
        if next(good, False):
            return real(path, *given, **options)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, fails)
        with pytest.raises(SiteUnavailable, match="No space left on device"):
            start_project(folder, "site", ["day"])
    assert list(tmp_path.iterdir()) == ([folder] if there else [])
    assert not files(tmp_path)
    start_project(folder, "site", ["day"])
    assert "robbieblocks.toml" in files(folder)


def test_names_are_asked_for_at_a_terminal_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what no option gives is asked; without a terminal the options are told."""
    folder = tmp_path / "my site"
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(UsageError, match="--app site --node day"):
        new.run(folder=folder, app="site", nodes=[])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda _, default, **__: default)
    new.run(folder=folder, app="shop", nodes=[])
    assert {"node_branding/day.toml", "node_branding/night.toml"} < files(folder)
    assert 'app = "shop"' in (folder / "content" / "pages" / "home.toml").read_text()
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == [
        f"  cd '{folder}'",
        *(f"  robbieblocks {command}" for command in ("content import", "build", "serve")),
    ]
