"""Spares as an operator meets them: a worker has them ready, a command makes none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest

from robbieblocks.release import Place
from robbieblocks.settings import Settings
from tests.building import Builder
from tests.workers import NODES, Worker, edit, fill, shown, until, working

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
Db = psycopg.Connection[Any]


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


def test_an_edit_to_a_worker_goes_out_in_its_spare(site: Settings, db: Db) -> None:
    """The folder that was ready is what visitors see next, and then there is another."""
    place = Place.of(site.site_root, NODE, "play")
    with working(worker := Worker(site, NODE)):
        worker.ready()
        for version in range(1, 9):
            until(place.spare.exists, "a spare")
            own = place.spare.stat().st_ino
            edit(db, "play", version)
            until(partial(is_live, site, version), "the edit")
            assert place.current.resolve().stat().st_ino == own
        until(place.spare.exists, "a spare")
    releases = {entry.name for entry in place.releases.iterdir()}
    assert len(releases) == 6, "five releases and a spare"


def test_a_command_makes_no_spare(builder: Builder) -> None:
    """It would end before it has any use for one."""
    assert builder.settings.database_url
    with psycopg.connect(builder.settings.database_url) as connection:
        fill(connection)
    builder.build()
    builder.workshop.close()
    assert (builder.settings.site_root / NODE / "play" / "releases").is_dir()
    assert not list(builder.settings.site_root.rglob(".spare"))
