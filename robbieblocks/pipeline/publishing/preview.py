"""A browsable copy of what a dry run made: one folder a node, for any static web server."""

from __future__ import annotations

from pathlib import Path

from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import ASSET_PREFIX
from robbieblocks.pipeline.publishing.composing import ComposedRun
from robbieblocks.pipeline.site import Site
from robbieblocks.release import read_asset, read_live


def write_copy(out: Path, composed: ComposedRun, site: Site) -> None:
    """Write a run's pages and assets under `<out>/<node>/`; the apps of a node share the folder.

    Files that are as they are live come from the live release. Raises SiteUnavailable.
    """
    manifest = composed.manifest
    node, app = manifest.node, manifest.app
    folder = out / node
    try:
        for path in manifest.files:
            body = composed.contents.get(path)
            if body is None:
                body = read_live(site.root, node, app, path)
            _write(folder / path, body)
        for name in manifest.assets:
            asset = composed.assets.get(name)
            body = asset.content if asset else read_asset(site.root, node, app, name)
            _write(folder / ASSET_PREFIX.strip("/") / name, body)
    except OSError as error:
        raise SiteUnavailable(
            f"can't write the preview {error.filename or folder}: {error.strerror}: "
            "name another folder with --out, or make room"
        ) from error


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
