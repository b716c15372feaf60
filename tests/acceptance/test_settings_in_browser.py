"""What settings grant, in a real Chromium: scripts of other sites, requests, and consent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from robbieblocks.site_settings import read_settings
from tests import pages
from tests.browser.chromium import Noise, accessibility_violations, html_problems
from tests.pages import Press, block, component

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

TITLE = component("title", "export default ({ text }) => <h1>{text}</h1>;")
COOKIES = component("cookies", "export default () => <button data-consent='ask'>Cookies</button>;")
_LOAD = """src => new Promise(done => {
    const script = document.createElement("script");
    script.onload = () => done("ran"); script.onerror = () => done("refused");
    script.src = src; document.head.append(script);
})"""
_FETCH = "url => fetch(url).then(() => 'answered', () => 'refused')"


class Site:
    """A site of one page, and what other sites were asked for."""

    def __init__(self, page: Page, press: Press, folder: Path) -> None:
        self.asked: list[str] = []
        self._page, self._press, self._folder = page, press, folder
        self._open = ExitStack()
        self._bundle = press.bundle(TITLE, COOKIES, base_css=press.renderer.base_css())
        page.route("https://*.example/**", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked.append(route.request.url)
        body = "document.documentElement.dataset.ran = document.currentScript.dataset.domain || 1"
        headers = {"access-control-allow-origin": "*"}
        route.fulfill(body=body, content_type="text/javascript", headers=headers)

    def shown(self, settings: Any, **more: Any) -> str:
        read, problems = read_settings(settings)
        assert problems == ()
        blocks = [block(1, "title", {"text": "Hi"}), block(2, "cookies", zone="footer")]
        self._press.write(
            self._folder,
            self._bundle,
            [pages.page(*blocks, **more)],
            pages.node(theme="light", settings=read),
        )
        address = self._open.enter_context(pages.served(self._folder))
        self._page.goto(address)
        return address

    def close(self) -> None:
        self._open.close()


@pytest.fixture
def site(press: Press, page: Page, tmp_path: Path) -> Iterator[Site]:
    """Other sites are never asked: what they answer is the test's."""
    made = Site(page, press, tmp_path)
    yield made
    made.close()


def test_a_script_that_is_stated_runs(site: Site, page: Page, tmp_path: Path) -> None:
    """It runs with its data, the console is silent, and the page is valid."""
    script = {"src": "https://stats.example/s.js?v=1", "data": {"domain": 'a"><b'}, "async": True}
    head = {"metas": [{"name": "google-site-verification", "content": '"><script>'}]}
    site.shown({"scripts": [script], "head": head})
    page.wait_for_function("() => document.documentElement.dataset.ran === 'a\"><b'")
    assert site.asked == ["https://stats.example/s.js?v=1"]
    assert html_problems([tmp_path / "index.html"]) == []


def test_only_what_is_allowed_is_loaded(site: Site, page: Page, noise: Noise) -> None:
    """Scripts of a host that allows them run, those of others are refused; so are requests."""
    hosts = {"https://cdn.example": ["scripts"], "https://api.example": ["connects"]}
    site.shown({"hosts": hosts, "trusted_types": "off"})
    assert page.evaluate(_LOAD, "https://cdn.example/a.js") == "ran"
    assert page.evaluate(_FETCH, "https://api.example/a") == "answered"
    assert not str(noise)
    assert page.evaluate(_LOAD, "https://evil.example/a.js") == "refused"
    assert page.evaluate(_LOAD, "https://api.example/a.js") == "refused"
    assert page.evaluate(_FETCH, "https://cdn.example/a") == "refused"
    assert site.asked == ["https://cdn.example/a.js", "https://api.example/a"]
    noise.clear()


def test_a_service_on_localhost_is_reached_where_it_is_allowed(
    site: Site, page: Page, noise: Noise, tmp_path: Path
) -> None:
    """A page may talk to a port of this machine that a host names, and to no other."""
    with pages.served(tmp_path) as other:
        port = other.rpartition(":")[2]
        read = "url => fetch(url, {mode: 'no-cors'}).then(() => 'answered', () => 'refused')"
        site.shown({})
        assert page.evaluate(read, f"http://localhost:{port}/") == "refused"
        noise.clear()
        site.shown({"hosts": {f"http://localhost:{port}": ["connects"]}})
        assert page.evaluate(read, f"http://localhost:{port}/") == "answered"
    assert not str(noise)


CONSENTED = {
    "scripts": [{"src": "https://stats.example/s.js", "consent": "statistics"}],
    "consent": {"text": "May we count visits?"},
}


def test_a_script_waits_for_consent_and_the_answer_is_remembered(site: Site, page: Page) -> None:
    """Nothing is loaded before; once allowed it is, on the next page too, which asks no more."""
    site.shown(CONSENTED)
    banner = page.get_by_role("region", name="May we count visits?")
    assert accessibility_violations(page) == []
    assert site.asked == []
    banner.get_by_role("button", name="Allow").click()
    page.wait_for_function("() => document.documentElement.dataset.ran")
    banner.wait_for(state="detached")
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.ran")
    assert banner.count() == 0
    assert len(site.asked) == 2


def test_the_banner_covers_nothing_that_has_the_keyboard(site: Site, page: Page) -> None:
    """The page's end is scrolled above it. Once it is answered nothing is left of that."""
    site.shown(CONSENTED)
    page.get_by_role("button", name="Decline").wait_for()
    page.get_by_role("button", name="Cookies").focus()
    page.wait_for_function(
        """() => {
            const { left, right, top, bottom } = document.activeElement.getBoundingClientRect();
            const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
            return at === document.activeElement;
        }"""
    )
    page.get_by_role("button", name="Decline").click()
    room = "[document.body, document.documentElement].map((each) => each.getAttribute('style'))"
    assert [style for style in page.evaluate(room) if style] == []


def test_a_visitor_has_to_answer_once(site: Site, page: Page) -> None:
    """Escape leaves the banner while nothing is answered."""
    site.shown(CONSENTED)
    page.get_by_role("button", name="Decline").press("Escape")
    assert page.get_by_role("region", name="May we count visits?").count() == 1


def test_a_refusal_is_kept_until_the_visitor_thinks_again(site: Site, page: Page) -> None:
    """A block may open the banner, and Escape leaves the answer as it is; a consent that is taken
    back ends what runs."""
    site.shown(CONSENTED)
    page.get_by_role("button", name="Decline").click()
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.rbConsent === 'answered'")
    assert page.get_by_role("region").count() == 0
    assert site.asked == []
    page.get_by_role("button", name="Cookies").click()
    assert page.evaluate("document.activeElement.textContent") == "Decline"
    page.keyboard.press("Escape")
    assert page.get_by_role("region").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Cookies"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_function("() => document.documentElement.dataset.ran")
    assert page.evaluate("document.activeElement.textContent") == "Cookies"
    with page.expect_navigation():
        page.evaluate(
            "document.dispatchEvent("
            "new CustomEvent('rb:consent', {detail: {statistics: false, other: true}}))"
        )
    assert page.evaluate("localStorage.getItem('rb-consent')") == '{"statistics":false}'
    page.wait_for_function("() => document.documentElement.dataset.rbConsent === 'answered'")
    assert page.evaluate("document.documentElement.dataset.ran ?? ''") == ""
