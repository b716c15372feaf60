"""The smoke check: what a visitor would get right after the swap, from the disk and over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from robbieblocks.model import Manifest, PageEntry
from robbieblocks.release.files import disk
from robbieblocks.release.names import MANIFEST
from robbieblocks.release.places.layout import AppFolder

if TYPE_CHECKING:
    import httpx

BUILD_HEADER: Final = "X-RobbieBlocks-Build"

_PAGES_FETCHED: Final = 8
_ATTEMPTS: Final = 5
_TIMEOUT_S: Final = 10.0


def check_files(
    app_folder: AppFolder, manifest: Manifest, manifest_json: bytes, changed: Collection[str]
) -> list[str]:
    """What is wrong when read by way of `current`: the manifest and what changed."""
    name = app_folder.live_name
    if name is None or name != manifest.build_hash:
        return [f"{app_folder.current} leads to {name}"]
    problems: list[str] = []
    try:
        with disk.folder(app_folder.releases / name) as fd:
            if disk.read_file(MANIFEST, dir_fd=fd) != manifest_json:
                problems.append(f"{MANIFEST} is not what was written")
            problems += [
                f"{path} is not what was written"
                for path in changed
                if disk.hash_of(path, dir_fd=fd) != manifest.files[path]
            ]
    except OSError as error:
        problems.append(f"{app_folder.current} can't be read: {error.strerror}")
    return problems


def check_served(
    base_url: str, manifest: Manifest, changed: Collection[str], *, pause_s: float
) -> list[str]:
    """What is wrong when changed pages (the first eight) are fetched from the node's origin.

    The body's SHA-256 must be the manifest's, whatever server sends it; `X-RobbieBlocks-Build`
    must be the build hash where it is sent. A server may cache for a moment, so each page has five
    attempts, with pauses of once, twice, three and four times `pause_s` between them.
    """
    # These take 100 ms to import, and only a configured smoke_url needs them.
    import httpx
    from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_incrementing

    fetch = Retrying(
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_incrementing(start=pause_s, increment=pause_s),
        retry=retry_if_result(bool),
        retry_error_callback=lambda last: last.outcome.result() if last.outcome else "",
    ).wraps(_page_problem)
    pages = [page for page in manifest.pages if page.path in changed] or list(manifest.pages)
    with httpx.Client(headers={"Accept-Encoding": "identity"}, timeout=_TIMEOUT_S) as client:
        problems = [fetch(client, base_url, manifest, page) for page in pages[:_PAGES_FETCHED]]
    return [problem for problem in problems if problem]


def _page_problem(client: httpx.Client, base_url: str, manifest: Manifest, page: PageEntry) -> str:
    """What is wrong with one page as it is served now; empty where it is right."""
    import httpx

    url = base_url.rstrip("/") + page.route
    try:
        answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{url}: {type(error).__name__} {error}"
    build = answer.headers.get(BUILD_HEADER, manifest.build_hash)
    if answer.status_code != HTTPStatus.OK:
        return f"{url}: answered {answer.status_code}"
    if hashlib.sha256(answer.content).hexdigest() != manifest.files[page.path]:
        return f"{url}: its bytes are not those of the release"
    return "" if build == manifest.build_hash else f"{url}: {BUILD_HEADER} is {build}"
