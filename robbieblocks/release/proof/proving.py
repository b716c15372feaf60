"""Fetches pages and their assets as visitors do, and explains what stays wrong."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Final

from robbieblocks.model import Manifest, PageEntry, changed_between, is_not_found_file
from robbieblocks.release.places.layout import AppFolder, apps
from robbieblocks.release.proof.answers import Asker, Failure
from robbieblocks.release.proof.at_once import at_once
from robbieblocks.release.proof.culprits import Evidence, explain
from robbieblocks.release.proof.known import release_of
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.proof.wanted import (
    Wanted,
    gone_page,
    wanted_asset,
    wanted_page,
    wanted_sheet,
)
from robbieblocks.release.reading import live
from robbieblocks.settings import Address

_KEY: Final = attrgetter("key")
PAGES_MAX: Final = 8
_ASSETS_MAX: Final = 48
_EXPLAINED_MAX: Final = 5
_ATTEMPTS: Final = 5
# Five attempts at a server that does not answer, or one at all assets of it, would take minutes.
_GIVEN_UP_S: Final = 15.0


def prove(
    address: Address,
    app_folder: AppFolder,
    manifest: Manifest,
    changed: Collection[str] = (),
    *,
    before: Manifest | None = None,
    pause_s: float,
) -> tuple[NotServed, ...]:
    """What visitors don't get as the live release has it; empty where all is right.

    Of the pages whose files `changed` (of all where none did) the first eight are asked for, then
    the stylesheet at a fixed address, the assets that these pages name, and the first eight pages
    that the release `before` had and no app has now. What is wrong is asked for again, five times
    at most, with pauses of once, twice, three and four times `pause_s`: a cache may be that old.
    The first five things that stay wrong are explained. What can't be asked for within 15 seconds
    is left out, so that a run is not held up for minutes. Never raises for what a server does.
    """
    # These take long to import, and only those need them who have an address.
    from tenacity import (
        Retrying,
        retry_if_result,
        stop_after_attempt,
        stop_after_delay,
        wait_incrementing,
    )

    with Asker.open(address) as asker:
        waiting = [
            *_wanted(address, app_folder, manifest, changed),
            *_gone(app_folder, manifest, before),
        ]
        wrong: list[tuple[Wanted, Failure]] = []
        given_up_at = time.monotonic() + _GIVEN_UP_S

        def ask() -> bool:
            nonlocal waiting, wrong
            asked = at_once(partial(_asked, asker), waiting, until=given_up_at)
            # What was wrong before, and was not asked for again, still counts as that.
            wrong = [*filter(None, asked), *wrong[len(asked) :]]
            waiting = [each for each, _ in wrong]
            return bool(wrong)

        Retrying(
            stop=stop_after_attempt(_ATTEMPTS) | stop_after_delay(_GIVEN_UP_S),
            wait=wait_incrementing(start=pause_s, increment=pause_s),
            retry=retry_if_result(bool),
            retry_error_callback=lambda _last: True,
        )(ask)
        found = at_once(partial(_explained, asker, app_folder), _first_of_each(wrong))
        return tuple(each for each in found if each is not None)


def _asked(asker: Asker, wanted: Wanted) -> tuple[Wanted, Failure] | None:
    """What is wrong, and why nothing came; None where all is right. Keeps no bodies."""
    answer = asker.visitor(wanted.path)
    return (wanted, answer.failure) if wanted.problem(answer) else None


def _wanted(
    address: Address, app_folder: AppFolder, manifest: Manifest, changed: Collection[str]
) -> list[Wanted]:
    by_path = manifest.page_entries.by_path
    of_changed = sorted([by_path[path] for path in changed if path in by_path], key=_KEY)
    pages = [page for page in of_changed if _has_address(page)][:PAGES_MAX]
    pages = pages or [*islice(filter(_has_address, manifest.pages), PAGES_MAX)]
    found = [wanted_page(app_folder, manifest, page, address) for page in pages]
    found += wanted_sheet(app_folder, manifest, address)
    return found + [wanted_asset(app_folder, manifest, name) for name in _assets_of(pages)]


def _gone(app_folder: AppFolder, manifest: Manifest, before: Manifest | None) -> Iterator[Wanted]:
    """Pages that nobody may get any more; another app may have taken a route over."""
    if before is None:
        return
    gone, come = changed_between(before.pages, manifest.pages)
    left = {page.route for page in come}
    gone = [page for page in gone if _has_address(page) and page.route not in left]
    if not gone:
        return
    left |= {page.route for page in manifest.pages}
    root, node = app_folder.site_root, app_folder.node
    for app in apps(root, node):
        other = live(root, node, app) if app != app_folder.app else None
        left |= {page.route for page in other.pages} if other else set()
    for page in [page for page in gone if page.route not in left][:PAGES_MAX]:
        yield gone_page(app_folder, before, page, manifest.build_hash)


def _has_address(page: PageEntry) -> bool:
    """Whether servers answer a page's address with it: a 404 page's own some don't."""
    return not is_not_found_file(page.path)


def _assets_of(pages: Iterable[PageEntry]) -> list[str]:
    """The assets of pages, each once; of very many those that come first."""
    names = dict.fromkeys(name for page in pages for name in page.assets)
    return list(names)[:_ASSETS_MAX]


def _first_of_each(wrong: Iterable[tuple[Wanted, Failure]]) -> list[Wanted]:
    """A few to explain: where pages are wrong, the assets beside them are left out.

    Where no answer came, one stands for all: its cause is not the page's.
    """
    found = sorted(wrong, key=lambda case: not case[0].is_page)
    pages = [case for case in found if case[0].is_page]
    answered = [each for each, failure in pages or found if not failure]
    unanswered = {failure: each for each, failure in reversed(pages or found) if failure}
    return [*unanswered.values(), *answered][:_EXPLAINED_MAX]


def _explained(asker: Asker, app_folder: AppFolder, wanted: Wanted) -> NotServed | None:
    """Who is at fault; None where it is right in the meantime."""
    fresh = asker.past_caches(wanted.path)
    # After the fresh one: a page that came right in between is not a cache's fault.
    visitor = asker.visitor(wanted.path)
    if not wanted.problem(visitor):
        return None
    return explain(
        Evidence(
            wanted=wanted,
            visitor=visitor,
            fresh=fresh,
            origin=asker.origin(wanted.path),
            on_disk=wanted.on_disk(),
            known=lambda answer: release_of(answer, app_folder, wanted.name),
            folder=app_folder.node_path,
        )
    )
