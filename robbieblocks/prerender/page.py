"""Pages from rendered blocks, by the templates: documents that all nodes share."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Template
from markupsafe import Markup

from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import (
    SHARED_APP,
    ZONES,
    AssembledBlock,
    AssembledPage,
    Asset,
    BrandedNode,
    Bundle,
    RenderedBlock,
    Sha256,
    component_specifier,
    sha256,
)
from robbieblocks.prerender import head, site
from robbieblocks.prerender.document import SLOTS, PageDocument
from robbieblocks.prerender.loading import Loading
from robbieblocks.prerender.templates import Templates, read
from robbieblocks.prerender.visibility import TooIntricateError, Visibility

_HERE: Final = Path(__file__).resolve().parent
_VISITOR_SCRIPT: Final = (_HERE / "visitor.js").read_text("utf-8").strip()
_MADE_BY: Final = (
    "page.py",
    "document.py",
    "head.py",
    "loading.py",
    "site.py",
    "templates.py",
    "visibility.py",
    "visitor.js",
)


def _safe(text: str) -> Markup:
    """Text that is HTML already: blocks past the guard, inert JSON, our own scripts and styles."""
    return Markup(text)  # noqa: S704 - see above; templates escape everything else


class Shell:
    """The templates, compiled once. Raises ContentError for one that can't be read or parsed."""

    def __init__(self, templates: Path) -> None:
        self._templates = Templates(templates)
        self._page = self._templates.compiled("page.html.j2")
        self._not_found = self._templates.compiled("404.html.j2")
        self._layouts = self._templates.layouts()
        self.favicon = Asset.of("favicon", "svg", self._templates.read("favicon.svg"))
        self.id = self._fingerprint()
        self._last: Loading | None = None

    @property
    def assets(self) -> tuple[Asset, ...]:
        """What every page refers to, whatever its blocks."""
        return (self.favicon,)

    def layouts(self) -> frozenset[str]:
        """The layouts that pages can name."""
        return frozenset(self._layouts)

    def compose(
        self, page: AssembledPage, rendered: Mapping[int, RenderedBlock], bundle: Bundle
    ) -> PageDocument:
        """The page's document for all nodes; `rendered` holds each block by its order.

        Raises ContentError where the layout's template fails, or a condition is too intricate.
        """
        about = head.About.of(page)
        visibility = _visibility(page)
        zones = _zones(page.blocks, rendered, self._loading(bundle))
        body = self._rendered(self._layouts[page.layout], zones=zones, page=about)
        islands = [block for block in page.blocks if _is_island(block, rendered[block.order])]
        return self._document(
            about,
            body,
            bundle,
            components={block.component for block in page.blocks},
            islands={block.component for block in islands},
            early={b.component for b in islands if _is_early(b, rendered[b.order])},
            island_data=_island_data(islands, rendered),
            visibility=visibility,
            title_fill=page.title_fill,
            styles=[
                text
                for block in page.blocks
                for text in head.inline_styles(rendered[block.order].html)
            ],
            address=quote(page.route),
        )

    def not_found(
        self, node: BrandedNode, bundle: Bundle, links: Sequence[Mapping[str, str]] = ()
    ) -> tuple[bytes, tuple[Asset, ...]]:
        """A node's 404.html and the assets that it refers to.

        `links` are pages to offer instead: {"href": ..., "title": ...}.
        """
        page = AssembledPage(
            key="404",
            app=SHARED_APP,
            route="",
            path="404.html",
            layout="single-column",
            title="Page not found",
            metadata={"robots": "noindex"},
        )
        about = head.About.of(page)
        said = {"id": node.id, "name": head.sendable(node.name), "theme": node.theme}
        body = self._rendered(self._not_found, page=about, node=said, links=list(links))
        document = self._document(about, body, bundle)
        return document.brand(node), document.assets

    def node_files(
        self,
        node: BrandedNode,
        apps: Sequence[str],
        bundle: Bundle,
        links: Sequence[Mapping[str, str]] = (),
    ) -> tuple[dict[str, bytes], tuple[Asset, ...]]:
        """What a node has once: 404.html, robots.txt and, with an address, sitemap.xml."""
        missing, assets = self.not_found(node, bundle, links)
        files = {"404.html": missing, "robots.txt": site.robots(node)}
        index = site.sitemap_index(apps, node)
        if index is not None:
            files["sitemap.xml"] = index
        return files, assets

    @staticmethod
    def sitemap(app: str, routes: Sequence[str], node: BrandedNode) -> bytes | None:
        """An app's `sitemap-<app>.xml`; None on a node without an address."""
        return site.sitemap(app, routes, node)

    def _document(
        self,
        about: head.About,
        body: str,
        bundle: Bundle,
        *,
        components: Collection[str] = (),
        islands: Collection[str] = (),
        early: Collection[str] = (),
        island_data: str = "",
        visibility: Visibility | None = None,
        title_fill: str | None = None,
        styles: Sequence[str] = (),
        address: str = "",
    ) -> PageDocument:
        loads = self._loading(bundle).page(components, islands, early)
        style = "".join(visibility.rules) if visibility else ""
        visitor = _visitor_data(visibility, title_fill)
        scripts = [head.SPECULATION]
        scripts += [loads.import_map] if loads.import_map else []
        scripts += [_VISITOR_SCRIPT] if visitor else []
        known = [style, *styles] if style else styles
        allowed = None if loads.styles is None else [*known, *loads.styles]
        html = self._rendered(
            self._page,
            page=about,
            slot=SLOTS,
            csp=_safe(head.policy(scripts=scripts, styles=allowed)),
            open_graph=head.open_graph(about),
            favicon=self.favicon,
            stylesheets=_safe(loads.stylesheets),
            style=_safe(style),
            modules=_safe(loads.scripts),
            json_ld=[_safe(graph) for graph in head.linked_data(about.metadata)],
            speculation=_safe(head.SPECULATION),
            visitor=_safe(visitor),
            visitor_script=_safe(_VISITOR_SCRIPT),
            body=_safe(body),
            islands=_safe(island_data),
        )
        return PageDocument(
            parts=tuple(html.encode("utf-8", "replace").split(b"\0")),
            assets=(*loads.assets, self.favicon),
            address=address,
            image=head.text_of(about.metadata, "og_image"),
        )

    def _loading(self, bundle: Bundle) -> Loading:
        """What is known of the bundle at hand: thousands of pages share it."""
        if self._last is None or self._last.bundle is not bundle:
            self._last = Loading(bundle)
        return self._last

    def _rendered(self, template: Template, **values: Any) -> str:
        return self._templates.rendered(template, values)

    def _fingerprint(self) -> Sha256:
        """Changes with everything that decides a document's bytes besides what compose is given."""
        own = {name: sha256(read(_HERE / name)) for name in _MADE_BY}
        hashes = [
            f"{name} {digest}" for name, digest in {**self._templates.hashes(), **own}.items()
        ]
        return sha256("\n".join([*hashes, self.favicon.name]))


def _zones(
    blocks: Sequence[AssembledBlock], rendered: Mapping[int, RenderedBlock], loading: Loading
) -> dict[str, Markup]:
    zones: dict[str, list[str]] = {zone: [] for zone in ZONES}
    for block in blocks:
        names = loading.names(block.component)
        zones[block.zone].append(
            f'<div class="rb-block" id="{block.id}" data-rb-component="{names}">'
            f"{rendered[block.order].html}</div>"
        )
    return {zone: _safe("\n".join(parts)) for zone, parts in zones.items()}


def _is_island(block: AssembledBlock, rendered: RenderedBlock) -> bool:
    return rendered.interactive or rendered.volatile or block.fill is not None


def _is_early(block: AssembledBlock, rendered: RenderedBlock) -> bool:
    """Whether all visitors need the block's module at once; a still one waits for a placeholder."""
    lives = rendered.interactive or rendered.volatile
    return lives and block.hydrate == "load" and block.visitor is None


def _island_data(blocks: Sequence[AssembledBlock], rendered: Mapping[int, RenderedBlock]) -> str:
    listed = []
    for block in blocks:
        made = rendered[block.order]
        use = json.dumps(component_specifier(block.component))
        entry = (
            f'{{"id":"{block.id}","use":{use},"when":"{block.hydrate}","props":{block.props_json}'
        )
        if made.volatile:
            entry += ',"fresh":true'
        elif not made.interactive:
            entry += ',"still":true'
        if block.fill is not None:
            entry += f',"fill":{json.dumps(block.fill, separators=(",", ":"))}'
        listed.append(entry + "}")
    return head.inert(f"[{','.join(listed)}]") if listed else ""


def _visibility(page: AssembledPage) -> Visibility:
    visibility = Visibility()
    problems = []
    for block in page.blocks:
        if block.visitor is None:
            continue
        try:
            visibility.hide_unless(block.id, block.visitor)
        except TooIntricateError:
            problems.append(
                Problem(
                    entity="page",
                    key=page.key,
                    page=page.key,
                    block=block.order,
                    field="conditions",
                    what="its query and viewport conditions are too intricate to decide early",
                    remedy="use fewer of them, or nest any and all less deeply",
                )
            )
    if problems:
        raise ContentError(problems)
    return visibility


def _visitor_data(visibility: Visibility | None, title_fill: str | None) -> str:
    queries = visibility.queries if visibility else []
    if not queries and not title_fill:
        return ""
    return head.inert(
        json.dumps({"when": queries, "title": title_fill or ""}, separators=(",", ":"))
    )
