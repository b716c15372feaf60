"""Composing and branding pages, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Collection
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from robbieblocks.errors import ContentError
from robbieblocks.model import (
    PRESSES,
    RUNTIME_PARTS,
    AppHome,
    AssembledBlock,
    AssembledPage,
    Asset,
    BrandedNode,
    Bundle,
    HeadElement,
    Host,
    JsonObject,
    Module,
    NodeIndex,
    RenderedBlock,
    SiteScript,
    SiteSettings,
    StyleForm,
)
from robbieblocks.prerender import NodeSheet, NodeSlots, PageRenderer, is_listed
from robbieblocks.prerender.isolate import v8_isolate
from robbieblocks.prerender.isolate.protocol import PROVEN
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.templates import Templates
from robbieblocks.settings import resource_dir
from tests.pages import block, node, page

RENDERER = PageRenderer(resource_dir("templates"))


def _module(specifier: str, *imports: str, css: str = "") -> Module:
    stem = specifier.rpartition("/")[2]
    sheet = Asset.of(stem, "css", css) if css else None
    asset = Asset.of(stem, "js", f"export default {specifier!r}")
    return Module(specifier=specifier, asset=asset, script="", imports=imports, stylesheet=sheet)


def _utilities(keys: Collection[str], _: frozenset[str] = frozenset()) -> Asset | None:
    return Asset.of("utilities", "css", "@layer utilities{}") if keys else None


BUNDLE = Bundle(
    modules={
        module.specifier: module
        for module in (
            _module("react"),
            replace(_module("react/jsx-runtime"), asset=_module("react").asset),
            _module("unused-package"),
            _module(
                "@robbieblocks/live",
                *("react", "react/jsx-runtime", "@robbieblocks/inner"),
                css=".live{}",
            ),
            _module("@robbieblocks/inner", "react", css=".inner{}"),
            _module("@robbieblocks/still", "react", css=".still{}"),
            *map(_module, (*RUNTIME_PARTS.values(), PRESSES)),
        )
    },
    runtime=_module("@robbieblocks/-runtime"),
    base_stylesheet=Asset.of("base", "css", "@layer base{}"),
    utilities_for=_utilities,
)
LIVE = RenderedBlock(html="<p>live</p>", interactive=True)
STILL = RenderedBlock(html="<p>still</p>", interactive=False)


def _html(
    given_page: AssembledPage,
    rendered: dict[int, RenderedBlock] | None = None,
    on: BrandedNode | None = None,
    styles: StyleForm = "inline",
) -> str:
    made = rendered or {
        each.order: LIVE if each.component == "live" else STILL for each in given_page.blocks
    }
    document = RENDERER.compose(given_page, made, BUNDLE, styles)
    return document.fill(NodeSlots.of(on or node(), styles)).decode()


def _tree(*blocks: AssembledBlock, on: BrandedNode | None = None, **more: Any) -> LexborHTMLParser:
    return LexborHTMLParser(_html(page(*blocks, **more), on=on))


def _waiting(tree: LexborHTMLParser) -> LexborHTMLParser:
    """The preloads that wait until the page is painted; a parser's selectors see none of them."""
    found = re.search(r'<template id="rb-preloads">(.*?)</template>', tree.html or "")
    return LexborHTMLParser(found[1] if found else "")


def _policy_allows(html: str) -> None:
    """The page's policy has the hash of each of its style elements."""
    for text in re.findall("<style>(.*?)</style>", html, re.DOTALL):
        assert head.csp_hash(text) in html


def _attribute(tree: LexborHTMLParser, selector: str, name: str) -> str | None:
    found = tree.css_first(selector)
    return None if found is None else found.attributes.get(name)


def test_static_page_has_no_module() -> None:
    """A page whose blocks need no script names no module, import map or islands."""
    tree = _tree(block(1, "still"))
    assert not tree.css("[type=module], [type=importmap], [rel$=preload], #rb-islands")


def test_islands_name_what_they_need() -> None:
    """The import map holds what the islands load and nothing else, each with its integrity."""
    tree = _tree(block(1, "live", {"a": 1}), block(2, "still"))
    found = tree.css_first("[type=importmap]")
    assert found is not None
    mapped = json.loads(found.text())
    needed = {"react", "react/jsx-runtime", "@robbieblocks/live", "@robbieblocks/inner"}
    assert set(mapped["imports"]) == needed
    assert set(mapped["integrity"]) == set(mapped["imports"].values())
    preloaded = [link.attributes["href"] for link in _waiting(tree).css("[rel=modulepreload]")]
    assert sorted(map(str, preloaded)) == sorted({*mapped["imports"].values()})
    data = tree.css_first("#rb-islands")
    assert data is not None
    assert json.loads(data.text()) == [
        {"id": "b1", "use": "@robbieblocks/live", "when": "load", "props": {"a": 1}}
    ]


@pytest.mark.parametrize("form", ["inline", "linked", "fixed"])
def test_nothing_is_fetched_before_what_shows(form: StyleForm) -> None:
    """Fonts and modules come behind the content; so does what runs or says where modules are,
    before each module. The head starts nothing."""
    font = Asset.of("font", "woff2", b"letters")
    html = _html(page(block(1, "live")), on=replace(node(), fonts=(font,)), styles=form)
    before, shown, behind = re.split("(<main.*</main>)", html, flags=re.DOTALL)
    asking = f"<script>{head.ASK_ONCE_PAINTED}</script>"
    waiting = re.sub('<template id="rb-preloads">.*?</template>', "", before)
    asked = LexborHTMLParser(waiting).css("script, link:not([rel=stylesheet], [rel=icon])")
    assert [element.html for element in asked] == []
    assert "<script" not in shown
    assert behind.index('<script type="importmap">') < behind.index(asking)
    assert behind.index(asking) < behind.index('<script type="module" src="/_rb/')
    assert "preload" not in waiting + behind.replace("rb-preloads", "")
    assert head.csp_hash(head.ASK_ONCE_PAINTED) in before
    # Behind fonts, though these are found by the styles only.
    for element in LexborHTMLParser(behind).css("link, script[src]"):
        assert element.attributes.get("fetchpriority") == "low"


@pytest.mark.parametrize("form", ["inline", "linked", "fixed"])
def test_first_scripts_stand_behind_what_fills_a_first_screen(form: StyleForm) -> None:
    """Before a script in the body browsers paint what they have read. A first block that has only
    few letters is not worth a frame, and behind the last one there is nothing to wait for."""
    first = f'<script type="importmap">.*?</script><script>{re.escape(head.ASK_ONCE_PAINTED)}'

    def stands_behind(*texts: str) -> str:
        blocks = [block(number, "live") for number, _ in enumerate(texts, start=1)]
        made = {
            number: RenderedBlock(html=f"<p>{text}</p>", interactive=True)
            for number, text in enumerate(texts, start=1)
        }
        html = _html(page(*blocks), made, styles=form)
        (found,) = re.finditer(first, html)
        assert html.index('<script type="module"') > found.start()
        last = str(re.findall(r' id="([\w-]+)"', html[: found.start()])[-1])
        assert html[: found.start()].endswith("</div>" if last != "rb-islands" else "</script>\n")
        return last

    long = "word " * 50
    assert stands_behind(long, "b", "c") == "b1"
    assert stands_behind("a", long, "c") == "b2"
    assert stands_behind("<b>a</b> " * 50, long, "c") == "b2"
    assert stands_behind("a", "b", long) == "rb-islands"
    assert stands_behind(long) == "rb-islands"
    assert stands_behind(*["a"] * 8, long, "b") == "rb-islands"


@pytest.mark.parametrize(
    "html",
    [
        '<script type="module" src="https://a.example/a.js"></script>',
        "<SCRIPT TYPE=module></SCRIPT>",
        '<link rel="modulepreload" href="/a.js">',
    ],
)
def test_the_import_map_comes_before_modules_of_blocks(html: str) -> None:
    """Firefox takes none once a module was asked for, and the page would not come to life."""
    text = "word " * 50
    made = {
        1: RenderedBlock(html=f"<p>{text}</p>", interactive=True),
        2: RenderedBlock(html=html, interactive=True),
    }
    found = _html(page(block(1, "live"), block(2, "live")), made)
    assert found.index('<script type="importmap">') < found.index("</head>") < found.index(html)
    hinted = {**made, 2: RenderedBlock(html="b", interactive=True, hints=html)}
    found = _html(page(block(1, "live"), block(2, "live")), hinted)
    in_head = found.index('<script type="importmap">') < found.index("</head>")
    assert in_head == html.startswith("<link")


@pytest.mark.parametrize("form", ["inline", "linked", "separate"])
@pytest.mark.parametrize("component", ["live", "still"])
def test_prefetching_begins_behind_the_first_frame(component: str, form: StyleForm) -> None:
    """The rules for it wait with the modules, where a page has any; elsewhere they are the last
    element. Each page has them once."""
    html = _html(page(block(1, component)), styles=form)
    waiting = re.findall('<template id="rb-preloads">(.*?)</template>', html)
    waits = component == "live" and form != "separate"
    assert html.count(head.SPECULATION_SCRIPT) == 1
    assert any(head.SPECULATION_SCRIPT in text for text in waiting) == waits
    assert html.rstrip().endswith(f"{head.SPECULATION_SCRIPT}\n</body>\n</html>") == (not waits)
    assert head.csp_hash(head.SPECULATION) in html


def test_a_page_has_the_base_styles_of_its_templates() -> None:
    """Inline, those of other layouts are left out, unless its blocks' code names them; a file that
    pages share has all."""
    styles = "p{a:b}", ".rb-layout-dashboard{a:b}", ".rb-lost{a:b}", ".rb-layout-single-column{a:b}"
    base = Asset.of("base", "css", "".join(styles))
    dashes = _module("@robbieblocks/live", "@robbieblocks/inner")
    inner = replace(BUNDLE.modules["@robbieblocks/inner"], script="'rb-layout-dashboard'")
    modules = {**BUNDLE.modules, "@robbieblocks/inner": inner, "@robbieblocks/live": dashes}
    bundle = replace(BUNDLE, base_stylesheet=base, modules=modules)

    def shown(component: str) -> list[str]:
        made = {1: LIVE if component == "live" else STILL}
        document = RENDERER.compose(page(block(1, component)), made, bundle)
        html = document.fill(NodeSlots.of(node())).decode()
        _policy_allows(html)
        return [each for each in styles if each in html]

    assert shown("still") == [styles[0], styles[3]]
    assert shown("live") == [styles[0], styles[1], styles[3]]


def test_in_development_all_scripts_stand_in_the_head() -> None:
    """The development server compares what stands around the blocks: scripts are not of it."""
    head, _, body = _html(page(block(1, "live")), styles="separate").partition("<body")
    assert '<script type="module"' in head
    assert "module" not in body


def test_an_earlier_page_template_still_has_its_scripts(tmp_path: Path) -> None:
    """A project's own copy that writes all scripts in one, and fonts, gives a page that lives."""
    package = resource_dir("templates")
    text = (package / "page.html.j2").read_text("utf-8")
    old = text.replace("{{ head_scripts }}", "{{ modules }}{{ slot.fonts }}")
    (tmp_path / "page.html.j2").write_text(old.replace("{{ scripts }}", ""), "utf-8")
    document = PageRenderer(tmp_path, package).compose(page(block(1, "live")), {1: LIVE}, BUNDLE)
    head, _, body = document.fill(NodeSlots.of(node())).decode().partition("<body")
    assert head.index("importmap") < head.index('<script type="module"')
    assert '<script type="module"' not in body


def test_modules_are_not_fetched_beside_a_picture_that_shows_first() -> None:
    """Where a page waits for one, its preloads wait for the page's script; they are of what that
    does not ask for itself: modules that a block's module imports."""
    shown = '<p>live<img src="/a.png" fetchpriority="high"></p>'
    html = _html(page(block(1, "live")), {1: RenderedBlock(html=shown, interactive=True)})
    outside, *waiting = re.split(r'<template id="rb-preloads">(.*?)</template>', html)
    assert "preload" not in outside.replace("rb-preloads", "") + waiting[1]
    assert re.findall('<link rel="modulepreload" href="/_rb/([a-z]+)-', waiting[0]) == ["inner"]


@pytest.mark.parametrize("when", ["idle", "visible"])
def test_later_islands_preload_nothing(when: Any) -> None:
    """What hydrates later is not fetched early."""
    tree = _tree(block(1, "live", hydrate=when))
    assert tree.css_first("[type=importmap]") is not None
    assert not tree.css("[rel$=preload]")


def test_what_never_hydrates_loads_no_script() -> None:
    """A block with state, or that read the clock, stays as it is; another one beside it lives."""
    fresh = RenderedBlock(html="2025", interactive=False, rerender=True)
    never = block(1, "live", hydrate="never"), block(2, "still", hydrate="never")
    tree = LexborHTMLParser(_html(page(*never), {1: LIVE, 2: fresh}))
    assert not tree.css("[type=module], [type=importmap], [rel$=preload], #rb-islands")
    assert "<p>live</p>" in (tree.html or "")
    beside = LexborHTMLParser(_html(page(*never, block(3, "live")), {1: LIVE, 2: fresh, 3: LIVE}))
    data = beside.css_first("#rb-islands")
    assert data is not None
    assert [island["id"] for island in json.loads(data.text())] == ["b3"]


def test_placeholders_of_a_block_that_never_hydrates_are_a_warning() -> None:
    """They show their fallbacks, and the warning names the block."""
    given = page(block(4, "still", {"a": "b"}, fill={"a": "{{x|b}}"}, hydrate="never"))
    document = RENDERER.compose(given, {4: STILL}, BUNDLE)
    assert "{{x" not in document.fill(NodeSlots.of(node())).decode()
    (problem,) = document.problems
    assert (problem.severity, problem.block) == ("warning", 4)
    assert "never hydrated" in problem.what


def test_rerendered_and_filled_blocks_are_islands() -> None:
    """A block that read the clock is rendered afresh; one with placeholders waits for a query."""
    given_page = page(block(1, "still"), block(2, "still", {"a": "b"}, fill={"a": "{{x|b}}"}))
    fresh = RenderedBlock(html="2025", interactive=False, rerender=True)
    tree = LexborHTMLParser(_html(given_page, {1: fresh, 2: STILL}))
    data = tree.css_first("#rb-islands")
    assert data is not None
    first, second = json.loads(data.text())
    assert first["fresh"] is True
    assert (second["still"], second["fill"]) == (True, {"a": "{{x|b}}"})


@pytest.mark.parametrize(
    ("made", "more", "parts", "at_once"),
    [
        (LIVE, {}, set[str](), set[str]()),
        (RenderedBlock(html='<input name="a">', interactive=True), {}, {"restore"}, set[str]()),
        (
            RenderedBlock(html="<p>2025</p>", interactive=False, rerender=True),
            {},
            *2 * [{"restore"}],
        ),
        (
            RenderedBlock(html="<p>2025</p>", interactive=False, rerender=True),
            {"hydrate": "idle"},
            {"restore"},
            set[str](),
        ),
        (
            RenderedBlock(html="<p>2025</p>", interactive=False, rerender=True, misnested="p in p"),
            {},
            *2 * [{"restore"}],
        ),
        (STILL, {"fill": {"a": "{{x|b}}"}}, {"fill", "restore"}, set[str]()),
        (
            RenderedBlock(
                html='<form action="javascript:throw new Error(&#x27;React form unexpectedly">',
                interactive=True,
            ),
            {},
            {"forms"},
            {"forms"},
        ),
    ],
)
def test_pages_name_the_parts_that_a_visit_may_need(
    made: RenderedBlock, more: dict[str, Any], parts: set[str], at_once: set[str]
) -> None:
    """The import map leads to them; what each visit needs is fetched early, nothing else is."""
    tree = LexborHTMLParser(_html(page(block(1, "live", **more)), {1: made}))
    found = tree.css_first("[type=importmap]")
    assert found is not None
    mapped = json.loads(found.text())
    named = {name: mapped["imports"].get(each) for name, each in RUNTIME_PARTS.items()}
    assert {name for name, url in named.items() if url} == parts
    assert {url for url in named.values() if url} <= set(mapped["integrity"])
    loaded = [
        *[script.attributes["src"] for script in tree.css("[type=module]")],
        *[link.attributes["href"] for link in _waiting(tree).css("[rel=modulepreload]")],
    ]
    assert {name for name, url in named.items() if url in loaded} == at_once


def test_stylesheets_stand_in_the_order_of_layers() -> None:
    """Tokens, base, components, utilities, the node's own; each with its integrity."""
    on = node(custom_css=Asset.of("custom", "css", "@layer node{}"))
    tree = LexborHTMLParser(_html(page(block(1, "live")), on=on, styles="separate"))
    assert not tree.css("style")
    names = [
        (link.attributes["href"] or "").rpartition("/")[2].rpartition("-")[0]
        for link in tree.css("link[rel=stylesheet]")
    ]
    assert names == ["tokens", "base", "inner", "live", "utilities", "custom"]
    assert all("integrity" in link.attributes for link in tree.css("link[rel=stylesheet]"))


def test_inline_styles_are_those_of_the_files_in_the_same_order() -> None:
    """Tokens first, which say the layers' order, then what the page needs, the node's own last."""
    on = node(custom_css=Asset.of("custom", "css", "@layer node{}"))
    given_page = page(block(1, "live"), block(2, "still"))
    tree = LexborHTMLParser(_html(given_page, on=on))
    assert not tree.css("link[rel=stylesheet]")
    texts = [style.text() for style in tree.css("style")]
    own = "@layer base{}.inner{}.live{}.still{}@layer utilities{}"
    assert texts == [on.stylesheet.content.decode(), own, "@layer node{}"]
    document = RENDERER.compose(given_page, {1: LIVE, 2: STILL}, BUNDLE)
    named = {*document.assets, *NodeSlots.of(on).assets}
    assert not [asset.name for asset in named if asset.name.endswith(".css")]


def test_pages_of_a_node_share_one_file_of_linked_styles() -> None:
    """It has tokens, base and the node's own styles; what components need is in the page."""
    on = node(custom_css=Asset.of("custom", "css", "@layer node{}"))
    slots = NodeSlots.of(on, "linked", base=BUNDLE.base_stylesheet)
    document = RENDERER.compose(page(block(1, "live")), {1: LIVE}, BUNDLE, "linked")
    tree = LexborHTMLParser(document.fill(slots).decode())
    (link,) = tree.css("link[rel=stylesheet]")
    (sheet,) = [asset for asset in slots.assets if asset is not on.favicon]
    assert link.attributes["href"] == sheet.url
    assert link.attributes["integrity"] == sheet.integrity
    assert sheet.content.decode() == "\n".join(
        (on.stylesheet.content.decode(), "@layer base{}", "@layer node{}")
    )
    (style,) = tree.css("style")
    assert style.text() == ".inner{}.live{}@layer utilities{}"
    assert not [asset.name for asset in document.assets if asset.name.endswith(".css")]


def test_pages_with_styles_at_a_fixed_address_show_no_values_of_tokens() -> None:
    """But for the one that the head names. What is new to a page is at another edition."""

    def made(**tokens: str) -> tuple[str, NodeSheet, NodeSlots]:
        values = {"color.background": "#111", **tokens}
        sheet = Asset.of("tokens", "css", str(values))
        on = node(tokens=values, stylesheet=sheet, fonts=(Asset("a-1.woff2", b"a"),))
        file = NodeSheet.of(on, "play", BUNDLE.base_stylesheet)
        slots = NodeSlots.of(on, "fixed", base=BUNDLE.base_stylesheet, sheet=file)
        document = RENDERER.compose(page(block(1, "live")), {1: LIVE}, BUNDLE, "fixed")
        return document.fill(slots).decode(), file, slots

    before, sheet, slots = made(space="1rem")
    after, other, _ = made(space="2rem")
    assert before == after
    assert (sheet.path, sheet.address) == (other.path, other.address)
    assert sheet.content != other.content
    assert made(**{"color.background": "#222"})[0] != before
    assert made(space="1rem", more="1")[1].address != sheet.address
    tree = LexborHTMLParser(before)
    (link,) = tree.css("link[rel=stylesheet]")
    assert link.attributes["href"] == sheet.address
    assert sheet.address.startswith("/styles-play.css?v=")
    (policy,) = tree.css("meta[http-equiv=Content-Security-Policy]")
    # It stands behind the import map: a module that it asks for must not be the first.
    scripts = tree.css("script")
    (script,) = [each for each in scripts if '"reload"' in each.text()]
    mapped = [each.attributes.get("type") == "importmap" for each in scripts].index(True)
    assert mapped < scripts.index(script)
    assert head.csp_hash(script.text()) in (policy.attributes["content"] or "")
    # Fonts that the file alone names are not the page's.
    (reloader,) = slots.assets
    assert f'import("{reloader.url}")' in script.text()


def test_a_large_sheet_is_linked() -> None:
    """What would weigh on every page is a file that a browser keeps, whoever has written it."""
    large = "@layer base{" + "a{color:red}" * 6_000 + "}"
    bundle = replace(BUNDLE, base_stylesheet=Asset.of("base", "css", large))
    on = node(custom_css=Asset.of("custom", "css", large))
    document = RENDERER.compose(page(block(1, "live")), {1: LIVE}, bundle)
    tree = LexborHTMLParser(document.fill(NodeSlots.of(on)).decode())
    linked = [link.attributes["href"] for link in tree.css("link[rel=stylesheet]")]
    assert linked == [bundle.base_stylesheet.url, on.custom_css.url if on.custom_css else ""]
    assert bundle.base_stylesheet in document.assets
    assert on.custom_css in NodeSlots.of(on).assets
    assert len(tree.css("style")) == 2


def test_many_sheets_do_not_make_a_page_large() -> None:
    """Of sheets that are too large together the largest are linked, and no more than must be."""
    sizes = {"live": 30_000, "inner": 20_000, "still": 10_000}
    styled = {
        specifier: replace(
            BUNDLE.modules[specifier],
            stylesheet=Asset.of(name, "css", f".{name}{{color:{'r' * size}}}"),
        )
        for name, size in sizes.items()
        if (specifier := f"@robbieblocks/{name}")
    }
    base = Asset.of("base", "css", "@layer base{" + "a{color:red}" * 2_000 + "}")
    bundle = replace(BUNDLE, modules={**BUNDLE.modules, **styled}, base_stylesheet=base)
    document = RENDERER.compose(
        page(block(1, "live"), block(2, "still")), {1: LIVE, 2: STILL}, bundle
    )
    linked = [asset for asset in document.assets if asset.name.endswith(".css")]
    assert linked == [styled["@robbieblocks/live"].stylesheet]
    tree = LexborHTMLParser(document.fill(NodeSlots.of(node())).decode())
    before, link, after = tree.css("head > style, head > link[rel=stylesheet]")[1:]
    assert link.tag == "link"
    assert 50_000 < len(before.text()) + len(after.text()) <= 64 * 1024
    # The order of their names, as without a link.
    assert "inner" in before.text()
    assert "still" in after.text()


@pytest.mark.parametrize(
    ("css", "wanted"),
    [
        ('.a::after{content:"</style><script>"}', '.a::after{content:"<\\/style><script>"}'),
        (".a{b:url(</STYLE>)}", ".a{b:url(<\\/STYLE>)}"),
        ("a{}\r\nb{}\rc{}", "a{}\nb{}\nc{}"),
    ],
)
def test_no_text_of_a_sheet_ends_its_element(css: str, wanted: str) -> None:
    """Whatever a string holds; and the policy has the hash of the text that a parser makes."""
    html = _html(page(block(1, "live")), on=node(custom_css=Asset.of("custom", "css", css)))
    tree = LexborHTMLParser(html)
    assert tree.css("style")[-1].text() == wanted
    digest = base64.b64encode(hashlib.sha256(wanted.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in (_attribute(tree, "[http-equiv]", "content") or "")


def test_styles_that_a_component_computes_shut_out_no_other() -> None:
    """Beside a hash browsers ignore 'unsafe-inline': a page that needs it has no hash."""
    changed = replace(BUNDLE.modules["@robbieblocks/live"], computes_styles=True)
    bundle = replace(BUNDLE, modules={**BUNDLE.modules, changed.specifier: changed})
    document = RENDERER.compose(page(block(1, "live")), {1: LIVE}, bundle)
    tree = LexborHTMLParser(document.fill(NodeSlots.of(node())).decode())
    policy = _attribute(tree, "[http-equiv]", "content") or ""
    (styles,) = [each for each in policy.split("; ") if each.startswith("style-src ")]
    assert styles == "style-src 'self' 'unsafe-inline'"
    assert len(tree.css("style")) == 2


def test_policy_allows_exactly_the_inline_scripts() -> None:
    """Every inline script that runs, and every inline style, has its hash in the policy."""
    given_page = page(
        block(1, "live", visitor={"query": {"a": True}}), block(2, "still"), title_fill="{{x|y}}"
    )
    styled = RenderedBlock(html="<style>.a > b{}</style>", interactive=False)
    tree = LexborHTMLParser(_html(given_page, {1: LIVE, 2: styled}))
    policy = _attribute(tree, "[http-equiv]", "content") or ""
    inline = [
        script.text()
        for script in (*tree.css("script:not([src])"), *_waiting(tree).css("script"))
        if "json" not in (script.attributes.get("type") or "")
    ]
    styles = [style.text() for style in tree.css("style")]
    wanted = {
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        # Packages begin with an empty <style> and add their rules one by one.
        for text in (*inline, *styles, "")
    }
    assert set(re.findall(r"'sha256-[^']+'", policy)) == wanted
    assert "&#39;" not in _html(given_page, {1: LIVE, 2: styled})
    assert "'unsafe-inline'" not in policy.split("style-src-attr")[0]
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize(
    ("code", "props", "made_html"),
    [
        ("a()", {}, False),
        ("a()", {"text": "innerHTML"}, False),
        ("a()", {"dangerouslySetInnerHTML": {"__html": "b"}}, True),
        ("a.innerHTML=b", {}, True),
        ('document.createElement("script")', {}, True),
        ("new Worker(a)", {}, True),
        ("new SharedWorker(a)", {}, True),
    ],
)
def test_trusted_types_are_required_where_nothing_makes_html(
    code: str, props: dict[str, Any], made_html: bool
) -> None:
    """Pages require them but where an island's code or props may make HTML or scripts, where the
    node has a script of its own, and in the development server's form."""
    live = replace(BUNDLE.modules["@robbieblocks/live"], script=code)
    bundle = replace(BUNDLE, modules={**BUNDLE.modules, live.specifier: live})
    script = Asset.of("custom", "js", "eval")
    for styles, on, wanted in (
        ("inline", node(), not made_html),
        ("linked", node(), not made_html),
        ("separate", node(), False),
        ("inline", replace(node(), custom_scripts=script), False),
    ):
        form: Any = styles
        document = RENDERER.compose(page(block(1, "live", props)), {1: LIVE}, bundle, form)
        html = document.fill(NodeSlots.of(on, form)).decode()
        assert ("require-trusted-types-for 'script'" in html) is wanted, styles


def _csp(html: str) -> str:
    return unescape(html.partition('Content-Security-Policy" content="')[2].partition('"')[0])


def test_hosts_and_scripts_make_the_policy() -> None:
    """A kind that a host allows is for these hosts; a script's own address is allowed."""
    of_node = SiteSettings(
        hosts=(Host("https://a.example", ("scripts", "styles", "images", "fonts")),),
        scripts=(SiteScript("https://s.example/s.js?a=1", integrity="sha384-x"),),
    )
    of_app = SiteSettings(
        hosts=(
            Host("https://b.example", ("images",)),
            Host("https:", ("connects",)),
            Host("https://c.example", ()),
        )
    )
    document = RENDERER.compose(replace(page(block(1, "live")), settings=of_app), {1: LIVE}, BUNDLE)
    html = document.fill(NodeSlots.of(replace(node(), settings=of_node))).decode()
    policy = {name: sources for name, *sources in map(str.split, _csp(html).split(";"))}
    assert policy["script-src"][:3] == ["'self'", "https://a.example", "https://s.example/s.js"]
    assert policy["style-src"][:2] == ["'self'", "https://a.example"]
    assert policy["img-src"] == [
        "'self'",
        "https://a.example",
        "https://b.example",
        "data:",
        "blob:",
    ]
    assert policy["font-src"] == ["'self'", "https://a.example"]
    assert policy["connect-src"] == ["'self'", "https:", "wss:"]
    assert policy["frame-src"] == ["'self'", "https:"]
    assert policy["media-src"] == ["'self'", "https:", "data:", "blob:"]
    assert "require-trusted-types-for" not in policy
    assert '<script src="https://s.example/s.js?a=1" integrity="sha384-x" crossorigin' in html


def test_a_page_names_its_own_canonical_address() -> None:
    """Then the one that the node would write is left out."""
    link = HeadElement("link", (("rel", "canonical"), ("href", "https://a.example/?a&b")))
    shown = replace(page(block(1, "live")), settings=SiteSettings(head=(link,)))
    document = RENDERER.compose(shown, {1: LIVE}, BUNDLE)
    html = document.fill(NodeSlots.of(replace(node(), base_url="https://b.example"))).decode()
    assert html.count("canonical") == 1
    assert '<link rel="canonical" href="https://a.example/?a&amp;b">' in html


@pytest.mark.parametrize(
    ("of_node", "of_app", "code", "wanted"),
    [
        ("auto", "auto", "innerHTML", False),
        ("on", "auto", "innerHTML", True),
        ("off", "auto", "", False),
        ("off", "on", "innerHTML", True),
        ("on", "off", "", False),
    ],
)
def test_settings_turn_trusted_types_on_and_off(
    of_node: Any, of_app: Any, code: str, wanted: bool
) -> None:
    """What the app's frames state holds, else what the node states, else what the page has."""
    live = replace(BUNDLE.modules["@robbieblocks/live"], script=code)
    bundle = replace(BUNDLE, modules={**BUNDLE.modules, live.specifier: live})
    shown = replace(page(block(1, "live")), settings=SiteSettings(trusted_types=of_app))
    document = RENDERER.compose(shown, {1: LIVE}, bundle)
    on = replace(node(), settings=SiteSettings(trusted_types=of_node))
    html = document.fill(NodeSlots.of(on)).decode()
    assert ("require-trusted-types-for 'script'" in html) is wanted


def test_a_page_with_controls_says_that_they_need_scripts() -> None:
    """Visitors without scripts are told of dead controls, and of nothing where there are none."""
    assert _tree(block(1, "live")).css_first("noscript p") is not None
    for still in (block(1, "still"), block(1, "live", hydrate="never")):
        assert _tree(still).css_first("noscript") is None


def test_forms_send_to_their_own_site_and_to_listed_origins() -> None:
    """`form_action` widens the policy by whole https origins, and by nothing else."""
    allowed = ["https://forms.example", "https://b.example:8443"]
    for listed in ([], allowed, [*allowed, "*", "https://x;y", 5], "https://c.example"):
        policy = _attribute(_tree(metadata={"form_action": listed}), "[http-equiv]", "content")
        assert policy is not None
        own = "form-action 'self'"
        wanted = " ".join([own, *allowed]) if allowed[0] in listed else own
        assert policy.split("; ")[-1] == wanted


@pytest.mark.parametrize(
    "code",
    [
        'jsx("p",{dangerouslySetInnerHTML:{__html:a}})',
        'jsx("p",{...b,[c]:{__html:a}})',
        "a.innerHTML=b",
        "a.outerHTML+=b",
        'a["innerHTML"]=b',
        'a.insertAdjacentHTML("beforeend",b)',
        "a.setHTML(b)",
        "a.setHTMLUnsafe(b)",
        "Document.parseHTMLUnsafe(b)",
        'new DOMParser().parseFromString(b,"text/html")',
        "document.createRange().createContextualFragment(b)",
        "document.write(b)",
        "document.writeln (b)",
        'jsx("iframe",{srcDoc:b})',
        'a.setAttribute("srcdoc",b)',
        'jsx("style",{children:b})',
    ],
)
def test_a_block_that_may_set_html_is_not_filled(code: str) -> None:
    """Whatever it sets HTML with: its own code, a component that it imports, but no package."""
    given_page = page(block(1, "live", {"a": "b"}, fill={"a": "{{x|b}}"}))
    for where, filled in (("@robbieblocks/live", 0), ("@robbieblocks/inner", 0), ("react", 1)):
        changed = replace(BUNDLE.modules[where], script=code)
        bundle = replace(BUNDLE, modules={**BUNDLE.modules, where: changed})
        document = RENDERER.compose(given_page, {1: LIVE}, bundle)
        html = document.fill(NodeSlots.of(node())).decode()
        assert html.count("{{x|b}}") == filled
        assert [each.block for each in document.problems] == [1] * (1 - filled)


@pytest.mark.parametrize("name", ["dangerouslySetInnerHTML", "__html", "innerHTML", "srcDoc"])
def test_a_prop_that_is_html_is_not_filled(name: str) -> None:
    """A component may spread its props over an element; as text the name does no harm."""
    fill: JsonObject = {"a": [{name: "{{x|b}}"}]}
    document = RENDERER.compose(page(block(1, "live", {}, fill=fill)), {1: LIVE}, BUNDLE)
    (problem,) = document.problems
    assert name in problem.what
    fill = {"a": [f"{name}: {{{{x|b}}}}"]}
    assert not RENDERER.compose(page(block(1, "live", {}, fill=fill)), {1: LIVE}, BUNDLE).problems


def test_canonical_needs_an_address() -> None:
    """Absolute URLs stand on a node with an address only; letters beyond ASCII are encoded."""
    assert not _tree(route="/é/").css("[rel=canonical], [property='og:url']")
    tree = _tree(route="/é/", on=node(base_url="https://example.org/"))
    assert _attribute(tree, "[rel=canonical]", "href") == "https://example.org/%C3%A9/"
    assert _attribute(tree, "[property='og:url']", "content") == "https://example.org/%C3%A9/"


def test_metadata_reaches_the_head() -> None:
    """Language, direction, robots, Open Graph and JSON-LD come from the page's metadata."""
    metadata = {
        "dir": "rtl",
        "robots": "noindex",
        "og_type": "article",
        "og_image": "/a.png",
        "json_ld": [{"@type": "WebPage"}, {"@type": "Person"}],
    }
    tree = _tree(
        metadata=metadata, lang="ar-EG", description="D", on=node(base_url="https://example.org")
    )
    assert _attribute(tree, "html", "lang") == "ar-EG"
    assert _attribute(tree, "html", "dir") == "rtl"
    assert _attribute(tree, "[name=robots]", "content") == "noindex"
    assert _attribute(tree, "[property='og:type']", "content") == "article"
    assert _attribute(tree, "[property='og:image']", "content") == "https://example.org/a.png"
    assert _attribute(tree, "[name=description]", "content") == "D"
    assert len(tree.css("[type='application/ld+json']")) == 2


@pytest.mark.parametrize("metadata", [{"dir": "up"}, {"json_ld": 7}, {"json_ld": [1]}])
def test_odd_metadata_is_left_out(metadata: dict[str, Any]) -> None:
    """Metadata of the wrong kind changes nothing."""
    assert _html(page(metadata=metadata)) == _html(page())


def test_nodes_share_a_document() -> None:
    """One document serves every node; only what is a node's own differs."""
    document = RENDERER.compose(page(block(1, "live")), {1: LIVE}, BUNDLE)
    dark = document.fill(NodeSlots.of(node())).decode()
    light = document.fill(NodeSlots.of(node(theme="light", name="Aurora"))).decode()
    assert 'data-theme="dark"' in dark
    assert 'data-theme="light"' in light
    assert dark == document.fill(NodeSlots.of(node())).decode()
    assert "\0" not in dark + light


def test_a_failing_layout_names_its_template(tmp_path: Path) -> None:
    """A template that can't be parsed, or uses an unknown name, is a content error."""
    for path in resource_dir("templates").rglob("*.*"):
        target = tmp_path / path.relative_to(resource_dir("templates"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    layout = tmp_path / "layouts" / "odd.html.j2"
    layout.write_text("{{ nothing }}")
    renderer = PageRenderer(tmp_path)
    assert "odd" in renderer.layouts()
    with pytest.raises(ContentError, match=r"layouts/odd.html.j2: there is no `nothing`"):
        renderer.compose(page(layout="odd"), {}, BUNDLE)
    layout.write_text("{{ page.titel }}")
    with pytest.raises(ContentError, match=r"layouts/odd.html.j2: there is no `titel` here"):
        PageRenderer(tmp_path).compose(page(layout="odd"), {}, BUNDLE)
    layout.write_text("{{ zones.main|indent(2) }}")
    renderer = PageRenderer(tmp_path)
    shown = block(1, "live")
    renderer.compose(page(shown, layout="odd"), {1: LIVE}, BUNDLE)
    with pytest.raises(ContentError, match=r"layouts/odd.html.j2: leaves out the zone `footer`"):
        renderer.compose(page(block(1, "live", zone="footer"), layout="odd"), {1: LIVE}, BUNDLE)
    layout.write_text("fine\n{% if %}")
    with pytest.raises(ContentError, match=r"layouts/odd.html.j2, line 2"):
        PageRenderer(tmp_path)
    layout.write_text('{% inline "layouts/_odd.html.j2" %}')
    with pytest.raises(
        ContentError, match=r"odd.html.j2, line 1: there is no template layouts/_odd"
    ):
        PageRenderer(tmp_path)
    (tmp_path / "layouts" / "_odd.html.j2").write_text("fine\n\n{% if %}")
    with pytest.raises(ContentError, match=r"layouts/_odd.html.j2, line 3"):
        PageRenderer(tmp_path)


def test_what_a_library_raises_is_that_page_s_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is named with the exception, and others are composed."""
    monkeypatch.setattr(head, "open_graph", _raise_over_poison)
    with pytest.raises(ContentError, match="unforeseen") as raised:
        _html(page(key="bad", title="poison"))
    assert [each.where for each in raised.value.problems] == ["page bad"]
    assert _html(page(title="fine"))


def _raise_over_poison(about: head.About) -> list[tuple[str, str]]:
    if about.title == "poison":
        raise ValueError("unforeseen")
    return []


def test_what_the_html_parser_raises_is_that_block_s_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The block fails with the exception's name, and the process goes on."""

    def fail(_html: str) -> None:
        raise ValueError("unforeseen")

    monkeypatch.setattr(v8_isolate, "html_problem", fail)
    html, failure, *_ = v8_isolate.checked(("<x-y></x-y>", 0, "", "", "", "", ""))
    assert html is None
    assert isinstance(failure, dict)
    assert "ValueError: unforeseen" in failure.get("message", "")
    proven = "<p></p>", PROVEN, "", "", "", "", ""
    assert v8_isolate.checked(proven) == proven


def test_a_template_can_stand_in_another(tmp_path: Path) -> None:
    """`inline` says what the other file says, its last newline too, with the values there are."""
    (tmp_path / "outer.html.j2").write_text('a\n{% inline "inner.html.j2" %}\nz')
    (tmp_path / "inner.html.j2").write_text("{{ word }}\n")
    templates = Templates(tmp_path)
    said = templates.rendered(templates.compiled("outer.html.j2"), {"word": "<b>"})
    assert said == "a\n&lt;b&gt;\nz"


def test_the_renderer_s_id_follows_the_templates(tmp_path: Path) -> None:
    """An edited template, and nothing else, gives another id."""
    ids: list[str] = []
    for folder, extra in (("one", ""), ("two", ""), ("three", " ")):
        for path in resource_dir("templates").rglob("*.*"):
            target = tmp_path / folder / path.relative_to(resource_dir("templates"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        page_file = tmp_path / folder / "page.html.j2"
        page_file.write_text(page_file.read_text() + extra)
        ids.append(PageRenderer(tmp_path / folder).id)
    assert ids[0] == ids[1] != ids[2]


def test_a_folder_of_templates_needs_only_what_differs(tmp_path: Path) -> None:
    """The rest is the package's; a change in either folder, and nothing else, gives another id."""
    own, packaged = tmp_path / "own", tmp_path / "packaged"
    shutil.copytree(resource_dir("templates"), packaged)
    (own / "layouts").mkdir(parents=True)
    (own / "README.md").write_text("what differs")
    plain = PageRenderer(packaged)
    assert PageRenderer(own, packaged).id == plain.id
    (own / "layouts" / "_footer.html.j2").write_text("<footer>mine</footer>\n")
    (own / "layouts" / "wide.html.j2").write_text("wide")
    (own / "base.css").write_text("p { color: red }")
    (own / "site.css").write_text("q { color: blue }")
    renderer = PageRenderer(own, packaged)
    assert renderer.layouts() == plain.layouts() | {"wide"}
    html = renderer.compose(page(), {}, BUNDLE).fill(NodeSlots.of(node())).decode()
    assert "<footer>mine</footer>" in html
    layout_css = (packaged / "layout.css").read_text()
    assert renderer.base_css() == f"p {{ color: red }}\n{layout_css}\nq {{ color: blue }}"
    ids = [plain.id, renderer.id]
    for file in (own / "layouts" / "wide.html.j2", packaged / "page.html.j2"):
        file.write_text(file.read_text() + " ")
        ids.append(PageRenderer(own, packaged).id)
    assert len(set(ids)) == len(ids)


def test_a_folder_of_templates_that_vanishes_is_an_error(tmp_path: Path) -> None:
    """Pages don't change their looks because a disk is not mounted."""
    with pytest.raises(ContentError, match=f"template {tmp_path / 'own'}: is not a folder"):
        PageRenderer(tmp_path / "own", resource_dir("templates"))


def test_a_condition_too_intricate_names_page_and_block() -> None:
    """It is a content error."""
    pairs = [{"all": [{"query": {f"a{n}": True}}, {"query": {f"b{n}": True}}]} for n in range(40)]
    with pytest.raises(ContentError, match="page test-page, block 3, conditions"):
        _html(page(block(3, "still", visitor={"any": pairs})))


HOMES = tuple(
    AppHome(app=app, route=f"/{app}/", title=f"The <{app}>", description=f"All of {app}.")
    for app in ("play", "shop")
)


def test_a_node_with_both_themes_says_so_before_its_styles() -> None:
    """Browsers get both colours, and the script that follows the preference may run."""
    document = RENDERER.compose(page(), {}, BUNDLE)
    both = node(scheme={"color.background": "#fff"})
    html = document.fill(NodeSlots.of(both)).decode()
    assert '<meta name="color-scheme" content="light dark">' in html
    assert 'media="(prefers-color-scheme: light)" content="#fff"' in html
    assert 'media="(prefers-color-scheme: dark)" content="#101010"' in html
    assert f"<script>{head.THEME_SCRIPT}</script>" in html.partition("<style>")[0]
    assert head.csp_hash(head.THEME_SCRIPT) in html
    assert head.THEME_SCRIPT not in document.fill(NodeSlots.of(node())).decode()


def test_a_favicon_of_the_templates_takes_the_place_of_the_node_s(tmp_path: Path) -> None:
    """A project that has its own has it on all nodes; else each node has its own."""
    on = node()
    html = RENDERER.compose(page(), {}, BUNDLE).fill(NodeSlots.of(on)).decode()
    link = f'<link rel="icon" href="{on.favicon.url}" type="image/svg+xml" sizes="any">'
    assert link in html
    (tmp_path / "favicon.svg").write_text("<svg/>")
    own = PageRenderer(tmp_path, resource_dir("templates"))
    assert own.favicon is not None
    assert own.id != RENDERER.id
    slots = NodeSlots.of(on, favicon=own.favicon)
    assert f'href="{own.favicon.url}"' in own.compose(page(), {}, BUNDLE).fill(slots).decode()
    assert {own.favicon, on.favicon} & {*slots.assets} == {own.favicon}


def node_files(index: NodeIndex, **given: str) -> dict[str, bytes]:
    return RENDERER.node_files(node(**given), BUNDLE, index)[0]


def test_node_files() -> None:
    """A node has a branded 404.html, robots.txt and, with an address, an index of sitemaps."""
    files, assets = RENDERER.node_files(node(), BUNDLE, NodeIndex(apps=("play", "shared")))
    assert set(files) == {"404.html", "index.html", "robots.txt"}
    assert b"Test Node" in files["404.html"]
    assert b"Sitemap" not in files["robots.txt"]
    assert node().favicon in assets
    files = node_files(NodeIndex(apps=("play",)), base_url="https://e.org")
    assert b"Sitemap: https://e.org/sitemap.xml" in files["robots.txt"]
    assert b"<loc>https://e.org/sitemap-play.xml</loc>" in files["sitemap.xml"]


def test_titles_have_the_sites_name() -> None:
    """A node's pattern stands around each title, but for one that names the site; what is filled in
    stands in the same place; a picture of the node's stands in for that of a page."""
    named = replace(
        node(base_url="https://e.org"), title_pattern="{title} · {site} <1>", og_image="/share.png"
    )

    def made(**more: Any) -> str:
        document = RENDERER.compose(page(**more), {}, BUNDLE)
        return document.fill(NodeSlots.of(named)).decode()

    html = made(title="Cheese & bread")
    assert "<title>Cheese &amp; bread · Test Node &lt;1&gt;</title>" in html
    assert 'property="og:title" content="Cheese &amp; bread"' in html
    assert 'property="og:image" content="https://e.org/share.png"' in html
    assert "<title>All of test node</title>" in made(title="All of test node")
    own = made(metadata={"og_image": "/own.png"})
    assert "/own.png" in own
    assert "/share.png" not in own
    plain = RENDERER.compose(page(title="Cheese"), {}, BUNDLE).fill(NodeSlots.of(node()))
    assert b"<title>Cheese</title>" in plain


def test_the_root_lists_the_nodes_apps() -> None:
    """Where no page stands at `/`, a page in the node's branding links to each app, and so does
    the 404 page."""
    files = node_files(NodeIndex(homes=HOMES), base_url="https://e.org")
    for name in ("index.html", "404.html"):
        html = files[name].decode()
        for app in ("play", "shop"):
            assert f'<a href="/{app}/">The &lt;{app}&gt;</a>' in html
        assert 'http-equiv="refresh"' not in html
    index = files["index.html"].decode()
    assert "<title>Test Node</title>" in index
    assert '<link rel="canonical" href="https://e.org/">' in index
    assert "noindex" not in index
    assert "All of shop." in index


def test_the_root_leads_on_to_an_only_app() -> None:
    """The page at `/` of a node with one app goes there at once, and is no address of its own."""
    html = node_files(NodeIndex(homes=HOMES[1:]), base_url="https://e.org")["index.html"].decode()
    assert '<meta http-equiv="refresh" content="0; url=/shop/">' in html
    assert '<link rel="canonical" href="https://e.org/shop/">' in html


def test_the_root_answers_where_nothing_is_published() -> None:
    """A node without pages has one at `/` that says so, and that search engines pass over."""
    html = node_files(NodeIndex())["index.html"].decode()
    assert "Nothing is published here yet." in html
    assert "noindex" in html
    assert "<h1>Test Node</h1>" in html


def test_two_apps_of_one_title_are_told_apart() -> None:
    """Links of one text lead to one place, in the list and on the 404 page."""
    twins = tuple(replace(home, title="Welcome") for home in HOMES)
    files = node_files(NodeIndex(homes=twins))
    for name in ("index.html", "404.html"):
        html = files[name].decode()
        assert ">Welcome (play)</a>" in html
        assert ">Welcome (shop)</a>" in html


def test_a_page_at_the_root_wins() -> None:
    """A node with a page of its own at `/` gets no other."""
    assert "index.html" not in node_files(NodeIndex(homes=HOMES, root_is_taken=True))


@pytest.mark.parametrize(
    ("robots", "listed"),
    [("", True), ("index, follow", True), ("NoIndex", False), ("nofollow,none", False)],
)
def test_noindex_pages_are_not_listed(robots: str, listed: bool) -> None:
    """What search engines are told not to index is told to them nowhere."""
    assert is_listed(page(metadata={"robots": robots})) is listed


_PIECES = [
    "<",
    ">",
    "/",
    "!",
    "--",
    "'",
    '"',
    "&",
    "{{",
    "{%",
    "\0",
    "]]>",
    "\u2028",
    "script",
    "é",
    "\ud800",
]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)


@given(_TEXTS, _TEXTS)
def test_any_text_stays_text(one: str, other: str) -> None:
    """Whatever titles, descriptions, props and names hold, the document keeps its shape."""
    props = {"text": "</script>" + one}
    tree = _tree(
        block(1, "live", props),
        title=one,
        description="d" + other,
        title_fill=other or None,
        metadata={"og_title": one + "x", "json_ld": {"name": other}},
        on=node(name=one, tokens={"color.background": other}),
    )
    plain = _tree(
        block(1, "live", {}),
        title="x",
        description="d",
        metadata={"og_title": "x", "json_ld": {"a": "b"}},
    )
    assert len(tree.css("body > *")) == len(plain.css("body > *"))
    clean = re.sub("[\0\ud800]", "\N{REPLACEMENT CHARACTER}", "d" + other)
    assert _attribute(tree, "[name=description]", "content") == clean
    data = tree.css_first("#rb-islands")
    assert data is not None
    assert json.loads(data.text())[0]["id"] == "b1"


@pytest.mark.parametrize("packaged", [True, False])
def test_the_package_s_reader_of_indexes_alone_may_start_webassembly(packaged: bool) -> None:
    """What imports it has the element that names the index; a row with its key is another's."""
    reader = _module("@robbieblocks/search-index")
    field = _module("@robbieblocks/find", "react", "@robbieblocks/search-index")
    named = replace(_module("@robbieblocks/still", "react"), script='"rb-search"')
    added = {each.specifier: each for each in (reader, field, named)}
    bundle = replace(
        BUNDLE,
        modules={**BUNDLE.modules, **added},
        packaged=frozenset({"search-index"} if packaged else {"find", "still"}),
    )
    for component, reads in (("find", packaged), ("still", False)):
        document = RENDERER.compose(page(block(1, component)), {1: STILL}, bundle)
        html = document.fill(NodeSlots.of(node())).decode()
        assert ("'wasm-unsafe-eval'" in html, '<meta name="rb-search"' in html) == (reads, reads)


@pytest.mark.parametrize("name", ["layouts/poster.html.j2", "layouts/single-column.html.j2"])
def test_what_is_saved_while_templates_are_read_is_seen_the_next_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renderer's id is of what it renders with, so that a later one with the same is the same."""
    shutil.copytree(resource_dir("templates") / "layouts", tmp_path / "layouts")
    folders = tmp_path, resource_dir("templates")
    read = Templates.layouts

    def saved_then(templates: Templates) -> dict[str, Any]:
        found = read(templates)
        (tmp_path / name).write_text('<main>{% inline "layouts/_main.html.j2" %}</main>')
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Templates, "layouts", saved_then)
        before = PageRenderer(*folders)
    after = PageRenderer(*folders)
    assert before.id != after.id
    assert "poster" not in before.layouts()
    assert after.id == PageRenderer(*folders).id
