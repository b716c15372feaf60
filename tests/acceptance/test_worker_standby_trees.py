"""Spares as an operator meets them: a worker has them ready, a command makes none."""

from __future__ import annotations

import os
from functools import partial

import psycopg
import pytest

from robbieblocks.release import AppFolder, SiteRoot
from robbieblocks.release.recycle import manifest_in
from robbieblocks.settings import Settings
from tests.building import Builder
from tests.workers import NODES, Worker, edit, fill, running, until, until_shown

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
Db = psycopg.Connection


def folders(app_folder: AppFolder) -> set[int]:
    """The folders of releases and standby trees, by inode: names change."""
    return {entry.inode() for entry in os.scandir(app_folder.releases)}


def is_ready(app_folder: AppFolder) -> bool:
    """Whether the first standby tree is what is live."""
    first = min(app_folder.releases.glob(".spare*"), default=None)
    manifest = manifest_in(app_folder, first.name) if first else None
    return manifest is not None and manifest.build_hash == app_folder.live_name


def test_edits_to_a_worker_go_out_in_folders_that_were_ready(
    small_site: Settings, editor: Db
) -> None:
    """Once it has begun none is made; and the next one is refreshed."""
    app_folder = AppFolder.of(SiteRoot(small_site.site_root), NODE, "play")
    # Its script is an asset that is large enough to be compressed.
    editor.execute(
        "UPDATE robbieblocks_components SET react_code = "
        "'<p data-version={props.version} onClick={() => {}}>{props.version}</p>'"
    )
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        until(lambda: len(folders(app_folder)) == 7, "five releases and two standby trees")
        ready = folders(app_folder)
        for version in range(1, 9):
            edit(editor, "play", version)
            until_shown(small_site.site_root, NODE, version)
            assert app_folder.current.resolve().stat().st_ino in ready
        until(partial(is_ready, app_folder), "the next standby tree")
        # The last thing that is done between builds, by a process of its own.
        until(lambda: list(app_folder.assets.glob("*.br")), "a compressed asset")
    assert folders(app_folder) == ready


def test_a_command_makes_no_standby_tree(builder: Builder) -> None:
    """It would end before it has any use for one."""
    assert builder.settings.database_url
    with psycopg.connect(builder.settings.database_url) as connection:
        fill(connection)
    builder.build()
    builder.context.close()
    assert (builder.settings.site_root / NODE / "play" / "releases").is_dir()
    assert not list(builder.settings.site_root.rglob(".spare*"))
    assert not list(builder.settings.site_root.rglob("*.br"))
