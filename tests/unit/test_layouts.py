"""The layout templates: landmarks, zones, and nothing where nothing is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from robbieblocks.errors import ContentError
from robbieblocks.model import ZONES
from robbieblocks.prerender.page.balance import unbalanced
from robbieblocks.prerender.page.templates import Templates
from robbieblocks.settings import resource_dir

TEMPLATES = resource_dir("templates")
LAYOUTS = (
    "dashboard",
    "full-screen",
    "sidebar-left",
    "sidebar-right",
    "sidebar-vertical",
    "single-column",
)
PAGE = {"key": "home", "title": "Page not found", "layout": "", "lang": "en", "metadata": {}}


def render(name: str, **values: Any) -> str:
    templates = Templates(TEMPLATES)
    return templates.rendered(templates.compiled(name), values)


def render_layout(layout: str, *filled: str) -> str:
    html = Markup("<p>{}</p>")
    zones = {zone: html.format(zone) if zone in filled else Markup() for zone in ZONES}
    return render(f"layouts/{layout}.html.j2", zones=zones, page={**PAGE, "layout": layout})


def test_the_six_layouts_are_there() -> None:
    """The layouts of the contract, and no other file that could pass for one."""
    files = (TEMPLATES / "layouts").glob("[!_]*.html.j2")
    assert sorted(file.name.removesuffix(".html.j2") for file in files) == list(LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_takes_all_five_zones(layout: str) -> None:
    """What stands in a zone is shown once, unescaped, inside the zone's landmark."""
    html = render_layout(layout, *ZONES)
    for zone in ZONES:
        assert html.count(f"<p>{zone}</p>") == 1
    assert html.count("<main ") == html.count("<header ") == html.count("<aside ") == 1
    assert html.count("<footer ") == 1
    assert f"rb-layout-{layout}" in html


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_zone_leaves_no_element(layout: str) -> None:
    """Landmarks without content would only be in the way of who moves by landmarks."""
    html = render_layout(layout, "main")
    assert re.findall(r"<(\w+)", html) == ["div", "main", "p"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_skip_link_has_somewhere_to_go(layout: str) -> None:
    """`#main` exists once and takes the focus."""
    assert (
        render_layout(layout).count('<main id="main" class="rb-zone rb-zone-main" tabindex="-1">')
        == 1
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_its_rules(layout: str) -> None:
    """layout.css knows each layout by name."""
    assert f"rb-layout-{layout}" in (TEMPLATES / "layout.css").read_text()


def test_the_page_that_is_not_there_names_the_node_and_the_way_back() -> None:
    """404 greets in the node's name, escapes titles, and leaves the list out where it is empty."""
    node = {"id": "one", "name": "One & Only", "theme": "dark"}
    given = {"page": PAGE, "node": node, "home": "", "apps": []}
    html = render("404.html.j2", links=[{"href": "/x", "title": "<X>"}], **given)
    assert "One &amp; Only" in html
    assert '<a href="/x">&lt;X&gt;</a>' in html
    assert "<nav" not in render("404.html.j2", links=[], **given)


@pytest.mark.parametrize("name", ["base.css", "layout.css"])
def test_the_house_styles_fetch_nothing(name: str) -> None:
    """No @import and no url(): everything a page needs is named by its manifest."""
    sheet = Path(TEMPLATES / name).read_text()
    assert not re.search(r"@import|url\(", sheet)
    assert f"@layer {name.removesuffix('.css')} {{" in sheet


def test_a_stylesheet_that_leaves_something_open_is_named(tmp_path: Path) -> None:
    """Browsers drop what follows without a word: file, line and column are told."""
    (tmp_path / "site.css").write_text("a {\n  gap: var(--spacing-xl;\n}\n")
    with pytest.raises(ContentError, match=r"site\.css, line 2:11: this \( is closed by a }"):
        Templates(tmp_path).stylesheet("site.css")


@pytest.mark.parametrize(
    ("html", "what"),
    [
        ("<div><aside><p>x</div>", "<aside> is never closed"),
        ("<div><ul><li>x<li>y</ul><br><img></div>", None),
        ("<div></section></div>", "</section> closes nothing"),
        ("<main><svg><path/></svg>", "<main> is never closed"),
        ("<!-- <div> --><p>a<p>b", None),
        ('<i class="icon"/></i><svg/>', None),
        ("<main><div/></main>", "<div> is never closed"),
    ],
)
def test_html_closes_what_it_opens(html: str, what: str | None) -> None:
    """Elements whose end may be left out, void ones and comments are no faults.

    A slash ends an element of SVG alone.
    """
    fault = unbalanced(html)
    assert (fault and fault.what) == what


def test_the_file_that_leaves_an_element_open_is_named(tmp_path: Path) -> None:
    """It may be one that the layout inlines."""
    layouts = tmp_path / "layouts"
    layouts.mkdir()
    (layouts / "odd.html.j2").write_text('<div>\n{% inline "layouts/_side.html.j2" %}\n</div>')
    (layouts / "_side.html.j2").write_text("<p>\n</p>\n<aside>{{ zones.sidebar }}")
    with pytest.raises(ContentError, match=r"_side\.html\.j2, line 3: <aside> is never closed"):
        Templates(tmp_path).check_html("odd", "<div><aside></div>")
