"""What people put into a folder is read there and nowhere else, at each door that reads it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from robbieblocks import settings
from robbieblocks.content import load
from robbieblocks.errors import ContentError, RobbieBlocksError
from robbieblocks.file_reading import MOST_BYTES
from robbieblocks.prerender import PageRenderer
from robbieblocks.settings import resource_dir


def _content(folder: Path) -> None:
    load(folder / "content", folder / "node_branding")


def _templates(folder: Path) -> None:
    PageRenderer(folder / "templates")


def _css(folder: Path) -> None:
    PageRenderer(folder / "templates").base_css()


def _settings(folder: Path) -> None:
    settings.read_project_file(folder / settings.PROJECT_FILE)


_COMPONENT = "content/components/bar"
DOORS = {
    "robbieblocks.toml": _settings,
    "content/tokens.toml": _content,
    "content/pages/home.toml": _content,
    f"{_COMPONENT}/component.toml": _content,
    f"{_COMPONENT}/component.tsx": _content,
    f"{_COMPONENT}/component.css": _content,
    f"{_COMPONENT}/props.schema.json": _content,
    "content/media/dot.svg": _content,
    "content/media/dot.svg.toml": _content,
    "node_branding/one.toml": _content,
    "templates/page.html.j2": _templates,
    "templates/layouts/mine.html.j2": _templates,
    "templates/base.css": _css,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small folders of each kind, in which everything is right; tests spoil copies."""
    folder = tmp_path_factory.mktemp("whole")
    for path in resource_dir("templates").rglob("*.*"):
        target = folder / "templates" / path.relative_to(resource_dir("templates"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    layout = folder / "templates/layouts/single-column.html.j2"
    texts = {
        "robbieblocks.toml": "[site]\nroot = 'public'",
        "content/tokens.toml": '"color.primary" = { value = "#fff" }',
        "content/pages/home.toml": "name='a'\napp='play'\nroute='/play/'\nlayout='single-column'",
        f"{_COMPONENT}/component.toml": 'name = "Bar"\ntype = "widget"',
        f"{_COMPONENT}/component.tsx": "export default () => <p/>;",
        f"{_COMPONENT}/component.css": "p { color: red }",
        f"{_COMPONENT}/props.schema.json": "{}",
        "content/media/dot.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "content/media/dot.svg.toml": 'alt = "A dot"',
        "node_branding/one.toml": 'node_id = "one"\nnode_name = "One"',
        "templates/layouts/mine.html.j2": layout.read_text(),
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for door in (_settings, _content, _templates, _css):
        door(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, whole: Path) -> Path:
    """A copy of the test's own."""
    return shutil.copytree(whole, tmp_path / "project")


def _link_out(file: Path) -> None:
    file.symlink_to("/etc/passwd")


def _large(file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(MOST_BYTES + 1)


SPOILED: dict[str, Callable[[Path], object]] = {
    "a symlink out of the folder": _link_out,
    "a device": lambda file: file.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a circle": lambda file: file.symlink_to(file.name),
    "nothing": lambda file: file.symlink_to("not-there"),
    "too large": _large,
    "not UTF-8": lambda file: file.write_bytes(b"name = '\xff'"),
}


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_file_that_is_none_is_one_error(folder: Path, name: str, spoiled: str) -> None:
    """At every door it ends at once in an error that names the file, with no word of what it led
    to."""
    file = folder / name
    file.unlink()
    SPOILED[spoiled](file)
    told = _told(DOORS[name], folder)
    assert file.name in told
    assert "root:" not in told


def _told(door: Callable[[Path], None], folder: Path) -> str:
    try:
        door(folder)
    except RobbieBlocksError as error:
        return str(error)
    raise AssertionError("it was taken as if nothing were wrong")


@pytest.mark.parametrize("name", ["pages", "components", "media"])
@pytest.mark.parametrize("spoiled", ["a pipe", "a device", "not UTF-8", "nothing"])
def test_what_is_no_folder_is_not_taken_for_an_empty_one(
    folder: Path, name: str, spoiled: str
) -> None:
    """Its rows would be taken for removed."""
    shutil.rmtree(folder / "content" / name)
    SPOILED[spoiled](folder / "content" / name)
    assert f"content/{name}: is not a folder" in _told(_content, folder)


def test_a_symlink_inside_of_the_folder_is_followed(folder: Path) -> None:
    """As a mounted ConfigMap has them: the files are links to a folder beside them."""
    for name in ("content/tokens.toml", f"{_COMPONENT}/component.css", "templates/base.css"):
        file = folder / name
        beside = folder / name.split("/")[0] / ".data" / file.name
        beside.parent.mkdir(exist_ok=True)
        file.rename(beside)
        file.symlink_to(beside)
        DOORS[name](folder)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("content/tokens.toml", "a = " + "[" * 5000 + "]" * 5000, "it nests too deeply"),
        ("content/tokens.toml", "a" + ".a" * 200 + " = 1", "levels deep"),
        ("content/tokens.toml", "a = " + "1" * 5000, "it has an integer of too many digits"),
        ("content/pages/home.toml", "[metadata]\n" + "a" + ".a" * 200 + " = 1", "levels deep"),
        ("content/pages/home.toml", "metadata_json = '" + "[" * 5000 + "]" * 5000 + "'", "JSON"),
        ("content/pages/home.toml", "metadata_json = '" + "[" * 200 + "]" * 200 + "'", "deep"),
        ("node_branding/one.toml", "[tokens]\n" + "a" + ".a" * 200 + " = 1", "levels deep"),
        (f"{_COMPONENT}/props.schema.json", '{"a":' * 200 + "1" + "}" * 200, "levels deep"),
        (f"{_COMPONENT}/props.schema.json", r'{"\ud800": 1}', "surrogate"),
        (f"{_COMPONENT}/props.schema.json", r'{"a": ["\u0000"]}', "NUL"),
    ],
)
def test_what_no_parser_or_table_takes_is_a_problem_of_its_file(
    folder: Path, name: str, text: str, told: str
) -> None:
    """Values too deep and texts that Postgres refuses name their file."""
    (folder / name).write_text(text)
    with pytest.raises(ContentError, match=re.escape(told)) as caught:
        DOORS[name](folder)
    assert Path(name).name in str(caught.value)
