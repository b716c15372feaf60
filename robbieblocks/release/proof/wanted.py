"""What is asked for: a page or an asset, and what makes an answer the right one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from robbieblocks.model import ASSET_PREFIX, Manifest, PageEntry, sheet_file
from robbieblocks.release.files import disk
from robbieblocks.release.names import BUILD_HEADER, hash_in_name
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.proof import likeness
from robbieblocks.release.proof.answers import Answer
from robbieblocks.release.proof.known import KnownRelease
from robbieblocks.settings import Address

# What browsers insist on where a server forbids them to guess (nosniff).
_TYPES: Final = {
    "js": ("text/javascript", "application/javascript", "application/x-javascript"),
    "mjs": ("text/javascript", "application/javascript", "application/x-javascript"),
    "css": ("text/css",),
    "html": ("text/html",),
    "svg": ("image/svg+xml",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page, or its styles, or an asset of a release. `digest` is its SHA-256, or how that begins.

    `file` is where a web server reads it; `name` is its path in the release, or the asset's name.
    With `by_build` a page may be altered on its way. One that `is_gone` was removed: its digest is
    that of before, and nobody may get it any more.
    """

    node: str
    app: str
    path: str
    name: str
    file: Path
    digest: str
    build_hash: str
    is_page: bool
    by_build: bool = False
    is_gone: bool = False

    def problem(self, answer: Answer) -> str:
        """What is wrong with an answer; empty where it is right."""
        if answer.failure:
            return "no answer"
        if self.is_gone:
            # Who leads on gives no page: it may be the other form of a route, or a new place.
            is_right = answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE) or (
                300 <= answer.status < 400 and answer.status != HTTPStatus.NOT_MODIFIED
            )
            return "" if is_right else f"it was removed, and the answer is {answer.status}"
        if answer.status != HTTPStatus.OK:
            return f"answered {answer.status}"
        types = _TYPES.get(self.name.rpartition(".")[2])
        if types and answer.media_type and answer.media_type not in types:
            return f"its type is {answer.media_type}, not {types[0]}"
        is_exact = self.has_right_bytes(answer)
        if not self.is_page:
            return "" if is_exact else "its bytes are not those of its name"
        if self.by_build and not is_exact:
            return self._altered_problem(answer)
        if not is_exact:
            return "its bytes are not those of the release"
        # A cache that asked again may keep the header of the first time with the right page.
        if answer.build in ("", self.build_hash) or answer.is_through_cache:
            return ""
        return f"{BUILD_HEADER} is {answer.build}"

    def has_right_bytes(self, answer: Answer) -> bool:
        """Whether an answer's bytes are those that were published."""
        return hashlib.sha256(answer.body).hexdigest().startswith(self.digest)

    def _altered_problem(self, answer: Answer) -> str:
        if answer.build:
            is_right = answer.build == self.build_hash
            return "" if is_right else f"{BUILD_HEADER} is {answer.build}"
        page = self.on_disk()
        if page is not None and likeness.is_same_to_readers(page, answer.body):
            return ""
        return "it says something else than the release's page"

    def on_disk(self) -> bytes | None:
        """The bytes that a web server reads, where they are those that were published.

        Of a page that was removed there are none.
        """
        if self.is_gone:
            return None if self.file.exists() else b""
        try:
            content = disk.read_file(self.file)
        except OSError:
            return None
        is_right = hashlib.sha256(content).hexdigest().startswith(self.digest)
        return content if is_right else None

    def is_of(self, found: KnownRelease) -> bool:
        """Whether a release is one of this app."""
        return (found.node, found.app) == (self.node, self.app)


def wanted_page(
    app_folder: AppFolder, manifest: Manifest, page: PageEntry, address: Address
) -> Wanted:
    """A page of the live release."""
    return _wanted_file(app_folder, manifest, page.path, page.route, address)


def wanted_sheet(app_folder: AppFolder, manifest: Manifest, address: Address) -> list[Wanted]:
    """The stylesheet at a fixed address, where the live release has one.

    As of a page, it can be told of which release it is.
    """
    path = sheet_file(manifest.app)
    there = path in manifest.files
    return [_wanted_file(app_folder, manifest, path, f"/{path}", address)] if there else []


def _wanted_file(
    app_folder: AppFolder, manifest: Manifest, path: str, route: str, address: Address
) -> Wanted:
    return Wanted(
        node=manifest.node,
        app=manifest.app,
        path=route,
        name=path,
        file=app_folder.current / path,
        digest=manifest.files[path],
        build_hash=manifest.build_hash,
        is_page=True,
        by_build=address.compare == "build",
    )


def gone_page(app_folder: AppFolder, before: Manifest, page: PageEntry, build_hash: str) -> Wanted:
    """A page that the release of that build hash has no more, as the one before had it."""
    return Wanted(
        node=before.node,
        app=before.app,
        path=page.route,
        name=page.path,
        file=app_folder.current / page.path,
        digest=before.files[page.path],
        build_hash=build_hash,
        is_page=True,
        is_gone=True,
    )


def wanted_asset(app_folder: AppFolder, manifest: Manifest, name: str) -> Wanted:
    """An asset of the live release; one without a hash in its name may have any bytes."""
    return Wanted(
        node=manifest.node,
        app=manifest.app,
        path=ASSET_PREFIX + name,
        name=name,
        file=app_folder.assets / name,
        digest=hash_in_name(name) or "",
        build_hash=manifest.build_hash,
        is_page=False,
    )
