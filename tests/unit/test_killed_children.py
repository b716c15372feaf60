"""A child that somebody else kills says nothing of what it worked on."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from robbieblocks.bundle.compile import Esbuild
from robbieblocks.bundle.compile.esbuild import Output
from robbieblocks.bundle.node_script import script_problem
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.media import CardMaker, IconMaker, IconSet, MediaMaker, NoIcons
from robbieblocks.model import NO_MEDIA, Asset, CardStyle, CardText, MediaForm, MediaRow, sha256
from robbieblocks.process import Killed, was_killed
from robbieblocks.process.child import Child
from tests.font_files import LATIN, MORE, a_font
from tests.killing import Kill
from tests.media_files import png
from tests.unit.rows import a_node

_FILES = {"a.png": png(40, 30), "b.woff2": a_font([*LATIN, *MORE])}


def _rows(name: str) -> dict[str, MediaRow]:
    content = _FILES[name]
    row = MediaRow(key="a", file_name=name, type="", hash=sha256(content), size=len(content))
    return {"a": row}


@pytest.mark.parametrize("name", _FILES)
def test_a_file_whose_child_is_killed_is_read_by_the_next(
    tmp_path: Path, kill: Kill, name: str
) -> None:
    """In the same build, and nobody hears of it."""
    killed = kill("picture_process", 1)
    with Cache(tmp_path) as cache:
        maker = MediaMaker(cache, 20)
        made = maker.make(_rows(name), ["a"], lambda _: _FILES[name], NO_MEDIA)
    assert len(killed) == 1
    assert (list(made.media), made.wrong) == (["a"], {})


def test_a_picture_whose_child_is_killed_twice_is_tried_again_after_a_pause(
    tmp_path: Path, kill: Kill
) -> None:
    """Not by every build meanwhile; the pauses become longer."""
    killed, now = kill("picture_process", 4), [0.0]
    with Cache(tmp_path) as cache:
        maker = MediaMaker(cache, 20)
        maker.failures.monotonic = lambda: now[0]

        def make() -> str:
            made = maker.make(_rows("a.png"), ["a"], lambda _: _FILES["a.png"], NO_MEDIA)
            assert all(each.passing for each in made.wrong.values())
            return "; ".join(each.what for each in made.wrong.values())

        assert "was killed by SIGKILL" in make()
        assert maker.is_troubled
        assert make()
        assert len(killed) == 2
        now[0] = 10.0
        assert make()
        assert len(killed) == 4
        assert maker.failures.again_in_s == 20.0
        now[0] = 30.0
        assert make() == ""
        assert not maker.is_troubled


def test_icons_whose_child_is_killed_are_drawn_again(tmp_path: Path, kill: Kill) -> None:
    """By a second child, and where that one is killed, too, after a pause."""
    form, content, now = MediaForm("a.png", "image/png", 600, 600), png(600, 600), [0.0]
    with Cache(tmp_path) as cache:
        maker = IconMaker(cache)
        maker.failures.monotonic = lambda: now[0]
        assert len(kill("picture_process", 2)) == 0
        found = maker.make(form, lambda: content, "#ffffff")
        assert isinstance(found, NoIcons)
        assert found.passing
        assert maker.make(form, lambda: pytest.fail("too early"), "#ffffff") == found
        now[0] = 10.0
        assert isinstance(maker.make(form, lambda: content, "#ffffff"), IconSet)


def test_a_card_whose_child_is_killed_is_drawn_the_next_time(tmp_path: Path, kill: Kill) -> None:
    """The thread that draws cards tries it again by itself."""
    kill("picture_process", 1)
    text = CardText("A card", "of a page")
    font = Asset.of("own", "woff2", _FILES["b.woff2"])
    style = CardStyle(site="", background="#fff", heading="#000", text="#000", accent="#00f",
                      title_fonts=(font,), text_fonts=(font,), drawing="x")  # fmt: skip
    with Cache(tmp_path) as cache:
        first, second = (CardMaker(cache).draw(style, [text]) for _ in range(2))
    assert "was killed" in first.failed[text]
    assert second.made[text] is not None


@pytest.mark.parametrize(
    ("status", "by_others"),
    [(-9, True), (-15, True), (-2, True), (-11, False), (-6, False), (1, False), (None, False)],
)
def test_a_crash_is_no_kill(status: int | None, by_others: bool) -> None:
    """A process ends by SIGSEGV or SIGABRT over its own work."""
    assert was_killed(status) is by_others


def test_a_call_tells_a_kill_from_an_end() -> None:
    """Whoever asked may ask another child."""
    with pytest.raises(Killed, match="SIGTERM"):
        Child(["sh", "-c", "kill -TERM $$"]).call(b"", 10)
    with pytest.raises(Exception, match="status 3") as ended:
        Child(["sh", "-c", "exit 3"]).call(b"", 10)
    assert not isinstance(ended.value, Killed)


def test_a_script_over_which_esbuild_ends_is_its_nodes_fault(tmp_path: Path) -> None:
    """Of 300,000 parentheses esbuild died, and no page of any node went out."""

    class Ends:
        def run(self, sources: dict[str, str], *_: object) -> Output:
            if "((" in sources["node.js"]:
                raise ProcessFailed("esbuild (process) exited with status 2; its last words:\n  x")
            return Output()

    with Cache(tmp_path) as cache:
        row = a_node(custom_scripts="((((")
        problem = script_problem(row, cast("Esbuild", Ends()), cache)
    assert problem is not None
    assert (problem.entity, problem.field) == ("node_branding", "custom_scripts")
    assert problem.what.endswith("exited with status 2")
