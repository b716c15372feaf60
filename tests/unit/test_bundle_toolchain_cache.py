"""The cache beside the toolchain: whatever is wrong with it, entries can be had."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from robbieblocks.bundle import entries as module
from robbieblocks.bundle.entries import ToolchainCache
from robbieblocks.cache import Cache
from robbieblocks.toolchain import Toolchain

FILE = "cache-2.sqlite3"
# Opens the cache as a site's process does, gets an entry, and says whether it had to be made.
Ask = Callable[[str], bool]


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    return tmp_path / "toolchain.compiled"


@pytest.fixture
def ask(tmp_path: Path, beside: Path) -> Ask:
    toolchain = cast("Toolchain", SimpleNamespace(compiled=beside))

    def asked(site: str) -> bool:
        made: list[bytes] = []

        def make() -> bytes:
            made.append(b"x" * 1000)
            return made[0]

        with Cache(tmp_path / site) as cache, closing(ToolchainCache(toolchain, cache)) as shared:
            assert shared.get_or_make("thing", "key", make) == b"x" * 1000
        return bool(made)

    return asked


def test_sites_share_it(ask: Ask) -> None:
    """What one site made, another finds."""
    assert [ask("one"), ask("two"), ask("one")] == [True, False, False]


def test_a_place_that_is_taken(ask: Ask, beside: Path) -> None:
    """Where nothing can be written there, each site keeps its own."""
    beside.write_text("in the way")
    assert [ask("one"), ask("one"), ask("two"), ask("two")] == [True, False, True, False]


def test_a_file_that_can_only_be_read(
    ask: Ask, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of another user's is no error: who may not write it keeps their own."""
    ask("one")
    real: Callable[..., sqlite3.Connection] = sqlite3.connect

    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        if path == beside / FILE:
            return real(f"file:{path}?mode=ro", uri=True, **options)
        return real(path, **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    assert [ask("two"), ask("two"), ask("three")] == [True, False, True]


@pytest.mark.parametrize("content", [b"", b"no database, but longer than a header" * 99])
def test_a_corrupt_file_is_replaced(ask: Ask, beside: Path, content: bytes) -> None:
    """A file that is no store any more is a miss, and whole again for the next site."""
    ask("one")
    (beside / FILE).write_bytes(content)
    assert [ask("two"), ask("three")] == [True, False]


def test_versions_do_not_meet(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version's code makes its own: it may give other bytes."""
    ask("one")
    monkeypatch.setattr(module, "versioned", "{} newer".format)
    assert ask("two")


def test_it_does_not_grow_without_end(
    ask: Ask, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What earlier versions left goes when there is too much of it."""
    monkeypatch.setattr(module, "_MAX_BYTES", 2500)
    for version in ("one", "two", "three"):
        monkeypatch.setattr(module, "versioned", f"{{}} {version}".format)
        ask("site")
    with closing(sqlite3.connect(beside / FILE)) as file:
        assert file.execute("SELECT count(*) FROM entries").fetchone() == (2,)
    made = {}
    for version in ("three", "two", "one"):
        monkeypatch.setattr(module, "versioned", f"{{}} {version}".format)
        made[version] = ask("another site")
    assert made == {"three": False, "two": False, "one": True}
