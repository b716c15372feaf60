"""Fetches pages and their assets as visitors do, and explains what stays wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from robbieblocks.model import Manifest, PageEntry
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.proof.answers import Answer, Asker
from robbieblocks.release.proof.culprits import Evidence, explain
from robbieblocks.release.proof.known import release_of
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.proof.wanted import Wanted, wanted_asset, wanted_page
from robbieblocks.settings import Address

PAGES_MAX: Final = 8
_ASSETS_MAX: Final = 48
_EXPLAINED_MAX: Final = 5
_AT_ONCE: Final = 4
_ATTEMPTS: Final = 5
# Five attempts at a server that does not answer would take a minute.
_GIVEN_UP_S: Final = 15.0


def prove(
    address: Address,
    app_folder: AppFolder,
    manifest: Manifest,
    changed: Collection[str] = (),
    *,
    pause_s: float,
) -> tuple[NotServed, ...]:
    """What visitors don't get as the live release has it; empty where all is right.

    Of the pages whose files `changed` (of all where none did) the first eight are asked for, then
    the assets that these name. What is wrong is asked for again, five times at most, with pauses of
    once, twice, three and four times `pause_s`: a cache may be that old. The first five things that
    stay wrong are explained. Never raises for what a server does.
    """
    # These take long to import, and only those need them who have an address.
    from tenacity import (
        Retrying,
        retry_if_result,
        stop_after_attempt,
        stop_after_delay,
        wait_incrementing,
    )

    with Asker.open(address) as asker, ThreadPoolExecutor(_AT_ONCE) as threads:
        waiting = _wanted(address, app_folder, manifest, changed)
        wrong: dict[str, tuple[Wanted, Answer]] = {}

        def ask() -> bool:
            nonlocal waiting
            answers = threads.map(asker.visitor, [each.path for each in waiting])
            found = [
                (each, answer)
                for each, answer in zip(waiting, answers, strict=True)
                if each.problem(answer)
            ]
            wrong.clear()
            wrong.update({each.path: (each, answer) for each, answer in found})
            waiting = [each for each, _ in found]
            return bool(waiting)

        Retrying(
            stop=stop_after_attempt(_ATTEMPTS) | stop_after_delay(_GIVEN_UP_S),
            wait=wait_incrementing(start=pause_s, increment=pause_s),
            retry=retry_if_result(bool),
            retry_error_callback=lambda _last: True,
        )(ask)
        explained = threads.map(
            partial(_explained, asker, app_folder), _first_of_each(wrong.values())
        )
        return tuple(each for each in explained if each is not None)


def _wanted(
    address: Address, app_folder: AppFolder, manifest: Manifest, changed: Collection[str]
) -> list[Wanted]:
    pages = [page for page in manifest.pages if page.path in changed] or list(manifest.pages)
    pages = pages[:PAGES_MAX]
    found = [wanted_page(app_folder, manifest, page, address) for page in pages]
    return found + [wanted_asset(app_folder, manifest, name) for name in _assets_of(pages)]


def _assets_of(pages: Iterable[PageEntry]) -> list[str]:
    """The assets of pages, each once; of very many those that come first."""
    names = dict.fromkeys(name for page in pages for name in page.assets)
    return list(names)[:_ASSETS_MAX]


def _first_of_each(
    wrong: Iterable[tuple[Wanted, Answer]],
) -> Sequence[tuple[Wanted, Answer]]:
    """A few to explain: where pages are wrong, the assets beside them are left out."""
    found = sorted(wrong, key=lambda each: not each[0].is_page)
    pages = [each for each in found if each[0].is_page]
    return (pages or found)[:_EXPLAINED_MAX]


def _explained(
    asker: Asker, app_folder: AppFolder, case: tuple[Wanted, Answer]
) -> NotServed | None:
    """Who is at fault; None where it is right in the meantime."""
    wanted, _ = case
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
