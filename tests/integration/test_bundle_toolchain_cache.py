"""What is compiled from the toolchain alone is compiled once for all sites of a user."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from robbieblocks.bundle import Bundler
from robbieblocks.bundle.compile.service import Answer, EsbuildService, Request
from robbieblocks.cache import Cache
from robbieblocks.model import Bundle, ComponentRow
from robbieblocks.toolchain import Toolchain

CODE = """import { create } from 'zustand';
import { addDays } from 'date-fns';
export default () => <b className="p-4">{typeof create}{addDays(0, 1).getTime()}</b>"""
SITE = {"card": ComponentRow(id=UUID(int=0), key="card", name="card", type="x", code=CODE)}
Build = Callable[[str], Bundle]


@pytest.fixture
def toolchain(toolchain: Toolchain, tmp_path: Path) -> Toolchain:
    """The same packages in a place of the test's own, beside which nothing is compiled yet."""
    root = tmp_path / "toolchain"
    root.mkdir()
    (root / "node_modules").symlink_to(toolchain.modules)
    return replace(toolchain, root=root)


def _entries(request: Request) -> list[list[str]]:
    return cast("list[list[str]]", request["entries"])


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What esbuild was given so far: the names of entries."""
    entries: list[str] = []
    real = EsbuildService.ask

    def ask(self: EsbuildService, requests: list[Request], timeout_s: float) -> list[Answer]:
        entries.extend(name for request in requests for _, name in _entries(request))
        return real(self, requests, timeout_s)

    monkeypatch.setattr(EsbuildService, "ask", ask)
    return entries


@pytest.fixture
def build(toolchain: Toolchain, tmp_path: Path) -> Build:
    """Builds a site of that name as a new process would, with the site's own cache."""

    def built(site: str) -> Bundle:
        with Cache(tmp_path / site) as cache, closing(Bundler(cache)) as bundler:
            return bundler.bundle(SITE, SITE, toolchain=toolchain, tokens=[], base_css="")

    return built


def test_a_second_site_compiles_its_own_alone(build: Build, compiled: list[str]) -> None:
    """A site with a new cache compiles its components, its parts of packages and its base styles;
    React, whole packages, the page's script and Tailwind are there, with the same bytes."""
    first = build("one")
    assert compiled.count("vendor.js") > 4
    assert {"islands.js", "tailwind.js", "script.js"} <= set(compiled)
    compiled.clear()
    second = build("two")
    own = [name for name in compiled if not name.startswith("c/")]
    assert own == ["vendor.js", "vendor.js", "base.css"]
    assert second.modules == first.modules
    assert second.runtime == first.runtime
    assert second.isolate == first.isolate


def test_the_same_site_compiles_nothing(build: Build, compiled: list[str]) -> None:
    """A site that was built compiles nothing again, its parts of packages included."""
    build("one")
    compiled.clear()
    build("one")
    assert compiled == []


def test_nothing_is_written_among_the_packages(build: Build, toolchain: Toolchain) -> None:
    """The folder that was fetched stays as it was; what is compiled stands beside it."""
    build("one")
    assert [path.name for path in toolchain.root.iterdir()] == ["node_modules"]
    assert list(toolchain.compiled.iterdir())


def test_a_place_that_takes_nothing(
    build: Build, toolchain: Toolchain, compiled: list[str]
) -> None:
    """Where nothing can be kept beside the toolchain, the site's own cache has it all."""
    toolchain.compiled.write_text("in the way")
    first = build("one")
    compiled.clear()
    assert build("one").modules == first.modules
    assert compiled == []
    build("two")
    assert "islands.js" in compiled
    assert toolchain.compiled.read_text() == "in the way"
