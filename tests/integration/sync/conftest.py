"""Clusters that all tests here share: three for what databases do, and three for programs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests import sync_sites
from tests.clusters import Cluster
from tests.integration.sync import sites
from tests.integration.sync.sites import Fleet, Way
from tests.sync_sites import Clusters

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Cluster]]:
    """A server of 15 and two of 18."""
    folder = tmp_path_factory.mktemp("sync")
    with sites.servers(folder, (15, 18, 18)) as made:
        yield made


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Three of 18, each with a database of the small site, which `synced` copies."""
    with sync_sites.started(tmp_path_factory.mktemp("clusters")) as made:
        yield made


@pytest.fixture(scope="module")
def ways() -> tuple[Way, Way]:
    """How changes come down to the first node, which most tests edit on, and to the other one."""
    return sites.WAYS[0]


@pytest.fixture(scope="module")
def shared_fleet(servers: list[Cluster], ways: tuple[Way, Way]) -> Iterator[Fleet]:
    """A master and two nodes that the tests of a module share, with other rows each."""
    with sites.fleet(servers, next(_numbers), ways=ways) as made:
        yield made


@pytest.fixture
def fleet(shared_fleet: Fleet) -> Fleet:
    """A master and two nodes in which nothing waits, and no conflict is kept."""
    shared_fleet.settle()
    shared_fleet.master.run("DELETE FROM sync_conflicts")
    for node in shared_fleet.nodes:
        node.run("DELETE FROM sync_conflicts")
    return shared_fleet
