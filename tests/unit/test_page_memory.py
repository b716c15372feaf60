"""Pages of texts that were read before are what parsing gives, in this process and the next."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from robbieblocks.cache import Cache
from robbieblocks.content import Content, PageMemory, load_sound
from robbieblocks.content.reading import page_files
from robbieblocks.content.shape import Block, Page
from robbieblocks.source_files import ProblemCollector, Table, parse_toml

HEAD = 'name = "Example"\napp = "shop"\nroute = "/{0}/"\nlayout = "single-column"\n'
BLOCK = '[[blocks]]\norder = 1\nzone = "main"\ncomponent = "card"\n'
TEXTS = {
    "plain.toml": HEAD.format("plain"),
    "keyed.toml": 'key = "another"\n' + HEAD.format("keyed"),
    "whole.toml": HEAD.format("whole")
    + 'title = "T"\ndescription = "D"\nstatus = "draft"\nversion = 3\ncreated_by = 7\n'
    + "published_at = 2026-01-09T12:00:00.5+02:00\n"
    + '[metadata]\nzoom = 1.0\nnear = 0.1\nmany = 123456789012345678901\n"" = "ü\\u0001"\n'
    + BLOCK
    + 'props = { z = 1, a = [{ b = false }] }\nconditions = { nodes = ["a"] }\n',
    "named.toml": HEAD.format("named") + BLOCK + 'files = { body = "text.md" }\n',
    "text.md": "one",
    "post.md": f"+++\n{HEAD.format('post')}+++\nbody",
    "wrong.toml": HEAD.format("wrong") + "stray = 1\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        file = tmp_path / "content" / "pages" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "content"


def whole(content: Content) -> list[list[object]]:
    """All fields of all pages and blocks, those that two rows may differ in too."""
    return [
        [
            *(getattr(page, each.name) for each in fields(Page)),
            *(getattr(block, each.name) for block in page.blocks for each in fields(Block)),
        ]
        for page in content.pages
    ]


def test_a_remembered_page_is_the_parsed_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what has a mistake, or names other files, is parsed again."""
    parsed: list[str] = []

    def counted(collector: ProblemCollector, file: Path, text: str) -> Table | None:
        parsed.append(file.name)
        return parse_toml(collector, file, text)

    monkeypatch.setattr(page_files, "parse_toml", counted)
    plain, problems = load_sound(folder)
    assert len(problems) == 1
    with Cache(tmp_path / "cache") as cache:
        first = PageMemory(cache)
        for memory in (first, first, PageMemory(cache)):
            parsed.clear()
            found, wrong = load_sound(folder, memory=memory)
            assert wrong == problems
            assert found == plain
            assert whole(found) == whole(plain)
            memory.save()
    assert sorted(parsed) == ["named.toml", "post.md", "wrong.toml"]


def test_the_name_and_the_text_decide(folder: Path, tmp_path: Path) -> None:
    """A renamed file is another page, and a page knows the file that it was read from."""
    with Cache(tmp_path / "cache") as cache:
        memory = PageMemory(cache)
        load_sound(folder, memory=memory)
        (folder / "pages" / "plain.toml").rename(folder / "pages" / "renamed.toml")
        folder = folder.rename(tmp_path / "moved")
        found, _ = load_sound(folder, memory=memory)
        assert found == load_sound(folder)[0]
        assert {page.key for page in found.pages} >= {"renamed", "another"}
        assert all(page.file.is_relative_to(folder) for page in found.pages)
