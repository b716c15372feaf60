"""A browsable copy of what a dry run made: one folder a node, for any static web server."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import ASSET_PREFIX
from robbieblocks.pipeline.publishing.composing import ComposedRun
from robbieblocks.pipeline.site import Site
from robbieblocks.release import read_asset, read_live

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def write_copy(out: Path, composed: ComposedRun, site: Site) -> None:
    """Write a run's pages and assets under `<out>/<node>/`; the apps of a node share the folder.

    Files that are as they are live come from the live release. Nothing is written through a
    symlink under `out`. Raises SiteUnavailable.
    """
    manifest = composed.manifest
    node, app = manifest.node, manifest.app
    for path in manifest.files:
        body = composed.contents.get(path)
        _write(
            out, f"{node}/{path}", read_live(site.root, node, app, path) if body is None else body
        )
    for name in manifest.assets:
        asset = composed.assets.get(name)
        body = asset.content if asset else read_asset(site.root, node, app, name)
        _write(out, f"{node}{ASSET_PREFIX}{name}", body)


def _write(out: Path, path: str, body: bytes) -> None:
    *parents, name = path.split("/")
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = os.open(out, _FOLDER)
        try:
            for parent in parents:
                with suppress(FileExistsError):
                    os.mkdir(parent, dir_fd=folder)
                inner = os.open(parent, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            # A file that is there may be a link to one that is live: it is never written over.
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            with os.fdopen(os.open(name, _NEW_FILE, 0o666, dir_fd=folder), "wb") as file:
                file.write(body)
        finally:
            os.close(folder)
    except OSError as error:
        raise SiteUnavailable(
            f"can't write the preview {out / path}: {error.strerror}: name another folder with "
            "--out (nothing is written through symlinks), or make room"
        ) from error
