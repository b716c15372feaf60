"""Every condition operator and its combinations, on real rows: what is in the HTML of which node,
and what a visitor's query and window then show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.sites import Block, MakeSite, Site, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

DARK, LIGHT = "vengeance-local", "collaboration-local"
# The build's clock stands at 2026-06-01T12:00Z.
PAST, FUTURE = "2026-06-01T13:59:59+02:00", "2026-06-01T12:00:01Z"


@dataclass(frozen=True)
class Visit:
    node: str
    query: str
    width: int


# Conditions, and the visits on which the block shows; all others hide it.
NODES = (DARK, LIGHT)
QUERIES = ("", "?ref=newsletter", "?ref=other&x=1")
WIDTHS = (500, 1000)
VISITS = [Visit(node, query, width) for node in NODES for query in QUERIES for width in WIDTHS]
CASES: dict[str, tuple[Any, Callable[[Visit], bool]]] = {
    "none": ({}, lambda _: True),
    "nodes": ({"nodes": [DARK]}, lambda v: v.node == DARK),
    "nodes two": ({"nodes": [DARK, LIGHT]}, lambda _: True),
    "apps": ({"apps": ["play"]}, lambda _: True),
    "apps other": ({"apps": ["work"]}, lambda _: False),
    "theme": ({"theme": "light"}, lambda v: v.node == LIGHT),
    "from past": ({"from": PAST}, lambda _: True),
    "from future": ({"from": FUTURE}, lambda _: False),
    "until past": ({"until": PAST}, lambda _: False),
    "until future": ({"until": FUTURE}, lambda _: True),
    "window": ({"from": PAST, "until": FUTURE}, lambda _: True),
    "query": ({"query": {"ref": "newsletter"}}, lambda v: "news" in v.query),
    "query list": (
        {"query": {"ref": ["newsletter", "other"]}},
        lambda v: v.query != "",
    ),
    "query there": ({"query": {"ref": True}}, lambda v: v.query != ""),
    "query absent": ({"query": {"ref": False}}, lambda v: v.query == ""),
    "query two": ({"query": {"ref": "other", "x": "1"}}, lambda v: "x=1" in v.query),
    "viewport min": ({"viewport": {"min": 800}}, lambda v: v.width >= 800),
    "viewport max": ({"viewport": {"max": 800}}, lambda v: v.width <= 800),
    "viewport both": (
        {"viewport": {"min": 400, "max": 600}},
        lambda v: v.width == 500,
    ),
    "all hold": (
        {"theme": "dark", "query": {"ref": True}, "viewport": {"min": 800}},
        lambda v: v.node == DARK and v.query != "" and v.width >= 800,
    ),
    "any": (
        {"any": [{"nodes": [DARK]}, {"viewport": {"min": 800}}]},
        lambda v: v.node == DARK or v.width >= 800,
    ),
    "any visitor": (
        {"any": [{"query": {"ref": "newsletter"}}, {"viewport": {"max": 600}}]},
        lambda v: "news" in v.query or v.width <= 600,
    ),
    "all": (
        {"all": [{"query": {"ref": True}}, {"query": {"x": False}}]},
        lambda v: "news" in v.query,
    ),
    "not": ({"not": {"theme": "dark"}}, lambda v: v.node == LIGHT),
    "not visitor": (
        {"not": {"query": {"ref": "newsletter"}}},
        lambda v: "news" not in v.query,
    ),
    "not viewport": ({"not": {"viewport": {"min": 800}}}, lambda v: v.width < 800),
    "deep": (
        {
            "not": {
                "any": [
                    {"all": [{"query": {"ref": True}}, {"viewport": {"min": 800}}]},
                    {"apps": ["work"]},
                ]
            }
        },
        lambda v: not (v.query != "" and v.width >= 800),
    ),
}
STILL = "export default ({ name }) => <p data-case={name}>{name}</p>;"
LIVE = """export default function Live({ name }) { const [n, setN] = useState(0);
  return <button data-live={name} onClick={() => setN(n + 1)}>{name}: {n}</button>; }"""


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    made = make_site()
    made.component("still", STILL)
    made.component("live", LIVE)
    blocks = [
        Block(component=component, props={"name": name}, conditions=conditions)
        for name, (conditions, _) in CASES.items()
        for component in ("still", "live")
    ]
    made.page("cases", *blocks)
    for node in NODES:
        made.build(node)
        assert made.problems(warnings=True) == []
    return made


@pytest.fixture(scope="module")
def addresses(site: Site) -> Iterator[Mapping[str, str]]:
    with ExitStack() as stack:
        root = site.builder.settings.site_root
        yield {node: stack.enter_context(served(root, node)) for node in NODES}


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_blocks_show_by_their_conditions(
    addresses: Mapping[str, str], page: Page, visit: Visit
) -> None:
    """Still and live blocks show on exactly the visits that their conditions name, without a
    hydration error, and each live one that shows works."""
    page.set_viewport_size({"width": visit.width, "height": 800})
    page.goto(f"{addresses[visit.node]}/cases/{visit.query}")
    expected = {name for name, (_, holds) in CASES.items() if holds(visit)}
    for attribute in ("case", "live"):
        shown = page.evaluate(
            f"""() => [...document.querySelectorAll('[data-{attribute}]')]
                .filter((e) => e.checkVisibility()).map((e) => e.dataset.{attribute})"""
        )
        assert set(shown) == expected
    page.wait_for_function(
        """() => [...document.querySelectorAll('[data-live]')].filter((e) => e.checkVisibility())
            .every((e) => Object.keys(e).some((k) => k.startsWith('__reactFiber')))"""
    )
    page.evaluate(
        "() => [...document.querySelectorAll('[data-live]')].filter((e) => e.checkVisibility())"
        ".forEach((e) => e.click())"
    )
    said = page.evaluate(
        """async () => { await new Promise(requestAnimationFrame);
            return [...document.querySelectorAll('[data-live]')]
            .filter((e) => e.checkVisibility()).map((e) => e.textContent); }"""
    )
    assert sorted(said) == sorted(f"{name}: 1" for name in expected)


def test_what_a_node_never_shows_is_not_in_its_html(site: Site) -> None:
    """A block that build-time or scheduled conditions leave out does not reach the page at all."""
    for node, hidden in ((DARK, "theme"), (LIGHT, "nodes")):
        html = site.file("/cases/", node).read_text()
        for name in (hidden, "from future", "until past", "apps other"):
            assert f'data-case="{name}"' not in html
            assert f'"name":"{name}"' not in html


def test_a_window_that_grows_reveals_and_starts_a_block(
    addresses: Mapping[str, str], page: Page
) -> None:
    """A live block that the viewport hides starts when the window grows."""
    page.set_viewport_size({"width": 500, "height": 800})
    visit_wide(page, addresses[DARK])
    button = page.locator("[data-live='viewport min']")
    assert not button.is_visible()
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function(
        """() => Object.keys(document.querySelector("[data-live='viewport min']"))
            .some((k) => k.startsWith('__reactFiber'))"""
    )
    button.click()
    assert button.inner_text() == "viewport min: 1"


def visit_wide(page: Page, address: str) -> None:
    answer = page.goto(f"{address}/cases/")
    assert answer is not None
    assert answer.ok


def test_conditions_cause_no_layout_shift(addresses: Mapping[str, str], page: Page) -> None:
    """Query and viewport are decided before the first paint: nothing moves afterwards."""
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((l) => l.getEntries().forEach((e) => "
        "{ shift += e.value; })).observe({ type: 'layout-shift', buffered: true });"
    )
    page.goto(f"{addresses[DARK]}/cases/?ref=newsletter", wait_until="networkidle")
    assert page.evaluate("shift") < 0.001


def test_the_boundary_moves_with_the_clock(site: Site) -> None:
    """Built a second later, the block whose time has come is there, and the one whose time is over
    is gone."""
    was = site.builder.now
    try:
        site.builder.now = was + timedelta(seconds=2)
        site.build(DARK)
        html = site.file("/cases/").read_text()
        assert 'data-case="from future"' in html
        assert 'data-case="until future"' not in html
        assert 'data-case="window"' not in html
    finally:
        site.builder.now = was
        site.build(DARK)
