"""The smoke check: what a visitor would get right after the swap, from the disk and over HTTP."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from robbieblocks.model import Manifest, PageEntry
from robbieblocks.release import disk
from robbieblocks.release.layout import MANIFEST, Place

if TYPE_CHECKING:
    import httpx

BUILD_HEADER: Final = "X-RobbieBlocks-Build"

_PAGES_FETCHED: Final = 8
_ATTEMPTS: Final = 5
_PAUSE: Final = 0.2
_TIMEOUT: Final = 10.0


def check_files(
    place: Place, manifest: Manifest, manifest_json: bytes, changed: Collection[str]
) -> list[str]:
    """What is wrong when read by way of `current`: the manifest and what changed."""
    name = disk.target_of(place.current)
    if name is None or name != manifest.build_hash:
        return [f"{place.current} leads to {name}"]
    faults: list[str] = []
    try:
        with disk.folder(place.releases / name) as fd:
            if disk.read_file(MANIFEST, dir_fd=fd) != manifest_json:
                faults.append(f"{MANIFEST} is not what was written")
            faults += [
                f"{path} is not what was written"
                for path in changed
                if disk.hash_of(path, dir_fd=fd) != manifest.files[path]
            ]
    except OSError as error:
        faults.append(f"{place.current} can't be read: {error.strerror}")
    return faults


def check_served(base_url: str, manifest: Manifest, changed: Collection[str]) -> list[str]:
    """What is wrong when changed pages (the first eight) are fetched from the node's origin.

    The body's SHA-256 must be the manifest's, whatever server sends it; `X-RobbieBlocks-Build`
    must be the build hash where it is sent. A server may cache for a moment: five attempts.
    """
    import httpx  # 60 ms that only a configured smoke_url needs

    pages = [page for page in manifest.pages if page.path in changed] or list(manifest.pages)
    with httpx.Client(headers={"Accept-Encoding": "identity"}, timeout=_TIMEOUT) as client:
        tried = (_fetched(client, base_url, manifest, page) for page in pages[:_PAGES_FETCHED])
        return [why for why in tried if why]


def _fetched(client: httpx.Client, base_url: str, manifest: Manifest, page: PageEntry) -> str:
    why = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE * attempt)
        why = _fetch(client, base_url.rstrip("/") + page.route, manifest, page)
        if not why:
            break
    return why


def _fetch(client: httpx.Client, url: str, manifest: Manifest, page: PageEntry) -> str:
    import httpx

    try:
        answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{url}: {type(error).__name__} {error}"
    stated = answer.headers.get(BUILD_HEADER, manifest.build_hash)
    if answer.status_code != httpx.codes.OK:
        return f"{url}: answered {answer.status_code}"
    if hashlib.sha256(answer.content).hexdigest() != manifest.files[page.path]:
        return f"{url}: its bytes are not those of the release"
    return "" if stated == manifest.build_hash else f"{url}: {BUILD_HEADER} is {stated}"
