"""What a visitor's query can't do, in Chromium: become HTML, lead to another site, send a form there."""
# ruff: noqa: E501  # components read best as they were stored

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.sites import Block, MakeSite, Site, served, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.chromium import Noise

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

FORMS = "https://forms.example"
ACTS = (
    "<img src=x onerror='window.hacked=1'><meta http-equiv=refresh content='0;url=/elsewhere/'>"
    f"<form action='{FORMS}/'><button>x</button></form><style>*{{display:none}}</style>"
)
# Each makes HTML of its prop in another way, and counts, so that it is hydrated.
_LIVE = """{ const [n, setN] = useState(0); const at = useRef(null);
  useEffect(() => { %s }, [h]);
  return <div><button onClick={() => setN(n + 1)}>{n}</button><div ref={at}>%s</div></div>; }"""
SETTERS = {
    "react": ("export default ({ h }) => ", "", "<p dangerouslySetInnerHTML={{ __html: h }} />"),
    "spread": ("export default ({ h, ...rest }) => ", "", "<p {...rest.attributes} />"),
    "inner": ("export default ({ h }) => ", "at.current.innerHTML = h", ""),
    "outer": ("export default ({ h }) => ", "at.current.firstChild.outerHTML = h", "<i>x</i>"),
    "insert": (
        "export default ({ h }) => ",
        "at.current.insertAdjacentHTML('beforeend', h)",
        "",
    ),
    "parser": (
        "export default ({ h }) => ",
        "at.current.replaceChildren(...new DOMParser().parseFromString(h, 'text/html').body.childNodes)",
        "",
    ),
    "fragment": (
        "export default ({ h }) => ",
        "at.current.replaceChildren(document.createRange().createContextualFragment(h))",
        "",
    ),
    "unsafe": ("export default ({ h }) => ", "at.current.setHTMLUnsafe(h)", ""),
    "style": ("export default ({ h }) => ", "", "<style>{'/*' + h + '*/'}</style>"),
    "imports": (
        'import React2 from "@robbieblocks/react-still";\nexport default ({ h }) => ',
        "",
        "<React2 h={h} />",
    ),
}
STILL = "export default ({ h }) => <p dangerouslySetInnerHTML={{ __html: h }} />;"
TEXT = "export default ({ text }) => { const [n, setN] = useState(0); return <button onClick={() => setN(n + 1)}>{text} {n}</button>; };"
LINK = "export default ({ to }) => <div><a href={to}>go</a><form action={to} /></div>;"
FORM = f'export default () => <form method="get" action="{FORMS}/in"><button>Send</button></form>;'


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    made = make_site()
    made.component("react-still", STILL)
    made.component("text", TEXT)
    made.component("link", LINK)
    made.component("form", FORM)
    text = Block(component="text", props={"text": "{{h|fine}}"})
    for key, (head, effect, shown) in SETTERS.items():
        made.component(key, f"{head}{_LIVE % (effect, shown)}")
        props = {"h": "{{h|fine}}", "attributes": {}}
        if key == "spread":
            props = {"attributes": {"dangerouslySetInnerHTML": {"__html": "{{h|fine}}"}}}
        made.page(key, Block(component=key, props=props), text)
    made.page("still", Block(component="react-still", props={"h": "{{h|fine}}"}), text)
    made.page("link", Block(component="link", props={"to": "{{to|/still/}}"}), text)
    made.page("form", "form")
    made.page("form-listed", "form", metadata={"form_action": [FORMS]})
    made.build()
    assert made.problems() == []
    return made


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.builder.settings.site_root, "vengeance-local") as url:
        yield url


@pytest.mark.parametrize("key", [*SETTERS, "still"])
def test_a_visitor_s_text_never_becomes_html(address: str, page: Page, key: str) -> None:
    """A block that may set HTML keeps its fallback; the one beside it shows the query as text."""
    visit(page, f"{address}/{key}/?h={quote(ACTS)}")
    beside = page.locator("#b2 button")
    expect(beside).to_have_text(f"{ACTS} 0")
    if key != "still":
        page.locator("#b1 button").click()
        expect(page.locator("#b1 button")).to_have_text("1")
    assert page.locator("#b1 :is(img, meta, form, script)").count() == 0
    assert "hacked" not in page.locator("#b1").inner_html()
    assert page.evaluate("window.hacked") is None
    assert page.url.startswith(f"{address}/{key}/")


def test_each_such_block_is_named(site: Site) -> None:
    """A warning says which page, block and component keeps its fallback, and by what."""
    found = {
        (each.page, each.block): each
        for each in site.problems(warnings=True)
        if "placeholders are not filled" in each.what
    }
    assert found.keys() == {(key, 1) for key in (*SETTERS, "still")}
    assert found["inner", 1].where == "component inner, on page inner, block 1, props"
    assert "innerHTML" in found["inner", 1].what
    assert "dangerouslySetInnerHTML" in found["imports", 1].what
    assert all(each.remedy for each in found.values())


@pytest.mark.parametrize(
    ("to", "leads"),
    [
        ("", "/still/"),
        ("/form/?a=1", "/form/?a=1"),
        ("form/", "form/"),
        ("https://evil.example/", "/still/"),
        ("//evil.example/", "/still/"),
        ("\\\\evil.example/", "/still/"),
        ("/\t/evil.example/", "/still/"),
        (" https:evil.example", "/still/"),
        ("javascript:window.hacked=1", "/still/"),
        ("java\nscript:window.hacked=1", "/still/"),
        ("data:text/html,x", "/still/"),
        ("https://[", "/still/"),
    ],
)
def test_a_visitor_s_text_leads_to_no_other_site(
    address: str, page: Page, to: str, leads: str
) -> None:
    """As the address of a link or a form it may be a page of the site, or else the fallback stays."""
    visit(page, f"{address}/link/?h=seen&to={quote(to)}")
    expect(page.locator("#b2 button")).to_have_text("seen 0")
    expect(page.locator("#b1 a")).to_have_attribute("href", leads)
    expect(page.locator("#b1 form")).to_have_attribute("action", leads)


def test_a_form_sends_to_its_own_site_unless_the_page_lists_another(
    address: str, page: Page, noise: Noise
) -> None:
    """`form-action` blocks what the page's metadata does not list."""
    page.route(f"{FORMS}/**", lambda route: route.fulfill(body="taken", content_type="text/plain"))
    visit(page, f"{address}/form/")
    page.evaluate(
        "() => { window.blocked = new Promise((done) => addEventListener("
        "'securitypolicyviolation', (event) => done(event.effectiveDirective))); }"
    )
    # `click` would wait for the navigation that is blocked.
    page.evaluate("document.querySelector('main button').click()")
    assert page.evaluate("window.blocked") == "form-action"
    assert page.url == f"{address}/form/"
    noise.clear()
    visit(page, f"{address}/form-listed/")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(f"{FORMS}/in*")
    assert page.inner_text("body") == "taken"
