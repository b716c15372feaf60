"""Makes pages from rendered blocks, with the templates: documents that all nodes share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import (
    NO_SETTINGS,
    AssembledPage,
    Asset,
    BrandedNode,
    Bundle,
    NodeIndex,
    RenderedBlock,
    Sha256,
    StyleForm,
    class_words,
    is_not_found_file,
    same,
    sha256,
)
from robbieblocks.prerender.isolate.keys import isolate_hash
from robbieblocks.prerender.page import feeds, head, site_files
from robbieblocks.prerender.page.content import Content
from robbieblocks.prerender.page.document import PageDocument
from robbieblocks.prerender.page.granted import Granted
from robbieblocks.prerender.page.islands import Islands
from robbieblocks.prerender.page.node_pages import NodePages
from robbieblocks.prerender.page.node_slots import SLOTS, NodeSlots
from robbieblocks.prerender.page.page_assets import AssetGraph
from robbieblocks.prerender.page.policy import page_policy, trusted_types_of
from robbieblocks.prerender.page.template_styles import template_classes
from robbieblocks.prerender.page.templates import Templates, lost_zone
from robbieblocks.prerender.page.visibility import visibility_of
from robbieblocks.prerender.page.zones import by_zone, end_of_first_screen, wrapped_blocks
from robbieblocks.row_faults import blame
from robbieblocks.source_hash import source_hash

_HERE: Final = Path(__file__).resolve().parent
_CODE: Final = source_hash(_HERE)
# A page's first picture has it: as React writes it, and as pictures in Markdown have it.
_FIRST_PICTURE: Final = ('fetchPriority="high"', 'fetchpriority="high"')
# What loads modules of its own: a script that a block renders, a hint of React's.
_OWN_MODULE: Final = re.compile("<(?:script|link)[^<>]*module", re.IGNORECASE)
_PAGE: Final = "page.html.j2"
_VISITOR_SCRIPT: Final = (_HERE / "visitor.js").read_text("utf-8").strip()


def _safe(text: str) -> Markup:
    """Text that is HTML already: checked blocks, inert JSON, our own scripts and styles."""
    return Markup(text)  # noqa: S704 - see above; templates escape everything else


class PageRenderer:
    """The templates, compiled once. Raises ContentError for one that can't be read or parsed.

    `id` changes with everything that decides a document's bytes besides the arguments of `compose`:
    the templates, the code of this package, and what runs components. `favicon` is that of the
    templates, where they have one.
    """

    def __init__(self, *templates: Path) -> None:
        self._templates = Templates(*templates)
        self._page = self._templates.compiled(_PAGE)
        # As earlier templates are: all scripts in one, in the head.
        self._joins_scripts = "modules" in self._templates.names(_PAGE)
        self._node_pages = NodePages(self._templates)
        self._layouts = self._templates.layouts()
        own = self._templates.find("favicon.svg")
        self.favicon = None if own is None else Asset.of("favicon", "svg", own)
        self.id = self._hash()
        self._graph: AssetGraph | None = None
        # Layouts whose HTML is known to be sound, each with the zones that were filled.
        self._sound = set[tuple[str, frozenset[str]]]()

    def base_css(self) -> str:
        """The base styles of all pages. Raises as `base_styles`."""
        return "\n".join(self.base_styles().values())

    def base_styles(self) -> dict[str, str]:
        """The files of `base_css` by name. Raises ContentError with each that can't be read."""
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        for name in ("base.css", "layout.css", "site.css"):
            try:
                texts[name] = self._templates.stylesheet(name)
            except ContentError as error:
                problems += error.problems
        if problems:
            raise ContentError(problems)
        return texts

    def layouts(self) -> frozenset[str]:
        """The layouts that pages can name."""
        return frozenset(self._layouts)

    def compose(
        self,
        page: AssembledPage,
        rendered: Mapping[int, RenderedBlock],
        bundle: Bundle,
        styles: StyleForm = "inline",
    ) -> PageDocument:
        """The page's document for all nodes; `rendered` holds each block by its order.

        It is to be filled with slots of the same form of `styles`.

        Raises ContentError where the layout's template fails, a condition is too intricate, or a
        library fails over the page.
        """
        faults: list[Problem] = []
        with blame(faults.append, "page", page.key):
            return self._composed(page, rendered, bundle, styles)
        raise ContentError(faults)

    def _composed(
        self,
        page: AssembledPage,
        rendered: Mapping[int, RenderedBlock],
        bundle: Bundle,
        styles: StyleForm,
    ) -> PageDocument:
        about = head.About.of(page)
        visibility = visibility_of(page)
        graph = self._asset_graph(bundle)
        wrapped = wrapped_blocks(page, rendered, graph)
        zones = by_zone(page, wrapped)
        layout = self._layouts[page.layout]
        body = self._templates.rendered(layout, {"zones": zones, "page": about})
        filled = page.layout, frozenset(zone for zone, html in zones.items() if html)
        if filled not in self._sound:
            bare = {zone: html and _safe("<i></i>") for zone, html in zones.items()}
            around = self._templates.rendered(layout, {"zones": bare, "page": about})
            self._templates.check_html(page.layout, around)
            self._sound.add(filled)
        # Of each zone the first: a page may have thousands of blocks.
        for block in {block.zone: block for block in reversed(page.blocks)}.values():
            if f'id="{block.id}" data-rb-component="' not in body:
                raise ContentError([lost_zone(page.layout, block.zone)])
        islands = Islands.of(page, rendered, graph.html_setter, graph.maker)
        blocks = [rendered[block.order] for block in page.blocks]
        searches = any(graph.searches(block.component) for block in page.blocks)
        content = Content(
            about=about,
            body=body,
            first_screen=end_of_first_screen(body, wrapped),
            components=frozenset(block.component for block in page.blocks),
            islands=islands,
            inline_styles=[text for block in blocks for text in head.inline_styles(block.html)],
            visibility=visibility,
            title_fill=page.title_fill or "",
            address="" if is_not_found_file(page.path) else quote(page.route),
            feeds=feeds.links(page),
            alternates=head.alternates(page.translations) if site_files.is_listed(page) else (),
            words=class_words(blocks),
            hints=(
                *head.hints(block.hints for block in blocks if block.hints),
                *([head.search_index(page.app)] if searches else []),
            ),
            searches=searches,
            settings=page.settings,
            problems=islands.problems,
        )
        return self._document(content, bundle, styles)

    def node_files(
        self,
        node: BrandedNode,
        bundle: Bundle,
        index: NodeIndex,
        links: Sequence[Mapping[str, str]] = (),
        *,
        not_found: bool = True,
        for_development: bool = False,
    ) -> tuple[dict[str, bytes], tuple[Asset, ...]]:
        """The files that a node has once, and what they refer to (`NodePages.files`).

        Their styles are in them; for development they are files, as those of all pages.
        """
        styles: StyleForm = "separate" if for_development else "inline"
        document = partial(self._document, bundle=bundle, styles=styles)
        slots = NodeSlots.of(node, styles, favicon=self.favicon)
        return self._node_pages.files(slots, document, index, links, not_found=not_found)

    @staticmethod
    def feed_files(page: AssembledPage, node: BrandedNode) -> dict[str, bytes]:
        """A page's feeds by release path; none on a node without an address."""
        return feeds.feed_files(page, node)

    def _document(
        self, content: Content, bundle: Bundle, styles: StyleForm = "inline"
    ) -> PageDocument:
        loads = self._asset_graph(bundle).page(
            content.components,
            content.islands,
            styles,
            content.words,
            has_first_picture=any(written in content.body for written in _FIRST_PICTURE),
            has_modules=any(map(_OWN_MODULE.search, (content.body, *content.hints))),
            classes=template_classes(content.body) if styles == "inline" else frozenset(),
        )
        scripts = loads.scripts
        if styles == "fixed":
            scripts = f"<script>{head.RELOAD_SCRIPT}</script>\n{scripts}"
        body, at = content.body, content.first_screen
        if at is None or self._joins_scripts:
            scripts = f"{loads.first_scripts}\n{scripts}"
        else:
            body = f"{body[:at]}{loads.first_scripts}{body[at:]}"
        style = "".join(content.visibility.rules)
        visitor = _visitor_json(content)
        html = self._templates.rendered(
            self._page,
            {
                "page": content.about,
                "leads_to": content.leads_to,
                "slot": SLOTS,
                "csp": _safe(
                    page_policy(
                        content,
                        loads,
                        style,
                        inline_scripts=[
                            *([_VISITOR_SCRIPT] if visitor else []),
                            *([head.RELOAD_SCRIPT] if styles == "fixed" else []),
                        ],
                        # The development server alters open pages by their HTML.
                        trusted_types="" if styles == "separate" else trusted_types_of(content),
                    )
                ),
                "open_graph": head.open_graph(content.about),
                "stylesheets": _safe(loads.stylesheets),
                "style": _safe(style),
                "head_scripts": _safe(loads.head_scripts),
                "scripts": _safe(scripts.strip()),
                # In one, as earlier page templates write them.
                "modules": _safe(f"{loads.head_scripts}\n{scripts}".strip()),
                "hints": [_safe(hint) for hint in content.hints],
                "json_ld": [_safe(graph) for graph in head.linked_data(content.about.metadata)],
                "speculation": _safe(head.SPECULATION),
                "speculates_later": head.SPECULATION_SCRIPT in loads.head_scripts,
                "visitor": _safe(visitor),
                "visitor_script": _safe(_VISITOR_SCRIPT),
                "body": _safe(body),
                "islands": _safe(content.islands.json),
                "controls": content.islands.has_controls,
            },
        )
        return PageDocument(
            parts=tuple(html.encode("utf-8", "replace").split(b"\0")),
            assets=(*loads.assets, *Granted.of(NO_SETTINGS, content.settings).assets),
            problems=content.problems,
            address=content.address,
            title=content.about.title,
            image=content.about.image,
            feeds=content.feeds,
            alternates=content.alternates,
            settings=content.settings,
        )

    def _asset_graph(self, bundle: Bundle) -> AssetGraph:
        """The graph of the bundle at hand, which thousands of pages share."""
        if self._graph is None or not same(self._graph.bundle, bundle):
            self._graph = AssetGraph(bundle)
        return self._graph

    def _hash(self) -> Sha256:
        templates = [f"{name} {digest}" for name, digest in self._templates.hashes().items()]
        code = _CODE, isolate_hash()
        return sha256("\n".join([*templates, *code, self.favicon.name if self.favicon else ""]))


def _visitor_json(content: Content) -> str:
    """What visitor.js reads: the query tests and the title's placeholders; "" where it has nothing
    to do.
    """
    queries = content.visibility.queries
    if not queries and not content.title_fill:
        return ""
    return head.inert(
        json.dumps(
            {"when": queries, "title": content.title_fill, "built": content.about.title},
            separators=(",", ":"),
        )
    )
