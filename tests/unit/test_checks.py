"""The rules of `robbieblocks check`: each finds its fault, and is silent without it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.brand import brand
from robbieblocks.check_rules import RULES
from robbieblocks.checks import Checked, Finding, moved_from, run
from robbieblocks.checks.markup import read
from robbieblocks.checks.sources import without_comments
from robbieblocks.cli.building.findings import ReportedFinding, as_annotations, as_text
from robbieblocks.content import ContentPlaces
from robbieblocks.css_colors import color, contrast
from robbieblocks.errors import Problem
from robbieblocks.model import (
    AssembledBlock,
    AssembledPage,
    ComponentRow,
    Manifest,
    NodeRow,
    PageEntry,
    TokenRow,
    sha256,
)
from robbieblocks.pipeline import InspectedPage, Inspection
from robbieblocks.prerender import PageDocument
from robbieblocks.settings import Settings
from tests.unit.rows import a_block, a_component, a_node, a_page, a_snapshot

PRIMARY = TokenRow(key="color.primary", category="color", default="#1f5fa8")
GROUND = TokenRow(key="color.background", category="color", default="#ffffff")
NAMING = TokenRow(key="color.link", category="color", default="{color.primary}")
DAY = a_node("day")
NIGHT = a_node("night", overrides={"theme": "dark", "color.primary": "#dddd00"})


@dataclass(frozen=True, kw_only=True)
class Site:
    """A page with one block of the component `card`, on nodes, as it was rendered.

    `html` is the block's. `others` are more pages without blocks, each with route and HTML by its
    key; `coded` is the route of one in the app `code`.
    """

    html: str = "<p>text</p>"
    code: str = ""
    css: str = ""
    props: Any = None
    conditions: Any = None
    base: str = ""
    components: tuple[ComponentRow, ...] = ()
    nodes: tuple[NodeRow, ...] = (DAY,)
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tokens: tuple[TokenRow, ...] = (PRIMARY, GROUND)
    problems: tuple[Problem, ...] = ()
    coded: str = ""
    redirect_from: Any = ()
    og_image: Any = None

    def checked(self, only: str) -> Checked:
        card = a_component("card", code=self.code, css=self.css)
        block_row = a_block(3, props=self.props or {}, conditions=self.conditions or {})
        moved = {"redirect_from": self.redirect_from} if self.redirect_from else {}
        pictured = {"og_image": self.og_image}
        home = a_page("home", blocks=(block_row,), metadata=moved | pictured)
        others = [a_page(key, route=route, blocks=()) for key, (route, _) in self.others.items()]
        if self.coded:
            others.append(a_page("coded", app="code", route=self.coded, blocks=()))
        content = a_snapshot(
            home,
            *others,
            components=(card, *self.components),
            nodes=self.nodes,
            tokens=self.tokens,
        )
        home_html = f'<main id="main"><div class="rb-block" id="b3">{self.html}</div></main>'
        documents = {"home": home_html}
        documents |= {key: html for key, (_, html) in self.others.items()} | {"coded": ""}
        block = AssembledBlock(
            order=3, zone="main", component="card", props=self.props or {}, props_json="{}"
        )
        pages = []
        for row in content.pages:
            document = PageDocument(parts=(documents[row.key].encode(),), assets=())
            page = AssembledPage(
                key=row.key,
                app=row.app,
                route=row.route,
                path="",
                layout="single-column",
                title="",
                blocks=(block,) if row.key == "home" else (),
                metadata=pictured if row.key == "home" else {},
            )
            pages += [
                InspectedPage(node=node.id, page=page, document=document, varying={})
                for node in self.nodes
                if row.app in node.apps
            ]
        inspection = Inspection(
            content=content,
            apps={},
            brands={node.id: brand(node, self.tokens, lambda _: ()) for node in self.nodes},
            pages=tuple(pages),
            problems=self.problems,
            base_styles={"base.css": self.base},
            page_apps={row.key: row.app for row in content.pages},
            node_apps={node.id: node.apps for node in self.nodes},
        )
        off = {rule.name: rule.level if rule.name == only else "off" for rule in RULES}
        settings = replace(Settings.from_environment(), checks=off)
        return Checked(inspection=inspection, settings=settings, progress=lambda _: None)


def findings(rule: str, **fields: Any) -> list[Finding]:
    return list(run(Site(**fields).checked(rule)))


IMPORTER = a_component("inner", code='export const a = <i className="x" />;')
LONG = "\n" * 3 + '  const a = "/plya/";'
AA = "color: {}; background: var(--color-primary)"

# The rule, the site, where the finding is and what it says.
WRONG: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    (
        "build-error",
        {"problems": (Problem(entity="page", key="home", what="is broken"),)},
        "page home",
        "is broken",
    ),
    (
        "build-warning",
        {"problems": (Problem(entity="page", key="home", what="hm", severity="warning"),)},
        "page home",
        "hm",
    ),
    (
        "unknown-token",
        {"css": ".a {\n  color: var(--color-primry);\n}"},
        "component card, css_styles, line 2:10",
        "did you mean --color-primary?",
    ),
    (
        "unknown-token",
        {"css": ".a { & .b { @media print { color: var(--x-y-z); } } }"},
        "component card, css_styles, line 1:35",
        "no token or custom property is named --x-y-z",
    ),
    (
        "unknown-token",
        {"css": ".a { color: var(--color-primry, red) }"},
        "component card, css_styles, line 1:13",
        "did you mean --color-primary?",
    ),
    (
        "unknown-token",
        {"code": "// var(--no)\nconst a = { color: 'var(--color-primry)' };"},
        "component card, react_code, line 2:21",
        "did you mean --color-primary?",
    ),
    (
        "unknown-token",
        {"props": {"list": [{"style": "1px solid var(--color-primry)"}]}},
        "page home, block 3, props at /list/0/style",
        "did you mean --color-primary?",
    ),
    (
        "unknown-token",
        {"nodes": (a_node("day", custom_css="\nbody{color:var(--colr-primary)}"),)},
        "node_branding day, custom_css, line 2:12",
        "did you mean --color-primary?",
    ),
    (
        "unknown-property",
        {"css": ".a {\n  color: red;\n  & b { @media print { boder-left: 0 } }\n}"},
        "component card, css_styles, line 3:24",
        "did you mean border-left?",
    ),
    (
        "unknown-property",
        {"nodes": (a_node("day", custom_css="@keyframes a { to { fluffiness: 1 } }"),)},
        "node_branding day, custom_css, line 1:21",
        "no CSS property is named fluffiness",
    ),
    (
        "unknown-property",
        {"nodes": (a_node("day", custom_css="body { margin: 10 }"),)},
        "node_branding day, custom_css, line 1:16",
        "10 has no unit",
    ),
    (
        "unknown-property",
        {"nodes": (a_node("day", custom_css="p { q & { width: calc(1px -2px) } }"),)},
        "node_branding day, custom_css, line 1:27",
        "no space on both sides",
    ),
    (
        "unknown-property",
        {"nodes": (a_node("day", custom_css="a:hvoer { top: 0 }"),)},
        "node_branding day, custom_css, line 1:3",
        "no browser has :hvoer",
    ),
    (
        "unknown-property",
        {"nodes": (a_node("day", custom_css="@media (width > theme(x)) { a { top: 0 } }"),)},
        "node_branding day, custom_css, line 1:17",
        "theme() is another tool's",
    ),
    (
        "unknown-property",
        {"css": ".a { margin: 10 } .b .a { top: 0 }"},
        "component card, css_styles, line 1:14",
        "10 has no unit",
    ),
    (
        "unknown-property",
        {
            "html": '<p style="background-colr:red;width:16px">x</p>',
            "code": '<p style={{ color: "red",\n  backgroundColr: "red", width: 16 }} />',
        },
        "component card, react_code, line 2:3",
        "did you mean background-color?",
    ),
    (
        "unknown-property",
        {
            "html": '<p style="color:red;width:16">x</p>',
            "code": "const width = 16;\n<p style={{ color: 'red', width: '16' }} />",
        },
        "component card, react_code, line 2:27",
        "16 has no unit",
    ),
    (
        "unknown-token",
        {"tokens": (PRIMARY, replace(GROUND, default="var(--color-primry)"))},
        "style_token color.background, default_value",
        "did you mean --color-primary?",
    ),
    (
        "unknown-token",
        {"nodes": (a_node("day", overrides={"color.x": {"y": "var(--what-is-this)"}}),)},
        "node_branding day, style_overrides at /color.x/y",
        "no token or custom property is named --what-is-this",
    ),
    (
        "unknown-keyframes",
        {"css": "@keyframes fade { to { top: 0 } } .a { animation: fdae 1s ease-in both }"},
        "component card, css_styles, line 1:51",
        "no keyframes are named fdae\ndid you mean fade?",
    ),
    (
        "unknown-keyframes",
        {"nodes": (a_node("day", custom_css="@media print {p { animation-name: 'spinn' } }"),)},
        "node_branding day, custom_css, line 1:35",
        "add @keyframes of this name",
    ),
    (
        "unknown-token",
        {"code": "const a = 'p-4 md:bg-(--color-primry) w-(length:--color-primary)';"},
        "component card, react_code, line 1:21",
        "did you mean --color-primary?",
    ),
    (
        "unknown-keyframes",
        {
            "css": "@keyframes fade { to { top: 0 } } a { animation: var(--animation-in) }",
            "tokens": (
                TokenRow(key="animation.in", category="animation", default="1s fade ease-in"),
                TokenRow(key="animation.out", category="animation", default="1s faed"),
                TokenRow(key="text.out", category="text", default="faed"),
            ),
        },
        "style_token animation.out, default_value",
        "no keyframes are named faed\ndid you mean fade?",
    ),
    (
        "unknown-keyframes",
        {
            "html": '<p style="animation:fade 1s">x</p>',
            "css": "@keyframes fade { to { top: 0 } }",
            "code": "<p style={{ animation: 'fade 1s' }} />",
        },
        "component card, react_code, line 1:13",
        "no keyframes are named fade",
    ),
    (
        "unknown-class",
        {
            "html": '<p class="card__titel">x</p>',
            "code": '<p className="card__titel" />',
            "css": ".card__title { margin: 0 }",
        },
        "component card, react_code, line 1:15",
        "did you mean card__title?",
    ),
    (
        "unknown-class",
        {"html": '<p class="p bg-primry">x</p>', "code": '<p className="p bg-primry" />'},
        "component card, react_code, line 1:17",
        "did you mean bg-primary?",
    ),
    (
        "dead-link",
        {"html": '<a href="/plya/">x</a>', "props": {"a": [{"href": "/plya/"}]}},
        "page home, block 3, props at /a/0/href",
        "no page of the node has the address /plya/",
    ),
    (
        "dead-link",
        {"html": '<a href="/plya/">x</a>', "code": LONG},
        "component card, react_code, line 4:13",
        "/plya/",
    ),
    (
        "dead-link",
        {"html": '<a href="../plya?q=1#x">x</a>'},
        "component card, on page home, block 3",
        "../plya?q=1#x",
    ),
    (
        "dead-link",
        {
            "html": '<a href="https://day.example/gone">x</a>',
            "nodes": (a_node("day", base_url="https://day.example"),),
        },
        "component card, on page home, block 3",
        "https://day.example/gone",
    ),
    (
        "dead-link",
        {"html": '</div><a href="/gone/">x</a>'},
        "template layouts/single-column.html.j2",
        "/gone/",
    ),
    (
        "dead-link",
        {"html": '<a href="/k%C3%A4se/">x</a>', "props": {"body": "# A\n\nsee [x](/käse/)\n"}},
        "page home, block 3, props at /body, line 3:9",
        "/k%C3%A4se/",
    ),
    (
        "wide-host",
        {"nodes": (a_node("day", settings={"hosts": {"https://*.x.example": ["images"]}}),)},
        "node_branding day, settings at /hosts/https:~1~1*.x.example",
        "https://*.x.example allows more than one host",
    ),
    (
        "wide-host",
        {"nodes": (a_node("day", settings={"hosts": {"https:": ["images"]}}),)},
        "node_branding day, settings at /hosts/https:",
        "https: allows more than one host",
    ),
    (
        "unused-host",
        {"nodes": (a_node("day", settings={"hosts": {"https://maps.example": ["frames"]}}),)},
        "node_branding day, settings at /hosts/https:~1~1maps.example",
        "nothing that pages have names https://maps.example",
    ),
    (
        "wide-host",
        {"nodes": (a_node("day", settings={"framed_by": ["https://*.x.example"]}),)},
        "node_branding day, settings at /framed_by/0",
        "is several sites",
    ),
    (
        "report-address",
        {"nodes": (a_node("day", settings={"reports": "http://localhost:8080/csp"}),)},
        "node_branding day, settings at /reports",
        "localhost is no public name",
    ),
    (
        "report-address",
        {"nodes": (a_node("day", settings={"reports": "https://10.0.0.1/csp"}),)},
        "node_branding day, settings at /reports",
        "10.0.0.1 is no public name",
    ),
    (
        "report-address",
        {"nodes": (a_node("day", settings={"reports": "/csp"}),)},
        "node_branding day, settings at /reports",
        "no application of [applications] answers there",
    ),
    (
        "report-address",
        {"nodes": (a_node("day", settings={"report_only": {"trusted_types": True}}),)},
        "node_branding day, settings at /report_only",
        "reported to nobody",
    ),
    (
        "script-integrity",
        {"nodes": (a_node("day", settings={"scripts": [{"src": "https://x.example/a.js"}]}),)},
        "node_branding day, settings at /scripts/0",
        "https://x.example/a.js may change",
    ),
    (
        "missing-file",
        {"html": '<img src="/boat.jpg">', "props": {"src": "/boat.jpg"}},
        "page home, block 3, props at /src",
        "no file of the node has the address /boat.jpg",
    ),
    (
        "missing-file",
        {"html": '<img srcset="/a.png 1x, data:image/png;base64,AA== 2x">'},
        "component card, on page home, block 3",
        "/a.png",
    ),
    (
        "missing-file",
        {"html": '<img srcset="data:image/png;base64,AA== 1x,\n/a.png 2x">'},
        "component card, on page home, block 3",
        "/a.png",
    ),
    (
        "missing-file",
        {"html": '<div class="rb-block" id="mine"><img src="/a.png"></div>'},
        "component card, on page home, block 3",
        "/a.png",
    ),
    (
        "missing-file",
        {"html": '<a href="/_rb/gone-0123.css">x</a>'},
        "component card, on page home, block 3",
        "/_rb/gone-0123.css",
    ),
    (
        "dead-link",
        {"props": {"rows": [{"form": "a", "fields": [], "next": "/thank-you/"}]}},
        "page home, block 3, props at /rows/0/next",
        "no page of the node has the address /thank-you/",
    ),
    (
        "missing-file",
        {"og_image": "/gone.jpg"},
        "page home, metadata at /og_image",
        "no file of the node has the address /gone.jpg",
    ),
    (
        "missing-file",
        {"og_image": "../boat.jpg"},
        "page home, metadata at /og_image",
        "write media:<key>",
    ),
    (
        "missing-file",
        {"html": '<img src="media:boat">', "props": {"photo": "media:boat"}},
        "page home, block 3, props at /photo",
        'give the prop "format": "media"',
    ),
    (
        "missing-file",
        {"html": '<img srcset="media:boat.2x 2x">'},
        "component card, on page home, block 3",
        "media:boat.2x",
    ),
    (
        "dead-link",
        {"html": '<a href="page:hours#lunch">x</a>', "props": {"a": "page:hours#lunch"}},
        "page home, block 3, props at /a",
        "write its route",
    ),
    (
        "dead-fragment",
        {"html": '<a href="#deatils">x</a><p id="details"></p>'},
        "component card, on page home, block 3",
        "did you mean #details?",
    ),
    (
        "dead-fragment",
        {"html": '<a href="/b#c">x</a>', "others": {"b": ("/b/", '<p id="d"></p>')}},
        "component card, on page home, block 3",
        "has the id c, as in /b#c",
    ),
    (
        "image-alt",
        {"html": '<img src="data:,">', "code": "\n  <img src={a} />"},
        "component card, react_code, line 2:3",
        "an <img> has no alt",
    ),
    (
        "image-size",
        {"html": '<img alt="" width="20" style="height:auto">', "css": ".b { height: 2px }"},
        "component card, on page home, block 3",
        "no width and height",
    ),
    (
        "duplicate-id",
        {"html": '<p id="main"></p>', "code": '<p id="main" />'},
        "component card, on page home, block 3, react_code, line 1:7",
        '2 elements have the id "main": in block 3 (card), the layout',
    ),
    (
        "duplicate-id",
        {"html": '<p id="top"></p><p id="top"></p>', "props": {"a": "stop here", "b": ["top"]}},
        "page home, block 3, props at /b/0",
        '2 elements have the id "top"',
    ),
    (
        "contrast",
        {"base": "body {\n  color: #336;\n  background: var(--color-primary);\n}"},
        "template base.css, line 2:3",
        "#336 on color.primary has a contrast of 1.8:1 on day; text needs 4.5:1",
    ),
    (
        "contrast",
        {"css": ".a { color: #fff; background: linear-gradient(#000, rgb(200 200 200)) }"},
        "component card, css_styles, line 1:6",
        "has a contrast of 1.67:1 on day",
    ),
    (
        "contrast",
        {"css": ".a { --c: #eee; color: var(--c); background: color-mix(in srgb, red 5%, white) }"},
        "component card, css_styles, line 1:17",
        "text needs 4.5:1",
    ),
    (
        "contrast",
        {"html": '<b style="color:#aaa;background-color:var(--color-background)"></b>'},
        "component card, on page home, block 3",
        "#aaa on color.background has a contrast of 2.32:1 on day",
    ),
    (
        "contrast",
        {"tokens": (PRIMARY, TokenRow(key="color.on-primary", category="color", default="#000"))},
        "style_token color.on-primary",
        "color.on-primary on color.primary has a contrast of 3.26:1 on day",
    ),
    (
        "contrast",
        {"tokens": (GROUND, TokenRow(key="color.heading", category="color", default="#999"))},
        "style_token color.heading",
        "color.heading on color.background has a contrast of 2.84:1 on day; text needs 3:1",
    ),
    (
        "contrast",
        {"tokens": (GROUND, TokenRow(key="color.text-muted", category="color", default="#888"))},
        "style_token color.text-muted",
        "color.text-muted on color.background has a contrast of 3.54:1 on day; text needs 4.5:1",
    ),
    (
        "unshown-page",
        {"coded": "/code/"},
        "page coded, app_namespace",
        "no node shows the app code",
    ),
    (
        "unknown-node",
        {"conditions": {"any": [{"theme": "dark"}, {"not": {"nodes": ["day", "dya"]}}]}},
        "page home, block 3, conditions at /any/1/not/nodes/1",
        "there is no node dya\ndid you mean day?",
    ),
    (
        "unknown-node",
        {"conditions": {"apps": "plya"}},
        "page home, block 3, conditions at /apps",
        "there is no app plya\ndid you mean play?",
    ),
    (
        "unused-component",
        {"components": (IMPORTER,)},
        "component inner",
        "no page places it",
    ),
    (
        "unused-token",
        {"css": ".a { color: var(--color-background-2) }"},
        "style_token color.primary",
        "nothing reads --color-primary",
    ),
)


@pytest.mark.parametrize(("rule", "site", "where", "what"), WRONG)
def test_a_rule_names_the_fault_and_its_place(
    rule: str, site: dict[str, Any], where: str, what: str
) -> None:
    """One finding, with row, field, line and column, what is wrong and what to do."""
    (found,) = findings(rule, **site)
    assert found.rule == rule
    assert found.problem.where == where
    assert what in f"{found.problem.what}\n{found.problem.remedy}"
    assert found.problem.remedy or rule.startswith("build-")
    assert found.problem.severity == next(each.level for each in RULES if each.name == rule)


def test_a_page_that_moves_is_told_what_to_add() -> None:
    """The metadata is named that leads from its live route; with that, nothing is found."""
    entry = PageEntry(key="home", route="/%C3%A4/", path="\u00e4/index.html", inputs=sha256(""))
    live = Manifest(node="day", app="play", files={}, pages=(entry,), assets=())
    checked = Site(redirect_from=["/older/"]).checked("moved-page")
    (found,) = moved_from([live], checked)
    assert found.problem.where == "page home, page_route"
    assert found.problem.remedy == 'in its metadata: redirect_from = ["/older/", "/\u00e4/"]'
    assert found.nodes == ("day",)
    for given in (["/\u00e4"], ["/\u00e4/*"]):
        assert not list(moved_from([live], Site(redirect_from=given).checked("moved-page")))


RIGHT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("unknown-keyframes", {"css": "@keyframes a { to { top: 0 } } b { animation: 1s a, none }"}),
    (
        "unknown-keyframes",
        {"base": "@keyframes in { to { top: 0 } }", "css": "a { animation: in }"},
    ),
    ("unknown-keyframes", {"css": "a { animation: var(--fade) 1s linear; animation-name: none }"}),
    (
        "unknown-property",
        {"html": '<p style="--a:16;line-height:2;margin:0;width:calc(1px + 2px)">x'},
    ),
    (
        "unknown-property",
        {"css": "@keyframes a { 50% { top: 0 } } @supports (x: y) { a { x: y } }"},
    ),
    ("unknown-token", {"tokens": (PRIMARY, replace(GROUND, default="var(--color-primary)"))}),
    ("dead-link", {"redirect_from": ["/old/"], "html": '<a href="/old">led on</a>'}),
    ("unknown-token", {"css": ".a { --own: 1px; margin: var(--own) var(--other, 2px) }"}),
    ("unknown-token", {"css": ".a { color: var(--set-by-code) }", "code": 'p["--set-by-code"]=1'}),
    ("unknown-token", {"css": ".a { color: var(--color-primary-hover, var(--color-primary)) }"}),
    ("unknown-token", {"css": ".a { color: var(--tw-ring-color) } /* var(--gone) */"}),
    ("unknown-token", {"code": "`var(--color-${p.name})` + 'var(--gap-' + p.gap + ')'"}),
    ("unknown-property", {"css": ".a { --boder: 0; -webkit-odd: 0; COLOR: red; zoom: 1 }"}),
    ("unknown-property", {"css": "@supports (new-one: 0) { .a { new-one: 0 } }"}),
    ("unknown-property", {"css": "@font-face { src: url(/a.woff2) } @page { size: a4 }"}),
    (
        "unknown-property",
        {"nodes": (a_node("day", custom_css=".dark a:hover { width: calc(1px - 2px) }"),)},
    ),
    ("unknown-class", {"html": '<p class="cards js-hook x">', "code": "cards", "css": ".card {}"}),
    ("unknown-class", {"html": '<p class="column-2">', "code": "column-2", "css": ".column-1 {}"}),
    (
        "unknown-class",
        {"html": '<p class="x-side">', "code": "x-side", "css": ".x-said { margin: 0 }"},
    ),
    ("unknown-class", {"html": '<p class="titel">', "code": "", "css": ".title { margin: 0 }"}),
    ("dead-link", {"html": '<a href="/home">a</a><a href="/home/?q=1#x">b</a><a href="">c</a>'}),
    ("dead-link", {"html": '<a href="mailto:a@b.c"></a><a href="//x.example/y"></a>'}),
    ("dead-link", {"html": '<a href="https://day.example/gone">elsewhere</a><a>none</a>'}),
    ("missing-file", {"html": '<img src="data:image/png;base64,AA=="><img src="https://a.b/c">'}),
    ("missing-file", {"html": '<a href="/robots.txt">a</a>'}),
    ("missing-file", {"og_image": "https://a.example/b.jpg"}),
    ("missing-file", {"og_image": "/robots.txt"}),
    ("missing-file", {"og_image": 5}),
    ("dead-link", {"props": {"fields": [], "next": "/home"}}),
    ("dead-link", {"props": {"fields": "none", "next": "/gone/"}}),
    ("wide-host", {"nodes": (a_node(settings={"hosts": {"https://a.example": ["images"]}}),)}),
    (
        "unused-host",
        {
            "nodes": (a_node(settings={"hosts": {"https://*.a.example": ["images"]}}),),
            "css": ".a { background: url(https://one.a.example/b.png) }",
        },
    ),
    (
        "unused-host",
        {
            "nodes": (
                a_node(
                    settings={
                        "hosts": {"https://a.example": ["connects"]},
                        "scripts": [{"src": "https://b.example/a.js"}],
                    }
                ),
            )
        },
    ),
    ("script-integrity", {"nodes": (a_node(settings={"scripts": [{"src": "/a.js"}, 7]}),)}),
    (
        "report-address",
        {"nodes": (a_node(settings={"reports": "https://a.example/", "report_only": {}}),)},
    ),
    ("report-address", {"nodes": (a_node(settings={"reports": 7, "framed_by": "x"}),)}),
    ("script-integrity", {"nodes": (a_node(settings={"hosts": 1, "scripts": "x"}),)}),
    ("dead-fragment", {"html": '<a href="#b3"></a><a href="#main"></a><a href="#"></a>'}),
    (
        "dead-fragment",
        {"html": '<a href="#/x"></a><a href="/gone#x"></a><a href="#n"></a><a name="n">'},
    ),
    ("image-alt", {"html": '<img alt=""><img role="presentation"><img aria-label="x"><input>'}),
    ("image-size", {"html": '<img width="1" height="1"><img style="aspect-ratio: 1">'}),
    ("image-size", {"html": '<img class="a">', "css": "@media screen { .a { height: 2rem } }"}),
    ("image-size", {"html": "<img>", "css": ".a > img { aspect-ratio: 3 / 2 }"}),
    ("duplicate-id", {"html": '<p id="a" style="top: 0" href=""></p><p id="b"></p>'}),
    ("contrast", {"base": "body { color: #fff; background: var(--color-primary) }"}),
    ("contrast", {"html": '<b style="color:#333;background:white"></b><b style="color:#fff"></b>'}),
    ("contrast", {"css": ".a { color: #777; background: #fff; font-size: 1.5rem }"}),
    ("contrast", {"css": ".a:disabled { color: #eee; background: #fff }"}),
    ("contrast", {"css": ".a { color: #eee; background: url(/a.png) }"}),
    ("contrast", {"css": ".a { color: #eee; background: transparent } .b { color: #fff }"}),
    ("contrast", {"css": "[data-theme=dark] .a { color: #eee; background: #fff }"}),
    ("contrast", {"css": "@media print { .a { color: #eee; background: #fff } }"}),
    ("contrast", {"css": ".a { color: var(--nowhere); background: #fff }"}),
    ("unshown-page", {"nodes": ()}),
    ("unknown-node", {"conditions": {"nodes": "day", "apps": ["play"], "query": {"nodes": "x"}}}),
    (
        "unused-component",
        {"code": 'import A from "@robbieblocks/inner"', "components": (IMPORTER,)},
    ),
    ("unused-token", {"css": ".a { color: var(--color-primary) }"}),
    ("unused-token", {"tokens": (PRIMARY, NAMING), "css": ".a { color: var(--color-link) }"}),
    ("unused-token", {"code": "`var(--color-${name})`"}),
    ("unused-token", {"code": "getPropertyValue('--color-primary')"}),
)


@pytest.mark.parametrize(("rule", "site"), RIGHT)
def test_a_rule_is_silent_where_nothing_is_wrong(rule: str, site: dict[str, Any]) -> None:
    """What looks like its fault and is none gives no finding."""
    assert findings(rule, **site) == []


def test_a_finding_names_the_nodes_that_alone_have_it() -> None:
    """A page that one node does not enable, and a colour that one overrides."""
    other = a_node("other", enabled_apps=("play", "code"))
    found = findings("dead-link", html='<a href="/code/">x</a>', nodes=(DAY, other), coded="/code/")
    assert [each.nodes for each in found] == [("day",)]
    base = "body { color: #fff; background: var(--color-primary) }"
    (low,) = findings("contrast", base=base, nodes=(DAY, NIGHT))
    assert low.nodes == ("night",)
    assert "on night" in low.problem.what
    assert "on day" not in low.problem.what


def test_contrast_is_judged_in_both_themes_of_a_node() -> None:
    """The finding names the theme in which a pair has too little."""
    both = a_node("both", settings={"schemes": {"dark": {"color.primary": "#dddd00"}}})
    base = "body { color: #fff; background: var(--color-primary) }"
    (low,) = findings("contrast", base=base, nodes=(DAY, both))
    assert low.nodes == ("both",)
    assert ":1 on both (dark);" in low.problem.what


def test_a_fault_of_a_library_over_one_row_is_that_row_s_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other rows are still judged."""

    def fails_once(code: str) -> str:
        if code == "hostile":
            raise RecursionError("too deep")
        return without_comments(code)

    monkeypatch.setattr("robbieblocks.checks.rules.tokens.without_comments", fails_once)
    hostile = a_component("hostile", code="hostile")
    found = findings("unknown-token", code="var(--x-y-z)", components=(hostile,))
    assert [each.problem.key for each in found] == ["card", "hostile"]
    assert "RecursionError" in found[1].problem.what


def test_an_address_that_can_t_be_read_ends_no_rule() -> None:
    """`http://[` raises in Python's parser: it is a dead link, and so is another of the page."""
    found = findings("dead-link", html='<a href="http://[">x</a><a href="/gone/">x</a>')
    assert [each.problem.what.split()[-1] for each in found] == ["http://[", "/gone/"]


def test_a_node_s_own_address_that_can_t_be_read_ends_no_rule() -> None:
    """The row has an error of its own; its pages' links are judged all the same."""
    node = a_node("day", base_url="http://[")
    (found,) = findings("dead-link", html='<a href="/gone/">x</a>', nodes=(node,))
    assert "/gone/" in found.problem.what


def test_the_text_names_nodes_whose_names_stand_in_other_words() -> None:
    """`day` is in `/today/`, and yet the text has to say that the link is dead on `day` alone."""
    problem = Problem(entity="page", key="home", what="no page of the node has the address /today/")
    text = as_text([ReportedFinding("dead-link", problem, ("day",), None)])
    assert "\n  on day\n" in text


def test_contrast_is_that_of_the_standard() -> None:
    """The extremes, and a pair of which WCAG's own tools say 4.54."""
    white, black, grey = color("white"), color("#000"), color("oklch(0.5657 0 0)")
    assert white
    assert black
    assert grey
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(white, white) == pytest.approx(1)
    named = color("#767676")
    assert named
    assert contrast(white, named) == pytest.approx(4.54, abs=0.01)
    assert grey == pytest.approx(named, abs=0.01)


def test_markup_tells_blocks_from_the_layout() -> None:
    """Each element has its block's order; the layout's elements have none."""
    html = b'<body><nav id="n"></nav><div class="rb-block" id="b7"><p id="p"></p></div></body>'
    found = read(PageDocument(parts=(html,), assets=()))
    assert {each.attributes["id"]: each.block for each in found.elements} == {"p": 7, "n": None}
    assert found.ids >= {"p", "n", "b7"}


def test_an_example_that_its_schema_refuses_is_found(tmp_path: Path) -> None:
    """It is named with file and line, in an annotation too; other mistakes of files are an import's
    to tell."""
    folder = tmp_path / "content/components/bar"
    for name, text in (
        ("component.tsx", "export default () => <p/>;"),
        ("component.toml", 'name = "Bar"\ntype = "widget"\n'),
        ("props.schema.json", '{"mood": {"enum": ["calm"]}}'),
        ("examples/one.toml", '[props]\nmood = "angry"\n'),
        ("../stray.txt", ""),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    checked = Site().checked("wrong-example")
    settings = replace(checked.settings, content=tmp_path / "content")
    (found,) = run(replace(checked, settings=settings))
    assert (found.problem.key, found.problem.line) == (
        "content/components/bar/examples/one.toml",
        2,
    )
    assert found.problem.severity == "error"
    places = ContentPlaces(tmp_path / "content", tmp_path / "node_branding")
    reported = [ReportedFinding.of(found, places, tmp_path)]
    file = Path(os.path.relpath(tmp_path / found.problem.key)).as_posix()
    assert as_annotations(reported).startswith(f"::error file={file},line=2,title=wrong-example::")
    assert as_text(reported).count("one.toml") == 1
