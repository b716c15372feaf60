"""The seeded site, built and served once by the commands that `make demo` runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Installation, released

ROUTES = {
    "vengeance-local": ("/play/", "/play/blackjack", "/code/", "/about"),
    "aurora-town-local": ("/work/", "/work/dashboard", "/code/", "/about"),
    "collaboration-local": (
        *("/play/", "/play/blackjack", "/work/", "/work/dashboard", "/code/", "/about"),
    ),
    "fluenti-local": ("/work/", "/work/dashboard", "/code/", "/about"),
}


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What `make demo` leaves: a report of the build, and each node's address."""

    installation: Installation
    report: Mapping[str, Any]
    addresses: Mapping[str, str]
    served: tuple[str, ...]

    def url(self, node: str, route: str) -> str:
        """The address of a page."""
        return self.addresses[node] + route

    def files(self, pattern: str) -> list[Path]:
        """Live files of all nodes."""
        lives = self.installation.site.glob("*/*/current")
        return [path for live in lives for path in live.resolve().rglob(pattern)]


@pytest.fixture(scope="session")
def demo(toolchain: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """An empty folder, one build without options, one server on free ports; both by command."""
    assert toolchain
    home = tmp_path_factory.mktemp("demo") / "home"
    installation = Installation(home=home)
    built = installation.run("build", "--format", "json")
    assert built.code == 0, built.err
    report = json.loads(built.out)
    with installation.running("serve", "--port", "0") as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().rstrip() for _ in report["runs"]]
        addresses = {
            node: url.split("/", 3)[0] + "//" + url.split("/", 3)[2]
            for node, url in (line.split() for line in lines)
        }
        yield Demo(
            installation=installation, report=report, addresses=addresses, served=tuple(lines)
        )
    assert server.returncode == 0
    released(home)
    shutil.rmtree(home.parent)


@pytest.fixture(scope="session")
def site(demo: Demo) -> Mapping[str, str]:
    """The address of each node of the seeded site."""
    return demo.addresses
