"""The pages of a node that are no rows: what answers `/` where no page does, and 404.html."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from jinja2 import Template

from robbieblocks.model import (
    INDEX_FILE,
    NOT_FOUND_FILE,
    SHARED_APP,
    AssembledPage,
    Asset,
    BrandedNode,
    JsonObject,
    NodeIndex,
)
from robbieblocks.prerender.page import head, site_files
from robbieblocks.prerender.page.content import Content
from robbieblocks.prerender.page.document import PageDocument
from robbieblocks.prerender.page.node_slots import NodeSlots
from robbieblocks.prerender.page.templates import Templates

Links = Sequence[Mapping[str, str]]


class MakeDocument(Protocol):
    """Makes a document whose styles stand where those of the node do."""

    def __call__(self, content: Content) -> PageDocument:
        """The document. Raises ContentError where a template fails."""
        ...


class NodePages:
    """The templates of these pages. Raises ContentError for one that can't be read or parsed."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._not_found = templates.compiled("404.html.j2")
        self._index = templates.compiled("index.html.j2")

    def files(
        self,
        slots: NodeSlots,
        document: MakeDocument,
        index: NodeIndex,
        links: Links,
        *,
        not_found: bool,
    ) -> tuple[dict[str, bytes], tuple[Asset, ...]]:
        """With `not_found` 404.html; robots.txt, on a node with an address sitemap.xml, and
        index.html where no page is at `/`; and the assets that they refer to.

        `slots` are of the document's form of styles, `index` is what the node offers. `links` are
        more pages to offer, each a `href` and a `title`. Where the node has one app, index.html
        leads on to it at once. Raises ContentError.
        """
        node = slots.node
        files = {"robots.txt": site_files.robots(node)}
        assets: tuple[Asset, ...] = ()
        if not_found:
            page = _page("404", NOT_FOUND_FILE, "Page not found", {"robots": "noindex"})
            made = document(self._content(self._not_found, page, node, index, links))
            files[NOT_FOUND_FILE], assets = made.fill(slots), made.assets
        if not index.root_is_taken:
            about: JsonObject = {} if index.homes or links else {"robots": "noindex"}
            page = _page("index", INDEX_FILE, head.sendable(node.name), about)
            content = self._content(self._index, page, node, index, links)
            files[INDEX_FILE] = document(content).fill(slots)
        sitemaps = site_files.sitemap_index(index.apps, node)
        if sitemaps is not None:
            files["sitemap.xml"] = sitemaps
        return files, (*assets, *slots.assets)

    def _content(
        self,
        template: Template,
        page: AssembledPage,
        node: BrandedNode,
        index: NodeIndex,
        links: Links,
    ) -> Content:
        about = head.About.of(page)
        titles = Counter(home.title for home in index.homes)
        apps = [
            {
                "href": quote(home.route),
                # Links of one text lead to one place.
                "title": head.sendable(
                    f"{home.title} ({home.app})" if titles[home.title] > 1 else home.title
                ),
                "description": head.sendable(home.description),
            }
            for home in index.homes
        ]
        values = {
            "page": about,
            "node": {"id": node.id, "name": head.sendable(node.name), "theme": node.theme},
            "home": "/",
            "apps": apps,
            "links": list(links),
        }
        body = self._templates.rendered(template, values)
        leads_to = apps[0]["href"] if page.path == INDEX_FILE and len(apps) == 1 else ""
        return Content(
            about=about, body=body, address=leads_to or quote(page.route), leads_to=leads_to
        )


def _page(key: str, path: str, title: str, metadata: JsonObject) -> AssembledPage:
    return AssembledPage(
        key=key,
        app=SHARED_APP,
        route="/" if path == INDEX_FILE else "",
        path=path,
        layout="single-column",
        title=title,
        metadata=metadata,
    )
