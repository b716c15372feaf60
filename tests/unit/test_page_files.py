"""Texts of pages in files of their own, and pages that are only Markdown."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.content import (
    Block,
    Content,
    ContentPlaces,
    Exported,
    FilePlace,
    Page,
    Stored,
    export,
    load,
    load_sound,
)
from robbieblocks.errors import ContentError, Problem

FRONT = 'name = "About" # mine\napp = "play"\nroute = "/about"\nlayout = "single-column"\n'
BLOCK = '\n[[blocks]]\norder = {}\nzone = "main"\ncomponent = "markdown"\n'
ABOUT = f"+++\n{FRONT}+++\n# About\n\nus\n"
HOME = FRONT + BLOCK.format(1) + 'files = { body = "long.md" } # why\nprops = { wide = true }\n'


class Folder:
    """A content folder with pages."""

    def __init__(self, root: Path, files: dict[str, str]) -> None:
        self.content, self.branding = root / "content", root / "node_branding"
        self.pages = self.content / "pages"
        for folder in (self.pages, self.branding):
            folder.mkdir(parents=True)
        for name, text in files.items():
            (self.pages / name).write_bytes(text.encode())

    def load(self) -> Content:
        return load(self.content, self.branding)

    def export(self, *pages: Page) -> Exported:
        database = Stored(content=Content(pages=pages))
        return export(database, self.content, self.branding, side=lambda _: "ours")

    def files(self) -> dict[str, str]:
        return {file.name: file.read_bytes().decode() for file in sorted(self.pages.iterdir())}

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(ContentError) as caught:
            self.load()
        return caught.value.problems


def markdown_page(body: str, **fields: Any) -> Page:
    block = Block(order=1, zone="main", component="markdown", props={"body": body})
    named = {"key": "a", "name": "A", "app": "play", "route": "/a", "layout": "single-column"}
    return Page(**{**named, "blocks": (block,), **fields})


def test_a_page_may_be_markdown_and_a_text_a_file(tmp_path: Path) -> None:
    """A `.md` is a page with front matter, or a text that a block names, whatever is in it."""
    folder = Folder(tmp_path, {"about.md": ABOUT, "home.toml": HOME, "long.md": "+++\na\n+++\nb"})
    about, home = folder.load().pages
    assert about == markdown_page("# About\n\nus\n", key="about", name="About", route="/about")
    assert home.blocks[0].props == {"wide": True, "body": "+++\na\n+++\nb"}


CRLF = ABOUT.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "about", [ABOUT, CRLF, ABOUT.replace("+++\n", "+++ \t\n") + "+++\n  ", f"+++\n{FRONT}+++"]
)
def test_an_export_follows_the_files_that_are_there(tmp_path: Path, about: str) -> None:
    """What says the same stays byte for byte; of what differs that alone is written."""
    folder = Folder(tmp_path, {"about.md": about, "home.toml": HOME, "long.md": "b\r\n"})
    pages = folder.load().pages
    before = folder.files()
    assert folder.export(*pages) == Exported(unchanged=3)
    assert folder.files() == before
    home = replace(pages[1].blocks[0], props={"wide": False, "body": "new\n+++\n"})
    changed = (replace(pages[0], name="We"), replace(pages[1], blocks=(home,)))
    folder.export(*changed)
    assert folder.load().pages == changed
    assert folder.files() == {
        "about.md": about.replace('"About"', '"We"'),
        "home.toml": HOME.replace("true", "false"),
        "long.md": "new\n+++\n",
    }


def test_a_page_that_is_more_than_markdown_becomes_toml(tmp_path: Path) -> None:
    """Its `.md` goes, and so does the file of a prop that is no text any more."""
    folder = Folder(tmp_path, {"about.md": ABOUT, "home.toml": HOME, "long.md": "b"})
    about, home = folder.load().pages
    changed = (
        replace(about, blocks=()),
        replace(home, blocks=(replace(home.blocks[0], props={"body": None}),)),
    )
    done = folder.export(*changed)
    assert {file.name for file in done.removed} == {"about.md", "long.md"}
    assert set(folder.files()) == {"about.toml", "home.toml"}
    assert folder.load().pages == changed


def test_a_page_of_a_key_that_a_file_states_keeps_the_file(tmp_path: Path) -> None:
    """Of a `.md`, too."""
    folder = Folder(tmp_path, {"about.md": ABOUT.replace("+++", '+++\nkey = "x/y"', 1)})
    pages = folder.load().pages
    assert pages[0].key == "x/y"
    assert folder.export(*pages) == Exported(unchanged=1)


def test_a_new_page_takes_no_file_of_another(tmp_path: Path) -> None:
    """A page whose name a text has is written as TOML, or stays where its key is stated."""
    folder = Folder(tmp_path, {"home.toml": HOME, "long.md": "b"})
    pages = (*folder.load().pages, markdown_page("c", key="long"))
    folder.export(*pages)
    assert folder.files()["long.md"] == "b"
    assert folder.load().pages == pages
    (folder.pages / "long.toml").unlink()
    (folder.pages / "other.md").write_text(ABOUT.replace("+++", '+++\nkey = "long"', 1))
    folder.export(*pages)
    assert set(folder.files()) == {"home.toml", "long.md", "other.md"}
    assert folder.load().pages == pages


@pytest.mark.parametrize("front", ['key = "other"\n', ""])
def test_a_markdown_file_beside_a_pages_toml_stays(tmp_path: Path, front: str) -> None:
    """It is another page's, or a mistake: an export that writes the page does not remove it."""
    text = ABOUT.replace("+++\n", f"+++\n{front}", 1)
    folder = Folder(tmp_path, {"about.toml": FRONT, "about.md": text})
    page = markdown_page("b", key="about")
    done = folder.export(page)
    assert (done.removed, done.strange) == ((), (folder.pages / "about.md",))
    assert folder.files()["about.md"] == text


@given(
    body=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    | st.sampled_from(
        ["+++", "+++\n", "\n+++\nx\n+++\n", " \n", "\r\n", "'''", "\ufeff", "a  \n\n"]
    ),
    description=st.none() | st.sampled_from(["a\n+++\nb", "+++", "'''", "a\r\nb", "\n", "é"]),
    key=st.sampled_from(["a", "A/..", "con", "x.md"]),
)
def test_any_markdown_page_goes_round(body: str, description: str | None, key: str) -> None:
    """Export, import, export gives the same bytes, whatever the texts say."""
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root), {})
        page = markdown_page(body, key=key, description=description)
        folder.export(page)
        before = folder.files()
        assert folder.load().pages == (page,)
        assert folder.export(page) == Exported(unchanged=1)
        assert folder.files() == before


@pytest.mark.parametrize(
    ("files", "file", "line", "what"),
    [
        ({"a.md": "# A\n"}, "a.md", 1, "no front matter, and no page names it"),
        ({"a.md": "+++\nname = 1\n"}, "a.md", 1, "no front matter"),
        ({"a.md": ABOUT.replace("app =", "app")}, "a.md", 3, "is not valid TOML"),
        ({"a.md": ABOUT.replace("app", "foo = 1\napp")}, "a.md", 3, "foo is unknown here"),
        (
            {"a.md": ABOUT.replace("+++\n#", "[[blocks]]\n+++\n#")},
            "a.md",
            None,
            "blocks is unknown",
        ),
        ({"a.md": ABOUT + "\0"}, "a.md", 10, "NUL"),
        ({"a.md": ABOUT, "a.toml": FRONT}, "a.md", None, "has the key 'a'"),
        ({"h.toml": HOME}, "long.md", None, "can't be read"),
        ({"h.toml": HOME.replace("long.md", "../x.md")}, "h.toml", 10, "names ../x.md for body"),
        ({"h.toml": HOME.replace("long.md", "/etc/x.md")}, "h.toml", 10, "names /etc/x.md"),
        ({"h.toml": HOME.replace("long.md", "h.toml")}, "h.toml", 10, "names h.toml"),
        ({"h.toml": HOME.replace('"long.md"', "1")}, "h.toml", 10, "a table of strings"),
        ({"h.toml": HOME.replace("wide", "body"), "long.md": ""}, "h.toml", 10, "props has, too"),
        (
            {"h.toml": HOME + BLOCK.format(2) + 'files = { a = "long.md" }\n', "long.md": ""},
            "h.toml",
            17,
            "a second time",
        ),
        ({"h.toml": HOME, "i.toml": HOME, "long.md": ""}, "i.toml", 6, "and so does h.toml"),
    ],
)
def test_a_mistake_names_its_file_and_line(
    tmp_path: Path, files: dict[str, str], file: str, line: int | None, what: str
) -> None:
    """Each is told with what to do, and only once."""
    (found,) = Folder(tmp_path, files).problems()
    assert what in found.what
    assert (found.key, found.line) == (f"content/pages/{file}", line)
    assert found.remedy


def test_a_page_without_its_text_is_left_out(tmp_path: Path) -> None:
    """What can't be read is no empty text; while a page can't be read no text is told of."""
    folder = Folder(tmp_path, {"about.md": ABOUT, "home.toml": HOME})
    found, problems = load_sound(folder.content)
    assert [page.key for page in found.pages] == ["about"]
    assert [problem.key for problem in problems] == ["content/pages/long.md"]
    (folder.pages / "home.toml").write_text("nonsense")
    (folder.pages / "long.md").write_text("b")
    assert [problem.key for problem in folder.problems()] == ["content/pages/home.toml"]


@pytest.mark.parametrize(
    ("page", "field", "line", "expected"),
    [
        ("about", {"block": 1, "field": "props", "pointer": "/body"}, 3, ("about.md", 9, 2)),
        ("about", {"field": "page_route"}, None, ("about.md", 4, None)),
        ("about", {"block": 1, "field": "conditions"}, None, ("about.md", 1, None)),
        ("home", {"block": 1, "field": "props", "pointer": "/body"}, 2, ("long.md", 2, 2)),
        ("home", {"block": 1, "field": "props", "pointer": "/body"}, None, ("long.md", 1, 2)),
        ("home", {"block": 1, "field": "props", "pointer": "/wide"}, None, ("home.toml", 11, None)),
        ("home", {"block": 2, "field": "props", "pointer": "/body"}, 2, ("home.toml", 19, None)),
    ],
)
def test_a_problem_is_found_in_the_text(
    tmp_path: Path, page: str, field: Any, line: int | None, expected: Any
) -> None:
    """The line of a Markdown text is that of its file."""
    home = HOME + BLOCK.format(2) + "props.body = '''\na\nb'''\n"
    folder = Folder(tmp_path, {"about.md": ABOUT, "home.toml": home, "long.md": "a\nb\n"})
    places = ContentPlaces(folder.content, folder.branding)
    problem = Problem(
        entity="page", key=page, page=page, what="is wrong", line=line, column=2, **field
    )
    file, *place = expected
    assert places.of(problem) == FilePlace(folder.pages / file, *place)
