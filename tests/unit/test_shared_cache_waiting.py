"""Whom a node that shares a cache waits for: one that joined a moment ago, and one that claimed."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from robbieblocks.shared_cache import SharedCache, claimants, claims, newcomers
from robbieblocks.shared_cache.claimants import Claimant
from robbieblocks.shared_cache.signing import believe, public_key
from tests.unit.test_shared_cache import LONG_MS, Clock, MemoryBucket, node, written

LONG_WORK_MS = 9_000.0


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Sleeps:
    """The time of a module, which passes by sleeping alone, and what happens meanwhile."""

    def __init__(self) -> None:
        self.slept_s = 0.0
        self.meanwhile: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.slept_s

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.meanwhile()


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    """How long keys were waited for."""
    made = Sleeps()
    monkeypatch.setattr(newcomers, "time", made)
    return made


def shares(bucket: MemoryBucket, folder: Path, clock: Clock, *entries: str) -> str:
    """A node that shares entries; the key with which it signs them."""
    key = public_key(folder)
    believe(folder, {"it": key})
    cache = node(bucket, folder, clock)
    cache.put_many("module", dict.fromkeys(entries, b"code"))
    written(cache)
    cache.close()
    return key


def test_a_node_that_has_just_joined_is_believed_once_its_key_comes(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, sleeps: Sleeps
) -> None:
    """What it wrote is not made again; of all its entries the key is waited for once."""
    key = shares(bucket, tmp_path / "new", clock, "a", "b", "c")
    believe(tmp_path, {"own": public_key(tmp_path)})
    sleeps.meanwhile = lambda: believe(tmp_path, {"own": public_key(tmp_path), "new": key})
    reader = node(bucket, tmp_path, clock)
    assert reader.get_many("module", ["a", "b", "c"], LONG_MS).keys() == {"a", "b", "c"}
    assert 0 < sleeps.slept_s < 0.1
    assert reader.counts.refused == 0


def test_a_key_that_never_comes_costs_a_second_once(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, sleeps: Sleeps
) -> None:
    """However many entries a stranger signed, and with however many keys: another one is waited for
    a minute later, none for longer than making takes here, none while the process stops."""
    keys = "abcdefgh"
    for name in keys:
        shares(bucket, tmp_path / name, clock, name, f"{name} too")
    believe(tmp_path, {"own": public_key(tmp_path)})
    entries = [entry for name in keys for entry in (name, f"{name} too")]
    reader = node(bucket, tmp_path, clock)
    for _ in range(3):
        assert reader.get_many("module", entries, 5_000.0) == {}
    assert 0.9 < sleeps.slept_s < 1.1
    clock.now = 61.0
    before = sleeps.slept_s
    assert reader.get_many("module", entries, LONG_MS) == {}
    assert 0.4 < sleeps.slept_s - before < 0.6
    clock.now, before = 122.0, sleeps.slept_s
    reader._stopped.set()
    assert reader.get_many("module", entries, LONG_MS) == {}
    assert sleeps.slept_s == before


def test_nobody_is_waited_for_who_signed_nothing_or_whom_no_master_could_name(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, sleeps: Sleeps
) -> None:
    """An entry without a signature, and a node without a master, cost no wait."""
    unsigned = node(bucket, tmp_path / "unsigned", clock)
    unsigned.put_many("module", {"u": b"code"})
    written(unsigned)
    shares(bucket, tmp_path / "other", clock, "a")
    believe(tmp_path, {"own": public_key(tmp_path)})
    assert node(bucket, tmp_path, clock).get_many("module", ["u"], LONG_MS) == {}
    alone = node(bucket, tmp_path / "alone", clock)
    assert alone.get_many("module", ["u", "a"], LONG_MS).keys() == {"u", "a"}
    assert sleeps.slept_s == 0


def test_a_claim_of_a_newcomer_counts_once_its_key_is_here(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, sleeps: Sleeps
) -> None:
    """Else both would make it."""
    key = public_key(tmp_path / "new")
    believe(tmp_path / "new", {"new": key})
    claimed = node(bucket, tmp_path / "new", clock)._claims
    assert claimed.is_another_s("00" * 32, 0.0) is False
    own = {"own": public_key(tmp_path)}
    believe(tmp_path, own)
    sleeps.meanwhile = lambda: believe(tmp_path, own | {"new": key})
    assert node(bucket, tmp_path, clock)._claims.is_another_s("00" * 32, 1.0) is True


def test_a_process_that_stops_waits_for_nobody(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes what another node claimed; by its own end, or by its worker's."""
    monkeypatch.setattr(claims, "_WAIT_MIN_S", 3_600.0)
    monkeypatch.setattr(claims, "WAIT_MAX_S", 3_600.0)
    other = node(bucket, tmp_path / "other", clock)
    assert other.get_many("picture", ["p"], LONG_WORK_MS) == {}
    for end in (SharedCache.close, SharedCache.hurry, lambda cache: cache._stopped.set()):
        waiting = node(bucket, tmp_path, clock)
        asked = threading.Event()
        monkeypatch.setattr(waiting, "_asked_again", partial(_asked, asked, waiting._asked_again))
        with ThreadPoolExecutor(1) as pool:
            got = pool.submit(waiting.get_many, "picture", ["p"], LONG_WORK_MS)
            assert asked.wait(60)
            end(waiting)
            assert got.result(60) == {}


def _asked(
    asked: threading.Event, ask: Callable[[Collection[str]], object], names: Collection[str]
) -> object:
    asked.set()
    return ask(names)


def test_a_claim_of_a_process_that_ended_is_taken_over_at_once(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next one with its cache; others wait for it, as they can't know."""
    monkeypatch.setattr(claims, "WAIT_MAX_S", 0.05)
    first = node(bucket, tmp_path / "one", clock)
    assert first.get_many("picture", ["p"], LONG_WORK_MS) == {}
    beside = node(bucket, tmp_path / "one", clock)
    assert beside._claims.is_another_s(first._vault.name("picture", "p"), 0.0) is True
    first.close()
    elsewhere = node(bucket, tmp_path / "two", clock)
    assert elsewhere._claims.is_another_s(first._vault.name("picture", "p"), 0.0) is True
    assert beside.get_many("picture", ["p"], LONG_WORK_MS) == {}
    assert beside.counts.claimed == 1


def test_the_kernel_says_which_claimants_live(tmp_path: Path) -> None:
    """One that was killed is dead; one that runs is not, nor one of another cache, nor no name."""
    code = (
        "import sys, pathlib, robbieblocks.shared_cache.claimants as c\n"
        "it = c.Claimant(pathlib.Path(sys.argv[1]))\nprint(it.name(), flush=True)\ninput()"
    )
    given = [sys.executable, "-c", code, str(tmp_path)]
    here = Claimant(tmp_path)
    with subprocess.Popen(given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        name = it.stdout.readline().strip()
        alive = here.is_dead(name)
        it.kill()
    assert (alive, here.is_dead(name)) == (False, True)
    assert not Claimant(tmp_path / "elsewhere").is_dead(name)
    for false in ("", "../cache", "0" * 16, name.upper(), f"{name}\n", here.name()):
        assert not here.is_dead(false)
    here.close()
    (tmp_path / "file").write_text("")
    assert Claimant(tmp_path / "file").name() == "", "where the disk fails"


def test_files_of_claimants_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of processes that ended over an hour ago go; those that run stay."""
    lives, ended = Claimant(tmp_path), Claimant(tmp_path)
    stays = lives.name()
    assert ended.name() != stays
    ended.close()
    monkeypatch.setattr(claimants, "_KEPT_S", -60.0)
    newest = Claimant(tmp_path).name()
    assert {each.name for each in (tmp_path / "shared-claims").iterdir()} == {stays, newest}


def made_by(caches: Sequence[SharedCache], keys: Sequence[str]) -> list[list[str]]:
    """What each of these makes where all of them need the same at once, in turns."""
    taken = [cache.turns("picture", keys, LONG_WORK_MS) for cache in caches]
    made: list[list[str]] = [[] for _ in caches]
    got: list[dict[str, bytes]] = [{} for _ in caches]
    rounds = itertools.cycle(range(len(caches)))
    while any(len(each) < len(keys) for each in got):
        number = next(rounds)
        for key, content in itertools.islice(taken[number], 1):
            if content is None:
                made[number].append(key)
                content = key.encode()
                caches[number].put_many("picture", {key: content})
                written(caches[number])
            got[number][key] = content
    assert all(each == {key: key.encode() for key in keys} for each in got)
    return made


def test_nodes_share_out_what_takes_long(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many pictures that all need each is made once, and every node makes some of them; who
    comes later makes none."""
    # The order in which each takes them follows from its name.
    monkeypatch.setattr(Claimant, "name", lambda self: str(self._folder.parent.name))
    caches = [node(bucket, tmp_path / str(number), clock) for number in range(4)]
    keys = [f"picture {number}" for number in range(12)]
    made = made_by(caches, keys)
    assert sorted(key for each in made for key in each) == sorted(keys)
    assert all(made), "each makes some"
    late = node(bucket, tmp_path / "late", clock)
    assert made_by([late], keys) == [[]]
    assert (late.counts.found, late.counts.claimed, late.counts.awaited) == (12, 0, 0)


def test_what_a_node_died_over_is_made_by_one_that_waited(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else is made meanwhile."""
    monkeypatch.setattr(claims, "WAIT_MAX_S", 0.05)
    dead, first = (node(bucket, tmp_path / name, clock) for name in ("dead", "first"))
    keys = ["a", "b", "c"]
    (lost, nothing) = next(iter(dead.turns("picture", keys, LONG_WORK_MS)))
    assert nothing is None
    (made,) = made_by([first], keys)
    assert sorted(made) == keys
    assert made[-1] == lost


def test_where_the_bucket_is_of_no_use_each_node_makes_all(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    """One that fails, one that may only be read, and work that takes less than asking."""
    keys = ["a", "b", "c"]
    bucket.is_readonly = True
    for fails in ("", "away"):
        bucket.fails = fails
        caches = [node(bucket, tmp_path / f"{fails}{number}", clock) for number in range(2)]
        assert [sorted(each) for each in made_by(caches, keys)] == [keys, keys]
    quick = node(bucket, tmp_path / "quick", clock)
    before = bucket.reads
    assert list(quick.turns("picture", keys, 1.0)) == [(key, None) for key in keys]
    assert bucket.reads == before
