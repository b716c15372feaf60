"""The files of a release that are no pages, and the assets that they refer to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.model import (
    FAVICON_FILE,
    FEED_FILES,
    HEADERS_FILE,
    INDEX_FILE,
    NOT_FOUND_FILE,
    REDIRECTS_FILE,
    SHARED_APP,
    Asset,
    PageEntry,
    Redirect,
    bare_path,
    canonical_json,
    headers_text,
    is_not_found_file,
    redirects_text,
)
from robbieblocks.pipeline.fingerprints import links_sheet
from robbieblocks.pipeline.planning import TOKENS_FILE, RunPlan
from robbieblocks.pipeline.sitemaps import Sitemaps
from robbieblocks.prerender import PageRenderer, SitemapEntry
from robbieblocks.row_faults import blame

_LINKS_MAX: Final = 6


def node_files(
    run: RunPlan,
    renderer: PageRenderer,
    sitemaps: Sitemaps,
    pages: Sequence[PageEntry],
    failed: Collection[str],
) -> tuple[dict[str, bytes | None], tuple[Asset, ...], tuple[Problem, ...]]:
    """The files of a release that are no pages, the assets that they refer to, and what is wrong.

    `failed` are pages that could not be made now, and stay as they are. None is in place of a file
    that stays as it is live.
    """
    wrong: list[Problem] = []
    tokens = canonical_json(dict(run.brand.tokens)).encode() + b"\n"
    files: dict[str, bytes | None] = {TOKENS_FILE: tokens}
    # Pages that stay as they were may link it although the form of styles is another by now.
    if run.sheet and any(map(links_sheet, pages)):
        files |= run.sheet.sheet.files
    more: list[SitemapEntry] = []
    assets: tuple[Asset, ...] = ()
    if run.target.app == SHARED_APP:
        own, assets = renderer.node_files(
            run.brand,
            run.app.bundle,
            run.index,
            _links(run, pages),
            not_found=all(entry.path != NOT_FOUND_FILE for entry in pages),
            for_development=run.app.styles == "separate",
        )
        files |= own
        # The page at `/` that lists the apps is one that visitors search for.
        more = [SitemapEntry("/")] if INDEX_FILE in own and len(run.index.homes) != 1 else []
    files |= _feeds(run, renderer, pages, failed, wrong)
    files |= _redirects(run, pages)
    sitemap = sitemaps.file(
        run.target.app,
        run.brand.base_url,
        pages,
        run.app.assembly.pages,
        held=run.held.keys(),
        more=more,
    )
    if sitemap:
        files[f"sitemap-{run.target.app}.xml"] = sitemap
    if run.target.app == SHARED_APP:
        places = _places(pages)
        served = {p: name for p, name in run.app.media.files.items() if not _taken(p, places)}
        bodies = {each.name: each.content for each in run.app.media.assets(set(served.values()))}
        files |= {path: bodies[name] for path, name in served.items()}
        if run.brand.ico and FAVICON_FILE not in files and not _taken(FAVICON_FILE, places):
            files[FAVICON_FILE] = run.brand.ico.content
    if run.headers:
        files[HEADERS_FILE] = headers_text(run.headers)
    return files, assets, tuple(wrong)


def media_without_place(run: RunPlan, pages: Sequence[PageEntry]) -> Iterable[Problem]:
    """Files that are not served at their address: it is a page's, or in another file's way."""
    if run.target.app != SHARED_APP or not run.app.media.library.keys:
        return
    # No page shows them, so none is held back.
    for wrong in run.app.media.library.wrong.values():
        if wrong.field == "served_path":
            yield replace(wrong, severity="warning")
    places = _places(pages)
    for key, media in run.app.media.library.media.items():
        path = media.row.served_path.removeprefix("/")
        if path and (page := _taken(path, places)):
            yield Problem(
                entity="media",
                key=key,
                field="served_path",
                what=f"the page {page} has the address /{path}, so the file is not served there",
                remedy="give one of the two another address",
                severity="warning",
            )


def _places(pages: Sequence[PageEntry]) -> dict[str, str]:
    """The page that has each file, and one of those in each folder."""
    within = {folder: entry.key for entry in pages for folder in folders(entry.path)}
    return {**within, **{entry.path: entry.key for entry in pages}}


def _taken(path: str, places: Mapping[str, str]) -> str:
    """The page that is in the way of a file, or ""."""
    return places.get(path) or next(
        (
            places[folder]
            for folder in folders(path)
            if folder.endswith(".html") and folder in places
        ),
        "",
    )


def _feeds(
    run: RunPlan,
    renderer: PageRenderer,
    pages: Iterable[PageEntry],
    failed: Collection[str],
    wrong: list[Problem],
) -> dict[str, bytes | None]:
    """The feeds of pages that are live, by path; a page that needs the same place goes before.

    One over which a library fails stays as it is live, which is added to what is `wrong`.
    """
    held = {*failed, *(page.key for page in run.held_back)}
    with_feeds = [
        each.page
        for each in run.app.assembly.pages
        if each.page.feed is not None and each.page.key not in held
    ]
    found: dict[str, bytes | None] = dict.fromkeys(_live_feeds(run, pages, held))
    if not with_feeds and not found:
        return {}
    entries = {entry.key: entry.path for entry in pages}
    for page in with_feeds:
        if page.feed is None or entries.get(page.key) != page.path:
            continue
        faults: list[Problem] = []
        with blame(faults.append, "page", page.key, "metadata", pointer="/feed"):
            shown = run.app.media.with_feed_pictures(page)
            found |= renderer.feed_files(shown, run.brand)
        if faults:
            found |= dict.fromkeys(page.feed.path(page.path, form) for form in page.feed.forms)
            what = f"its feed was not made, and stays as it was: {faults[0].what}"
            wrong.append(replace(faults[0], what=what, severity="warning"))
    in_folders = tuple(f"{path}/" for path in found)
    taken = {path for path in entries.values() if path in found or path.startswith(in_folders)}
    return {
        path: body
        for path, body in found.items()
        if path not in taken and not any(each.startswith(f"{path}/") for each in taken)
    }


def _live_feeds(run: RunPlan, pages: Iterable[PageEntry], held: Collection[str]) -> list[str]:
    """The feeds that are live of pages that stay at their last good version: these name them."""
    if not held or run.live is None:
        return []
    pages_of = [each.path.rpartition("/")[0] for each in pages if each.key in held]
    paths = [f"{folder}/{file}".lstrip("/") for folder in pages_of for file in FEED_FILES.values()]
    return [path for path in paths if path in run.live.files]


def _links(run: RunPlan, pages: Iterable[PageEntry]) -> list[dict[str, str]]:
    """What 404.html links to: pages of its own release, so that no link is ever stale."""
    titles = {page.page.key: page.page.title for page in run.app.assembly.pages}
    there = sorted(
        (entry.route, titles[entry.key])
        for entry in pages
        if entry.key in titles and not is_not_found_file(entry.path)
    )
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
