"""Spares as an operator meets them: a worker has them ready, a command makes none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest

from robbieblocks.release import Place
from robbieblocks.release.verify import files_in
from robbieblocks.settings import Settings
from tests.building import Builder
from tests.workers import NODES, Worker, edit, fill, shown, until, working

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
Db = psycopg.Connection


@pytest.fixture
def site(make_settings: Callable[..., Settings], database: str, toolchain: object) -> Settings:
    """An installation over the small site of tests/workers.py."""
    assert toolchain
    with psycopg.connect(database) as connection:
        fill(connection)
    return make_settings(database)


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """The editor's connection."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def is_live(site: Settings, version: int) -> bool:
    return shown(site.site_root, NODE, "play") == version


def folders(place: Place) -> set[int]:
    """The folders of releases and spares, by inode: names change."""
    return {entry.inode() for entry in os.scandir(place.releases)}


def is_ready(place: Place) -> bool:
    """Whether the spare that comes first is what is live."""
    spare = min(place.releases.glob(".spare*"), default=None)
    known = files_in(spare) if spare else None
    return known is not None and known.build_hash == place.current.readlink().name


def test_edits_to_a_worker_go_out_in_folders_that_were_ready(site: Settings, db: Db) -> None:
    """Once it has begun none is made; and what is next is brought up to what is live."""
    place = Place.of(site.site_root, NODE, "play")
    with working(worker := Worker(site, NODE)):
        worker.ready()
        until(lambda: len(folders(place)) == 7, "five releases and two spares")
        ready = folders(place)
        for version in range(1, 9):
            edit(db, "play", version)
            until(partial(is_live, site, version), "the edit")
            assert place.current.resolve().stat().st_ino in ready
        until(partial(is_ready, place), "the next spare")
    assert folders(place) == ready


def test_a_command_makes_no_spare(builder: Builder) -> None:
    """It would end before it has any use for one."""
    assert builder.settings.database_url
    with psycopg.connect(builder.settings.database_url) as connection:
        fill(connection)
    builder.build()
    builder.workshop.close()
    assert (builder.settings.site_root / NODE / "play" / "releases").is_dir()
    assert not list(builder.settings.site_root.rglob(".spare*"))
