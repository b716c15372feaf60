"""A node's previewed releases, in memory, with the development client in each page."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.model import SHARED_APP, Manifest, sha256
from robbieblocks.pipeline import PreviewedRun
from robbieblocks.serve import Release

PREFIX: Final = "/_rb-dev/"
CLIENT: Final = "main.js"
# A tab may still load what an earlier version of its page names.
_GENERATIONS: Final = 100


def with_client(html: bytes, client: str = CLIENT) -> bytes:
    """A page that loads a script of the development client, and says which version of it this is.

    The page's own policy allows scripts of its own site.
    """
    script = f'<script type="module" src="{PREFIX}{client}" data-rb-dev="{sha256(html)}"></script>'
    if client == CLIENT:
        # No module: it hears what fails before any module runs.
        script = f'<script src="{PREFIX}hearing.js"></script>{script}'
    head, end, body = html.partition(b"</head>")
    return b"".join((head, script.encode(), end, body))


@dataclass(slots=True)
class _App:
    """One app: its manifest and its files by path, pages as they are served.

    `warnings` are what composing the pages warned of, by key: a page that stays is not composed.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    warnings: Mapping[str, tuple[Problem, ...]]


@dataclass(slots=True)
class NodeSite:
    """What one node shows. Written by the builder's thread, read by the server's."""

    node: str
    client: str = CLIENT
    _apps: dict[str, _App] = field(default_factory=dict[str, _App])
    _assets: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _earlier: deque[Mapping[str, bytes]] = field(
        default_factory=lambda: deque[Mapping[str, bytes]](maxlen=_GENERATIONS)
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """The manifest of each app."""
        with self._lock:
            return {name: app.manifest for name, app in self._apps.items()}

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What composing the pages that are shown warned of."""
        with self._lock:
            found = [each for app in self._apps.values() for each in app.warnings.values()]
        return tuple(problem for problems in found for problem in problems)

    @property
    def version(self) -> str:
        """A hash of all that is shown; empty where nothing is."""
        hashes = [f"{name} {each.build_hash}" for name, each in sorted(self.manifests.items())]
        return sha256("\n".join(hashes)) if hashes else ""

    def update(self, runs: Iterable[PreviewedRun]) -> None:
        """Show what the runs of this node made; an app that has no run is gone."""
        with self._lock:
            apps: dict[str, _App] = {}
            assets = dict(self._assets)
            for run in runs:
                name, composed = run.target.app, run.composed
                known = self._apps.get(name)
                if composed is None:
                    apps |= {name: known} if known else {}
                    continue
                files = {
                    path: with_client(body, self.client) if path.endswith(".html") else body
                    for path, body in composed.contents.items()
                }
                kept: Mapping[str, bytes] = known.files if known else {}
                warnings = {**(known.warnings if known else {}), **composed.warnings}
                apps[name] = _App(
                    composed.manifest,
                    {
                        path: files[path] if path in files else kept[path]
                        for path in composed.manifest.files
                    },
                    {key: warnings.get(key, ()) for key in composed.manifest.by_key},
                )
                assets |= {asset.name: asset.content for asset in composed.assets.values()}
            needed = {name for app in apps.values() for name in app.manifest.assets}
            dropped = {name: body for name, body in assets.items() if name not in needed}
            if dropped:
                self._earlier.append(dropped)
            self._assets = {name: body for name, body in assets.items() if name in needed}
            self._apps = apps

    def read(self) -> Iterator[Release]:
        """Each app's release; the shared app last, so that an app's own page wins."""
        with self._lock:
            apps = sorted(self._apps.items(), key=lambda item: (item[0] == SHARED_APP, item[0]))
        for _, app in apps:
            yield Release.of(app.manifest, app.files.__getitem__, edition="-dev")

    def asset(self, name: str) -> bytes:
        """An asset of what is shown, or was lately. Raises FileNotFoundError."""
        with self._lock:
            for assets in (self._assets, *reversed(self._earlier)):
                if name in assets:
                    return assets[name]
        raise FileNotFoundError(name)
