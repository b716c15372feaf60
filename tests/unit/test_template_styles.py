"""What is left of the base styles on a page that has few of the templates' classes."""

from __future__ import annotations

import re

import pytest
import tinycss2

from robbieblocks.model import Asset
from robbieblocks.prerender.page.template_styles import needed_styles, template_classes
from robbieblocks.settings import resource_dir

BASE = "\n".join(
    (resource_dir("templates") / name).read_text("utf-8")
    for name in ("base.css", "layout.css", "site.css")
)


def left(css: str, *names: str) -> str:
    return needed_styles(Asset.of("base", "css", css), frozenset(names)).content.decode()


@pytest.mark.parametrize(
    "rule",
    [
        "p{color:red}",
        ".rb-panel{a:b}",
        ".rb-layout{a:b}",
        "a,.rb-index{a:b}",
        ":not(.rb-index){a:b}",
        ".rb-zone:has(.rb-index, .rb-lost){a:b}",
        ":is(.rb-index,p) b{a:b}",
        '[class~="rb-index"]{a:b}',
        "[title=')']:is(.rb-index,b){a:b}",
        ".rb-index\\+{a:b}",
        "@layer layout;",
        "@layer layout{}",
        "@font-face{font-family:'.rb-index{'}",
        "@keyframes x{from{a:b}}",
        ".rb-panel{.rb-index{a:b}}",
        "@media print{p{a:b}}",
        '@import "x;{";p{a:b}',
        ".rb-layout-one .rb-zone{a:b}",
    ],
)
def test_what_may_match_stays(rule: str) -> None:
    """A rule stays as it is where nothing says that the page lacks one of its classes."""
    assert left(rule, "rb-layout-one") == rule


@pytest.mark.parametrize(
    "rule",
    [
        ".rb-index{a:b}",
        ".rb-index,.rb-lost-code{a:b}",
        ".rb-layout-two:not(.rb-layout-one){a:b}",
        ".rb-layout:is(.rb-layout-two,.rb-layout-three):has(> .rb-zone){a:b}",
        ":where(:is(.rb-index) b,.rb-lost){a:b}",
        ".rb-node-bar{a:b;p{c:d}}",
        ".rb-layout-one.rb-layout-two{a:b}",
        "@media print{.rb-index{a:b}@supports (a:b){.rb-lost{a:b}}}",
        ".rb-index::after{content:'}'}",
    ],
)
def test_what_needs_an_absent_class_goes(rule: str) -> None:
    """Also with all that is in it; a condition goes with its last rule."""
    assert left(f"p{{a:b}}{rule}q{{a:b}}", "rb-layout-one") == "p{a:b}q{a:b}"


def test_a_page_with_all_classes_keeps_all() -> None:
    """Of the package's own styles nothing is lost or moved, comments and all."""
    names = template_classes(BASE)
    assert {"rb-lost", "rb-index-apps", "rb-node-bar", "rb-layout-dashboard"} < names
    assert left(BASE, *names, "rb-index-of-no-rule") == BASE


@pytest.mark.parametrize(
    "layout", sorted(path.stem for path in (resource_dir("templates") / "layouts").glob("[!_]*.j2"))
)
def test_a_layout_keeps_its_rules_and_no_others(layout: str) -> None:
    """Each rule that names the layout is left, and none that names others alone."""
    own = f"rb-layout-{layout.removesuffix('.html')}"
    found = left(BASE, own)
    lines = [line for line in BASE.splitlines() if re.search(rf"{own}\b(?!-)", line)]
    assert [line for line in lines if line not in found] == []
    assert not {"rb-lost", "rb-index", "rb-node-bar"} & template_classes(found)
    assert len(found) < 0.85 * len(BASE)
    assert not any(node.type == "error" for node in tinycss2.parse_stylesheet(found))
