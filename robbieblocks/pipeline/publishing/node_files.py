"""The files of a release that are no pages, and the assets that they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Final

from robbieblocks.model import (
    INDEX_FILE,
    REDIRECTS_FILE,
    SHARED_APP,
    Asset,
    PageEntry,
    Redirect,
    bare_path,
    canonical_json,
    redirects_text,
)
from robbieblocks.pipeline.planning import TOKENS_FILE, RunPlan
from robbieblocks.prerender import PageRenderer

_LINKS_MAX: Final = 6


def node_files(
    run: RunPlan, renderer: PageRenderer, pages: Sequence[PageEntry]
) -> tuple[dict[str, bytes], tuple[Asset, ...]]:
    """The files of a release that are no pages, and the assets that they refer to."""
    files = {TOKENS_FILE: canonical_json(dict(run.brand.tokens)).encode() + b"\n"}
    listed = [entry.route for entry in pages if entry.listed]
    assets: tuple[Asset, ...] = ()
    if run.target.app == SHARED_APP:
        own, assets = renderer.node_files(
            run.brand,
            run.app.bundle,
            run.index,
            _links(run, pages),
            for_development=run.app.styles == "separate",
        )
        files |= own
        # The page at `/` that lists the apps is one that visitors search for.
        listed += ["/"] if INDEX_FILE in own and len(run.index.homes) != 1 else []
    files |= _feeds(run, renderer, pages)
    files |= _redirects(run, pages)
    sitemap = renderer.sitemap(listed, run.brand)
    if sitemap:
        files[f"sitemap-{run.target.app}.xml"] = sitemap
    if run.target.app == SHARED_APP:
        served = run.app.media.files
        bodies = {each.name: each.content for each in run.app.media.assets(set(served.values()))}
        files |= {path: bodies[name] for path, name in served.items()}
    return files, assets


def _feeds(run: RunPlan, renderer: PageRenderer, pages: Iterable[PageEntry]) -> dict[str, bytes]:
    """The feeds of pages that are live, by path; a page that needs the same place goes before."""
    with_feeds = [each.page for each in run.app.assembly.pages if each.page.feed is not None]
    if not with_feeds:
        return {}
    entries = {entry.key: entry.path for entry in pages}
    taken = {*entries.values(), *chain.from_iterable(map(folders, entries.values()))}
    found: dict[str, bytes] = {}
    for page in with_feeds:
        if entries.get(page.key) == page.path:
            shown = run.app.media.with_feed_pictures(page)
            found |= renderer.feed_files(shown, run.brand)
    return {path: body for path, body in found.items() if path not in taken}


def _links(run: RunPlan, pages: Iterable[PageEntry]) -> list[dict[str, str]]:
    """What 404.html links to: pages of its own release, so that no link is ever stale."""
    titles = {page.page.key: page.page.title for page in run.app.assembly.pages}
    there = sorted((entry.route, titles[entry.key]) for entry in pages if entry.key in titles)
    return [{"href": route, "title": title} for route, title in there[:_LINKS_MAX]]


def _redirects(run: RunPlan, pages: Iterable[PageEntry]) -> dict[str, bytes]:
    """The file of the redirects, where there are some. Each leads to where its page is live."""
    if not run.redirects:
        return {}
    routes = {entry.key: entry.route for entry in pages}
    taken = {bare_path(route) for route in routes.values()}
    own = {each.page.key for each in run.app.assembly.pages}
    found: dict[str, Redirect] = {}
    for each in run.redirects:
        # A page that is not live here is another app's, or leaves nothing to lead to.
        if each.page in own and each.page not in routes:
            continue
        if each.covers_all or bare_path(each.source) not in taken:
            target = routes.get(each.page, each.target)
            found.setdefault(each.source, each._replace(target=target))
    return {REDIRECTS_FILE: redirects_text(found.values())} if found else {}


def folders(path: str) -> Iterable[str]:
    """The folders that a path lies in."""
    return accumulate(path.split("/")[:-1], "{}/{}".format)
