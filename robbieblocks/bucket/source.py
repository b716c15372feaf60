"""What is live under the site root, as objects: each with its key, digest, headers and bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from urllib.parse import quote

from robbieblocks import release
from robbieblocks.bucket.redirect_lines import page_that_leads
from robbieblocks.model import (
    ASSET_PREFIX,
    GONE,
    HEADERS_FILE,
    REDIRECTS_FILE,
    SHARED_APP,
    WILDCARD,
    Manifest,
    Redirect,
    Redirects,
    is_sheet_file,
    read_headers_text,
    read_redirects_text,
    sha256,
)
from robbieblocks.objectstore import Stored
from robbieblocks.release import SiteRoot
from robbieblocks.response_headers import ONE_YEAR, REVALIDATE, SHOWN_WHILE_ASKED, type_of

_TABLE_FORMAT: Final = 1
_FOR_EVER: Final = ONE_YEAR["Cache-Control"]
_ASKED_EACH_TIME: Final = REVALIDATE["Cache-Control"]
_SHOWN_WHILE_ASKED: Final = SHOWN_WHILE_ASKED["Cache-Control"]


class SourceChanged(Exception):
    """A file is not what its manifest says any more: another release is live by now, or damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An object that has to be in the bucket. `digest` is of its bytes; of an asset, its name.

    Those that pages refer to go first. `read` gives the bytes. Raises SourceChanged and
    SiteUnavailable.
    """

    key: str
    digest: str
    cache_control: str
    read: Callable[[], bytes]
    goes_first: bool = False

    def stored(self) -> Stored:
        """The object with its bytes."""
        return Stored(
            key=self.key,
            data=self.read(),
            content_type=type_of(self.key),
            cache_control=self.cache_control,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """The live releases of a node, in the order in which they are asked for a page."""

    site_root: SiteRoot
    node: str
    manifests: Sequence[Manifest]

    @classmethod
    def of(cls, site_root: SiteRoot, node: str) -> Source:
        """What is live now. Raises SiteUnavailable, and SourceChanged for a damaged manifest."""
        apps = sorted(release.apps(site_root, node), key=lambda app: (app == SHARED_APP, app))
        manifests: list[Manifest] = []
        for app in apps:
            manifest = release.live(site_root, node, app)
            if manifest is None:
                # It is live all the same: left out, its pages would go from the bucket.
                raise SourceChanged(f"the manifest of {app}")
            manifests.append(manifest)
        return cls(site_root, node, manifests)

    @property
    def builds(self) -> dict[str, str]:
        """The build hash of each app."""
        return {manifest.app: manifest.build_hash for manifest in self.manifests}

    def assets(self, folder: str) -> list[Wanted]:
        """The assets of all apps, below a folder of the bucket."""
        app_of = {name: found.app for found in self.manifests for name in found.assets}
        app_of |= {
            name: found.app
            for found in self.manifests
            for page in found.pages
            for name in page.assets
        }
        return [
            Wanted(
                key=folder + name,
                digest=name,
                cache_control=_FOR_EVER,
                read=partial(self._asset, app, name),
                goes_first=True,
            )
            for name, app in sorted(app_of.items())
        ]

    def by_content(self, folder: str, assets: str) -> tuple[list[Wanted], Wanted]:
        """Every file by its digest, and the table that says which of them answers which path."""
        files: dict[str, list[str]] = {}
        redirects: dict[str, str] = {}
        wanted: dict[str, Wanted] = {}
        not_found: dict[str, list[str]] = {}
        for found in self.manifests:
            routes, others = release.routes_of(found)
            keys = {path: _content_key(folder, path, found.files[path]) for path in found.files}
            for path, key in keys.items():
                wanted.setdefault(key, self._file(found, path, key, _FOR_EVER))
            for route, path in routes.items():
                files.setdefault(route, [keys[path], found.app])
            for route, target in others.items():
                redirects.setdefault(route, quote(target))
            for below, path in release.not_found_files(found).items():
                not_found.setdefault(below, [keys[path], found.app])
        table = {
            "format": _TABLE_FORMAT,
            "builds": self.builds,
            "files": files,
            "redirects": {path: to for path, to in redirects.items() if path not in files},
            "notFound": not_found.pop("", None),
            **({"notFoundBelow": not_found} if not_found else {}),
            **self._moved(),
            **({"headers": headers} if (headers := self.headers()) else {}),
            "assets": [wanted.key for wanted in self.assets(assets)],
        }
        text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        digest = sha256(text)
        return list(wanted.values()), Wanted(
            key=f"releases/{digest}.json",
            digest=digest,
            cache_control=_FOR_EVER,
            read=lambda: text,
        )

    def _moved(self) -> dict[str, Mapping[str, tuple[int, str, bool]]]:
        """What rows redirect, for routers: by bare path, and by the folder of a wildcard.

        Each has its status, its location, and whether the rest of the path is put behind that.
        Raises SourceChanged and SiteUnavailable.
        """
        table = self.redirects()
        parts = {"moved": table.exact, "movedBelow": table.below}
        return {
            name: {path: _moved_to(each) for path, each in part.items()}
            for name, part in parts.items()
            if part
        }

    def headers(self) -> dict[str, dict[str, str]]:
        """What settings ask for, by app, where they do. Raises as `redirects`."""
        return {
            found.app: read_headers_text(
                self._page(found.app, HEADERS_FILE, found.files[HEADERS_FILE])
            )
            for found in self.manifests
            if HEADERS_FILE in found.files
        }

    def redirects(self) -> Redirects:
        """What rows redirect. Raises SourceChanged and SiteUnavailable."""
        return Redirects.of(
            each
            for found in self.manifests
            if REDIRECTS_FILE in found.files
            for each in read_redirects_text(
                self._page(found.app, REDIRECTS_FILE, found.files[REDIRECTS_FILE])
            )
        )

    def paths(self) -> tuple[set[str], dict[str, str]]:
        """The paths that a file answers, and other forms of them with where each leads."""
        answered: set[str] = set()
        leading: dict[str, str] = {}
        for found in self.manifests:
            routes, others = release.routes_of(found)
            answered.update(routes)
            leading.update(others)
        return answered, {path: to for path, to in leading.items() if path not in answered}

    def leading_pages(self) -> list[Wanted]:
        """A page for each path that rows redirect, which leads on by itself.

        None is there for a wildcard and for what is gone. Raises SourceChanged and SiteUnavailable.
        """
        taken = {path.casefold() for found in self.manifests for path in found.files}
        made: list[Wanted] = []
        for path, each in self.redirects().exact.items():
            key = path.removeprefix("/")
            key = key if key.endswith(".html") else f"{key}/index.html"
            if each.status == GONE or key.casefold() in taken:
                continue
            content = page_that_leads(each)
            made.append(
                Wanted(
                    key=key,
                    digest=sha256(content),
                    cache_control=_ASKED_EACH_TIME,
                    read=partial(bytes, content),
                )
            )
        return made

    def by_path(self) -> list[Wanted]:
        """Every file at its path; of two apps that have the same, the first one's."""
        wanted: dict[str, Wanted] = {}
        for found in self.manifests:
            for path in found.files:
                if path not in wanted:
                    is_sheet = is_sheet_file(path)
                    caching = _SHOWN_WHILE_ASKED if is_sheet else _ASKED_EACH_TIME
                    one = self._file(found, path, path, caching)
                    wanted[path] = replace(one, goes_first=is_sheet)
        return list(wanted.values())

    def _file(self, manifest: Manifest, path: str, key: str, cache_control: str) -> Wanted:
        digest = manifest.files[path]
        return Wanted(
            key=key,
            digest=digest,
            cache_control=cache_control,
            read=partial(self._page, manifest.app, path, digest),
        )

    def _page(self, app: str, path: str, digest: str) -> bytes:
        data = release.read_live(self.site_root, self.node, app, path)
        if sha256(data) != digest:
            raise SourceChanged(path)
        return data

    def _asset(self, app: str, name: str) -> bytes:
        data = release.read_asset(self.site_root, self.node, app, name)
        stated = release.hash_in_name(name)
        if stated is not None and not sha256(data).startswith(stated):
            raise SourceChanged(name)
        return data


def live_builds(site_root: SiteRoot, node: str) -> Mapping[str, str]:
    """The build hash of each app that is live on a node; empty where its manifest is damaged.

    Raises SiteUnavailable.
    """
    found = {app: release.live(site_root, node, app) for app in release.apps(site_root, node)}
    return {app: manifest.build_hash if manifest else "" for app, manifest in found.items()}


def _moved_to(redirect: Redirect) -> tuple[int, str, bool]:
    with_rest = redirect.target.endswith(WILDCARD)
    target = redirect.target.removesuffix("*") if with_rest else redirect.target
    is_url = target.startswith("https:")
    return redirect.status, target if is_url else quote(target), with_rest


def asset_folder() -> str:
    """Where assets are in the flat layout, as their address has it."""
    return ASSET_PREFIX.removeprefix("/")


def _content_key(folder: str, path: str, digest: str) -> str:
    ending = path.rpartition("/")[2].rpartition(".")[2]
    return (
        f"{folder}{digest}.{ending}" if ending.isalnum() and ending.isascii() else folder + digest
    )
