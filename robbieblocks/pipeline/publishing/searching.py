"""The index for search in a release: the new one, or the live one without what is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from robbieblocks import process, release
from robbieblocks.errors import Problem, ProcessFailed, SiteUnavailable, ToolchainUnavailable
from robbieblocks.model import ASSET_PREFIX, Asset, Manifest, search_file, sha256
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.publishing.composing import ComposedRun
from robbieblocks.pipeline.search_indexes import PageTags, SearchIndexes, pages_in, searched
from robbieblocks.pipeline.session import BuildSession
from robbieblocks.row_faults import is_fault
from robbieblocks.search import Index, Listing, SearchPage, read_listing, tags_of


def with_search(run: RunPlan, composed: ComposedRun, session: BuildSession) -> ComposedRun:
    """The release with an index, where its app has one.

    It is that of its pages where that was made, or this is a command's build, which makes it now.
    Else it is the live one, which does not offer what is gone, and the new one is made later. Where
    it can't be made the pages go out all the same, with a warning.
    """
    indexes = session.context.search
    if indexes is None or not indexes.has(run.target.app):
        return composed
    with session.stopwatch.step("search"):
        return _with_index(run, composed, indexes, session)


def _with_index(
    run: RunPlan, composed: ComposedRun, indexes: SearchIndexes, session: BuildSession
) -> ComposedRun:
    path = search_file(run.target.app)
    if path in composed.manifest.files:
        return composed  # a page of an earlier version has the place
    live = _live_listing(run, path, session)
    prepared = run.app.assembly.pages
    tags = {each.page.key: found for each in prepared if (found := tags_of(each.page.metadata))}
    try:
        key = indexes.key(composed.manifest.pages, composed.manifest.files, tags)
        index = indexes.made(run.target, key)
        if index is None and (live is None or live.key != key) and not session.request.dry_run:
            if indexes.later:
                indexes.request(session.site.root, run.target, tags)
            else:
                index = _made_now(run, composed, key, tags, indexes, session)
    except Exception as error:
        # No page waits for an index, whatever a library raises over it.
        if not isinstance(error, ProcessFailed | ToolchainUnavailable) and not is_fault(error):
            raise
        composed = replace(composed, notes=(*composed.notes, _not_made(run, str(error))))
        key, index = "", None
    if index is not None:
        return _added(composed, path, index.listing, index.assets.values(), run)
    if live is None:
        return composed
    listing = live if live.key == key else live.without(_gone(run, composed.manifest, live))
    return _added(composed, path, listing, (), run)


def _live_listing(run: RunPlan, path: str, session: BuildSession) -> Listing | None:
    """What is live, where all of it is there; damage is mended by making the index anew."""
    if run.live is None or path not in run.live.files or path in run.damaged:
        return None
    node, app = run.target.node, run.target.app
    try:
        listing = read_listing(release.read_live(session.site.root, node, app, path))
    except SiteUnavailable:
        return None
    if listing is None or not listing.assets <= set(run.live.assets):
        return None
    if not run.damaged.isdisjoint(ASSET_PREFIX + name for name in listing.assets):
        return None
    there = release.has_assets(session.site.root, node, app, listing.assets)
    return listing if there else None


def _made_now(
    run: RunPlan,
    composed: ComposedRun,
    key: str,
    tags: PageTags,
    indexes: SearchIndexes,
    session: BuildSession,
) -> Index | None:
    """The index of pages that are not live yet: their files are written aside."""
    session.progress(f"{run.target.node}: {run.target.app}: index for search")
    node, app = run.target.node, run.target.app
    live = str(release.live_folder(session.site.root, node, app))
    with process.temporary_folder() as aside:
        pages = [
            page if body is None else _aside(page, body, aside / str(number))
            for number, (page, body) in enumerate(
                (page, composed.contents.get(entry.path))
                for page, entry in zip(
                    pages_in(live, composed.manifest, tags),
                    searched(composed.manifest.pages),
                    strict=True,
                )
            )
        ]
        return indexes.make(run.target, key, pages)


def _aside(page: SearchPage, body: bytes, file: Path) -> SearchPage:
    file.write_bytes(body)
    return page._replace(file=str(file))


def _gone(run: RunPlan, manifest: Manifest, live: Listing) -> set[str]:
    """The addresses that the live index may offer, and that lead to no page to be found now."""
    before = {each.route for each in searched(run.live.pages)} if run.live else set[str]()
    now = {each.route for each in searched(manifest.pages)}
    gone = set(map(quote, before - now))
    return gone | (set(live.gone) - set(map(quote, now)) if live.gone else set())


def _added(
    composed: ComposedRun, path: str, listing: Listing, assets: Iterable[Asset], run: RunPlan
) -> ComposedRun:
    text = listing.text()
    digest = sha256(text)
    is_live = run.live is not None and run.live.files.get(path) == digest
    contents = composed.contents
    if not is_live or path in run.damaged:
        contents = {**contents, path: text}
    names = tuple(sorted({*composed.manifest.assets, *listing.assets}))
    return replace(
        composed,
        manifest=composed.manifest.with_files({path: digest}, names),
        contents=contents,
        assets={**composed.assets, **{each.name: each for each in assets}},
    )


def _not_made(run: RunPlan, why: str) -> Problem:
    return Problem(
        entity="setting",
        key="search.apps",
        what=f"the index for search of {run.target.app} was not made, and stays as it was: {why}",
        remedy="build again, or take the app out of search.apps",
        severity="warning",
    )
