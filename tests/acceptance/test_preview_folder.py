"""The folder that `robbieblocks preview --out` writes, opened from disk."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from robbieblocks.settings import resource_dir
from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation, Ran

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\\u202e"
_ME = ("-c", "user.name=a", "-c", "user.email=a@b.example")


class Previewed:
    """A project in which a branch changes branding, a block, a title, and takes a page away."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        shutil.copytree(resource_dir("schema") / "content", folder / "content")
        shutil.copytree(resource_dir("node_branding"), folder / "node_branding")
        (folder / "robbieblocks.toml").write_text("[project]\n")
        for command in (("init",), ("add", "."), (*_ME, "commit", "-m", "one")):
            subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
        self._edit("node_branding/vengeance-local.toml", "#ff4fa3", "#ff0000")
        self._edit("content/pages/robbie-play-blackjack.toml", "minBet = 5", "minBet = 10")
        self._edit("content/pages/robbie-play-home.toml", 'title = "', f'title = "{_HOSTILE}')
        for file in ("robbie-about.toml", "how-a-page-gets-here.md"):
            (folder / "content/pages" / file).unlink()
        self._shell = Installation(
            home=folder / ".robbieblocks", variables={"ROBBIEBLOCKS_CACHE": str(cache)}
        )
        self.out = folder.parent / "out"
        self.ran = self.run("--format", "html", "--out", self.out)

    def run(self, *options: str | Path, **variables: str) -> Ran:
        return self._shell.run("preview", *options, cwd=self.folder, **variables)

    def _edit(self, file: str, old: str, new: str) -> None:
        text = (self.folder / file).read_text()
        assert old in text
        (self.folder / file).write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def previewed(warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Previewed:
    folder = tmp_path_factory.mktemp("previewed")
    shutil.copytree(warm_cache, folder / "cache")
    (folder / "project").mkdir()
    made = Previewed(folder / "project", folder / "cache")
    assert made.ran.code == 0, made.ran
    return made


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_report_and_the_bar_open_from_disk(
    previewed: Previewed, browser: Browser, width: int, scheme: str
) -> None:
    """The report is silent, readable without scripts, open to all and as wide as the window; so is
    a page's bar, which shows both sides with their styles, outlines what differs, and moves."""
    noise = Noise()
    context = browser.new_context(
        viewport={"width": width, "height": 500},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    noise.watch(page)
    page.goto((previewed.out / "index.html").as_uri())
    assert "removed" in page.inner_text("h1")
    assert page.locator("script, img, iframe").count() == 0
    assert _HOSTILE.partition("\\")[0] in page.inner_text("main")
    _is_fit(page, noise)
    page.click("a[href='pages/vengeance-local/robbie-play-blackjack.html']")
    before, after = (page.frame_locator(f"iframe[title={side}]") for side in ("before", "after"))
    for side, color in ((before, "rgb(255, 79, 163)"), (after, "rgb(255, 0, 0)")):
        assert side.locator("html").evaluate(_COLOR) == color
        assert side.locator("#b2").evaluate(_OUTLINE) == "solid"
        assert side.locator("#b1").evaluate(_OUTLINE) == "none"
    _is_fit(page, noise)
    _, old, new = page.frames
    new.evaluate("scrollTo(0, 120)")
    old.evaluate(_SCROLLED)
    page.uncheck("#outline")
    page.focus("#cut")
    page.keyboard.press("End")
    assert page.locator("iframe").last.evaluate("each => getComputedStyle(each).clipPath") == (
        "inset(0px 0px 0px 100%)"
    )
    page.goto((previewed.out / "pages/fluenti-local/robbie-about.html").as_uri())
    assert page.locator("iframe").count() == 1
    assert page.locator("#cut, #outline, details").count() == 0
    assert not str(noise), str(noise)
    context.close()


_COLOR = """html => { const probe = html.ownerDocument.createElement("i");
  probe.style.color = "var(--color-primary)"; html.append(probe);
  return getComputedStyle(probe).color; }"""
_OUTLINE = "block => getComputedStyle(block).outlineStyle"
_SCROLLED = """() => new Promise(done => { const look = () =>
  scrollY === 120 ? done() : requestAnimationFrame(look); look(); })"""


def _is_fit(page: Page, noise: Noise) -> None:
    assert not str(noise), str(noise)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert accessibility_violations(page, exclude_rules=("frame-tested",)) == []
    # axe asks the frames, which have no origin when they come from disk.
    noise.clear()


@pytest.mark.browser
def test_pictures_of_a_page_are_in_the_folder_the_report_and_the_bar(
    previewed: Previewed, browser: Browser, chromium: Mapping[str, str]
) -> None:
    """Both screens are taken by the node's theme; the bar leads from the page to each, and marks
    what differs; the report in one file holds the same pictures; a comment leads to them."""
    out = previewed.out.parent / "pictures"
    asked = ("--page", "robbie-play-blackjack", "--node", "vengeance-local", "--screenshots")
    where = ("--out", out, "--pictures-url", "https://p.example/7")
    text = ("--comment-file", out.parent / "comment.md", "--format", "html", "--no-sandbox")
    ran = previewed.run(*asked, *where, *text, **chromium)
    assert ran.code == 0, ran
    comment = (out.parent / "comment.md").read_text()
    for address in re.findall(r'(?:href|src)="https://p.example/7/([^"]+)"', comment):
        assert (out / address).is_file()
    assert comment.count('<img src="https://p.example/7/pictures/') == 1
    assert len(list(out.glob("pictures/*.png"))) == 6
    assert re.findall(r"\(dark\): <b>(\w+) \d", ran.out) == ["phone", "desktop"]
    assert ran.out.count('src="data:image/png;base64,') == 6
    noise = Noise()
    context = browser.new_context(viewport={"width": 390, "height": 500})
    page = context.new_page()
    page.set_default_timeout(10_000)
    noise.watch(page)
    page.goto((out / "index.html").as_uri())
    for each in page.locator("img").all():
        each.scroll_into_view_if_needed()
        each.evaluate("image => image.decode()")
    _is_fit(page, noise)
    page.click(".pages a")
    page.click("text=/^phone \\d/")
    assert page.locator("img").evaluate_all("all => all.map(each => each.alt + each.width)") == [
        "before390",
        "after390",
        "difference390",
    ]
    assert page.locator("iframe").count() == 0
    assert not page.locator("img[alt=difference]").is_visible()
    page.check("#outline")
    assert page.locator("img[alt=difference]").is_visible()
    _is_fit(page, noise)
    page.click("text=/^desktop \\d/")
    page.click("text=/^page$/")
    assert page.locator("iframe").count() == 2
    context.close()


def test_a_folder_holds_what_its_pages_name_and_is_never_written_over(previewed: Previewed) -> None:
    """`--format html` prints the report; copies run none of the project's scripts and name only
    files that are there; a second preview refuses the folder before it builds, and leaves it."""
    assert previewed.ran.out.startswith("<!doctype html>")
    assert "<script" not in previewed.ran.out
    out = previewed.out
    copies = [*out.glob("before/**/*.html"), *out.glob("after/**/*.html")]
    assert {copy.relative_to(out).parts[0] for copy in copies} == {"before", "after"}
    for copy in copies:
        text = copy.read_text()
        assert '="/' not in text
        assert text.count("<script") == 1
    assert not list(out.rglob("*.js"))
    there = sorted(out.rglob("*"))
    assert "is not empty" in previewed.run("--out", out).error
    assert sorted(out.rglob("*")) == there
    link = out.parent / "link"
    link.symlink_to(out.parent / "nowhere")
    assert "is no folder" in previewed.run("--out", link).error
    assert not (out.parent / "nowhere").exists()
