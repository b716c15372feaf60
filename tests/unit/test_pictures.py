"""Which pictures of a change are taken, which are shown, and what is said without a browser."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from robbieblocks.cli.previewing import preview
from robbieblocks.cli.previewing.preview import Shown
from robbieblocks.errors import UsageError
from robbieblocks.model import sha256
from robbieblocks.pictures import Scene, Taken, browser, find_browser
from robbieblocks.pipeline import Cause, ComposedRun, Target
from robbieblocks.review import Asked, as_html, as_markdown, as_text, take_pictures
from robbieblocks.review.pictures import Picture, Pictured, Pictures, difference_text
from robbieblocks.review.pictures.choosing import choose
from robbieblocks.review.values import Base, Effect, PageEffect, Review, Reviewed
from robbieblocks.settings import Settings

TOKEN = Cause("token", "color.primary")


def page(
    key: str, node: str = "n", effect: Effect = "changed", causes: tuple[Cause, ...] = (TOKEN,)
) -> PageEffect:
    return PageEffect(
        node=node,
        app="a",
        key=key,
        route=f"/{key}",
        effect=effect,
        causes=causes,
        path_before="" if effect == "added" else f"{key}.html",
        path_after="" if effect == "removed" else f"{key}.html",
    )


def reviewed(*pages: PageEffect, alike: bool = False) -> Reviewed:
    """Both sites; with `alike` a page has the same bytes on each node."""

    def side(name: str) -> dict[Target, ComposedRun]:
        return {
            Target(node, "a"): ComposedRun(
                manifest=cast("Any", None),
                contents={
                    f"{each.key}.html": f'<html lang="en" data-theme="dark">{name} {each.key} '
                    f"{'' if alike else node}".encode()
                    for each in pages
                    if each.node == node
                },
                assets={},
                failed={},
            )
            for node in {each.node for each in pages}
        }

    base = Base(kind="folder", name="b", hash=sha256("b"))
    review = Review(base=base, after=sha256("a"), pages=tuple(pages))
    return Reviewed(review=review, before=side("before"), after=side("after"))


def names(pages: Any) -> list[str]:
    return [f"{each.key} {each.node}" for each in pages]


def test_of_pages_that_change_alike_three_of_a_node_are_taken_and_the_others_named() -> None:
    """A token that touches 41 pages of two nodes is seen on three pages of each."""
    pages = [page(f"p{number:02}", node) for node in ("m", "n") for number in range(41)]
    taken, left_out = choose(reviewed(*pages))
    assert names(each.page for each in taken) == [
        f"p{number:02} {node}" for node in ("m", "n") for number in range(3)
    ]
    assert len(left_out) == 76
    taken, _ = choose(reviewed(*pages), {"p40"})
    assert "p40 m" in names(each.page for each in taken)


def test_a_bound_on_all_pictures_takes_one_of_each_kind_first() -> None:
    """Of 30 causes with two pages each, 24 are seen, and none is seen twice."""
    pages = [
        page(f"c{number:02}-{which}", causes=(Cause("component", f"c{number:02}"),))
        for number in range(30)
        for which in "ab"
    ]
    taken, left_out = choose(reviewed(*pages))
    assert names(each.page for each in taken) == [f"c{number:02}-a n" for number in range(24)]
    assert len(left_out) == 36


def test_pages_of_equal_bytes_are_taken_once_and_pages_that_stay_are_not() -> None:
    """A rendering belongs to each node that has it; identical and held back pages have none."""
    stay = [page("same", effect="identical"), page("held", effect="held back")]
    pages = [page("p", "m"), page("p", "n"), page("new", effect="added"), *stay]
    taken, left_out = choose(reviewed(*pages, alike=True))
    assert [(each.page.key, names(each.also)) for each in taken] == [("p", ["p n"]), ("new", [])]
    assert (taken[1].before, taken[0].theme, left_out) == (None, "dark", ())
    gone, _ = choose(reviewed(page("old", effect="removed")))
    assert (gone[0].after, gone[0].theme) == (None, "dark")


def test_a_comparison_that_fails_is_the_problem_of_its_pictures_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """odiff that can't read two pictures leaves both to look at, with the reason; a page of one
    side needs no comparison."""
    made = reviewed(page("p"), page("new", effect="added"))
    manifest = SimpleNamespace(
        by_key={key: SimpleNamespace(route=f"/{key}") for key in ("p", "new")}
    )
    sides = [
        {target: replace(run, manifest=cast("Any", manifest)) for target, run in side.items()}
        for side in (made.before, made.after)
    ]
    size = struct.pack(">16xII", 390, 20_000)

    def drawn(scenes: Iterable[Scene], *_: object) -> dict[Scene, Taken]:
        return {each: Taken(picture=size + each.page.encode(), height=9) for each in scenes}

    monkeypatch.setattr("robbieblocks.pictures.take", drawn)
    monkeypatch.setattr("robbieblocks.toolchain.ensure_odiff", lambda *_: Path("false"))
    found = take_pictures(
        replace(made, before=sides[0], after=sides[1]),
        named=(),
        settings=Settings.from_environment(),
        browser=cast("Any", None),
        progress=lambda _: None,
    )
    assert [
        (each.page.key, each.screen, each.percent, len(each.pictures)) for each in found.taken
    ] == [
        ("p", "phone", None, 2),
        ("p", "desktop", None, 2),
        ("new", "phone", None, 1),
        ("new", "desktop", None, 1),
    ]
    assert "odiff did not compare" in found.taken[0].problems[0]
    assert found.taken[2].problems == ()
    assert len(found.shown) == 4


def pictured(percent: float | None = 5.0, **others: Any) -> Pictured:
    def picture(name: str) -> Picture:
        return Picture(content=name.encode(), width=1280, height=800)

    whole = Pictured(
        page=page("p"),
        theme="dark",
        screen="desktop",
        width=1280,
        before=picture("before"),
        after=picture("after"),
        difference=picture("difference") if percent else None,
        pixels=None if percent is None else round(percent * 10_240),
        percent=percent,
    )
    return replace(whole, **others)


def shown_in(*found: Pictured, **others: Any) -> Review:
    pages = tuple({each.page.key: each.page for each in found}.values())
    return replace(reviewed(*pages).review, pictures=Pictures(taken=found, **others))


@pytest.mark.parametrize(
    ("found", "text", "shown"),
    [
        (pictured(0.0), "desktop looks the same", False),
        (pictured(0.0003), "desktop differs by 3 pixels: not shown", False),
        (pictured(0.0015), "desktop 15 pixels", True),
        (pictured(0.01), "desktop 0.010 %", True),
        (pictured(58.21), "desktop 58 %", True),
        (pictured(None, page=page("p", effect="added"), before=None), "desktop added", True),
        (pictured(None, after=None, problems=("after: why",)), "desktop: no comparison", True),
        (pictured(None, before=None, after=None), "desktop: none", False),
    ],
)
def test_what_differs_by_fewer_than_four_pixels_is_said_and_not_shown(
    found: Pictured, text: str, shown: bool
) -> None:
    """Every picture has its line; one digit of a price is seen, on a page of any height."""
    assert difference_text(found) == text
    review = shown_in(found)
    assert text in as_text(review)
    assert as_html(review).count("<img") == (len(found.pictures) if shown else 0)
    assert "<img" not in as_html(replace(review, pictures=None))


def test_a_comment_shows_pictures_only_where_their_address_is_known() -> None:
    """Without an address there is a count; with one, a column of small pictures that lead on."""
    high = replace(pictured(), screen="phone", after=Picture(content=b"x", width=390, height=9_000))
    review = shown_in(pictured(), replace(high, page=page("q")), left_out=(page("r"),))
    plain = as_markdown(review)
    assert "2 of 2 pages taken look otherwise" in plain
    assert "1 page like these left out: r on n;" in as_text(review)
    assert "<img" not in plain
    assert "| pictures |" not in plain
    text = as_markdown(review, pictures_url="https://p.example/x|y/")
    assert "| pictures |" in text
    assert 'width="160" alt="desktop"' in text
    assert 'height="240" alt="phone"' in text
    assert 'href="https://p.example/x%7Cy/pages/n/p--desktop.html"' in text
    (head,) = [line for line in text.splitlines() if line.startswith("| page |")]
    rows = [line for line in text.splitlines() if line.startswith("| <code>")]
    assert {line.count(" | ") for line in rows} == {head.count(" | ")}


def test_a_report_holds_pictures_up_to_its_bound_and_says_how_many_more_there_are() -> None:
    """What differs most is in it; nothing of a comparison is in it without the rest."""
    pages = [
        pictured(
            float(number + 1),
            page=page(f"p{number}"),
            after=Picture(content=bytes([number]) * 2_500_000, width=1, height=1),
        )
        for number in range(3)
    ]
    made = as_html(shown_in(*pages))
    assert re.findall(r"/(p\d) on n \(dark\)", made) == ["p2", "p1"]
    assert "1 comparison more" in made
    assert made.count("<img") == 6


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        (Shown(screenshots=True), "nowhere, which is no program"),
        (Shown(pictures_url="https://p.example"), "--screenshots and --out"),
        (
            Shown(screenshots=True, out=Path("x"), pictures_url="p.example"),
            "--pictures-url p.example is no address",
        ),
    ],
)
def test_pictures_that_can_not_be_taken_are_an_error_before_anything_is_built(
    shown: Shown, error: str
) -> None:
    """Nothing is compared for a browser that is missing, or an address that is none."""
    settings = replace(Settings.from_environment(), browser="nowhere")
    nothing_to_build_with = cast("Any", None)
    with pytest.raises(UsageError, match=error):
        preview.run(
            Asked(against="HEAD"), replace(shown, sandbox=False), settings, nothing_to_build_with
        )


def test_what_a_page_put_into_notes_does_not_act() -> None:
    """A note may hold a text of the page's: it is shown in every form, and is markup in none."""
    hostile = "asks for <script>alert(1)</script> | @all"
    review = shown_in(pictured(notes=(hostile,)))
    assert hostile in as_text(review)
    assert "<script>" not in as_html(review) + as_markdown(review)
    assert "@all" not in as_markdown(review)


def test_each_lack_has_one_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Root's missing sandbox, a name that is no program, no browser at all, and no Playwright."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(UsageError, match=r"root has no sandbox .*\n  -> .*--no-sandbox$"):
        find_browser(None, sandbox=True)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert find_browser(None, sandbox=True).sandbox
    with pytest.raises(UsageError, match=r"names /nowhere, which is no program\n  -> "):
        find_browser("/nowhere", sandbox=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    lacking = cast("Any", SimpleNamespace(executable_path=str(tmp_path / "none")))
    launcher = browser.Launcher(find_browser(None, sandbox=True), lacking)
    with pytest.raises(UsageError, match=r"no Chromium .*\n  -> python -m playwright install"):
        launcher.found()
    (tmp_path / "chromium").write_text("")
    (tmp_path / "chromium").chmod(0o755)
    assert launcher.found().program == tmp_path / "chromium"
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"-> pip install 'robbieblocks\[pictures\]'"):
        find_browser(None, sandbox=True)
