"""The shared cache: what nodes sealed is believed, and no bucket holds up or breaks a build."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from robbieblocks.cache import Cache
from robbieblocks.errors import BucketUnavailable, UsageError
from robbieblocks.model import RenderedBlock, RenderJob, sha256
from robbieblocks.objectstore import Address, Bucket, Content, Listed, Overtaken, Stored
from robbieblocks.pipeline.block_cache import BlockCache
from robbieblocks.settings import SHARED_CACHE_KEY, SharedCacheSettings
from robbieblocks.settings.bucket import BucketSettings
from robbieblocks.shared_cache import SharedCache, shared, troubles
from robbieblocks.shared_cache.sealing import Sealing, sealing_with
from tests.workers import until

SECRET = b"of the nodes, and of nobody else"


class MemoryBucket:
    """A bucket in memory, which may fail, hang, or count what it is asked."""

    address = Address(name="memory")

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads = 0
        self.fails = ""
        self.hangs: threading.Event | None = None

    def get(self, key: str, *, bytes_max: int | None = None) -> Content | None:
        self.reads += 1
        if self.hangs:
            self.hangs.wait()
        if self.fails:
            raise BucketUnavailable(self.fails)
        data = self.objects.get(key)
        return None if data is None or len(data) > (bytes_max or 0) else Content(data, "")

    def put(self, stored: Stored) -> str:
        if self.fails:
            raise BucketUnavailable(self.fails)
        self.objects[stored.key] = stored.data
        return ""

    def put_bound(self, stored: Stored, _etag: str | None) -> str:
        if stored.key in self.objects:
            raise Overtaken(stored.key)
        return self.put(stored)


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def node(bucket: MemoryBucket, folder: Path, clock: Clock, secret: bytes = SECRET) -> SharedCache:
    given = cast("Bucket", bucket)
    return SharedCache(given, given, Sealing(secret), folder, monotonic=clock)


def written(cache: SharedCache) -> None:
    until(lambda: cache._writer is None, "what is to be written")


@pytest.fixture
def first(bucket: MemoryBucket, tmp_path: Path, clock: Clock) -> Iterator[SharedCache]:
    """A node that has shared one entry."""
    cache = node(bucket, tmp_path, clock)
    cache.put_many("module", {"a": b"code"})
    written(cache)
    yield cache
    cache.close()


def test_what_a_node_shared_another_gets(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """By kind and key; what nobody shared is not there, and is no failure."""
    other = node(bucket, tmp_path, clock)
    assert other.get_many("module", ["a", "b"]) == {"a": b"code"}
    assert other.get_many("block", ["a"]) == {}
    assert (other.counts.found, other.counts.absent, other.counts.failures) == (1, 2, 0)
    assert troubles(tmp_path) == []


def test_nobody_without_the_key_can_give_nodes_code(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """Bytes of a writer without the key, another entry's bytes in its place, and a cut entry are
    refused; the node then mends the entry."""
    first.put_many("module", {"b": b"other code"})
    written(first)
    (name_a, sealed_a), (name_b, sealed_b) = bucket.objects.items()
    foreign = Sealing(b"of somebody who may write there ")
    for false in (sealed_b, sealed_a[:-1], b"", b"code", foreign.sealed("00" * 32, b"code")):
        bucket.objects[name_a] = false
        reader = node(bucket, tmp_path, clock)
        assert reader.get_many("module", ["a"]) == {}
        assert reader.counts.refused == 1
        assert "was sealed by no node" in troubles(tmp_path)[0].why
        reader.put_many("module", {"a": b"code"})
        written(reader)
        assert bucket.objects[name_a] == sealed_a
    assert bucket.objects[name_b] == sealed_b


def test_another_key_is_another_cache(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """So a new key of the nodes ends what a stolen one could write, and names tell nothing."""
    renewed = node(bucket, tmp_path, clock, b"the new key, after one was stolen")
    assert renewed.get_many("module", ["a"]) == {}
    assert renewed.counts.refused == 0
    assert not any("module" in name or sha256("a") in name for name in bucket.objects)


def _until_asked(bucket: MemoryBucket, times: int) -> None:
    until(lambda: bucket.reads == times, "the requests")


def test_a_bucket_that_hangs_costs_one_bound_of_time(
    bucket: MemoryBucket,
    first: SharedCache,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What does not come in time is not waited for, and the bucket is left alone for a minute, then
    for two; once it answers, it is used as before."""
    monkeypatch.setattr(shared, "_ASK_S", 0.02)
    bucket.hangs = threading.Event()
    reader = node(bucket, tmp_path, clock)
    try:
        assert reader.get_many("module", ["a"]) == {}
        assert "took longer" in troubles(tmp_path)[0].why
        for now, asks in ((59.0, 1), (61.0, 2), (180.0, 2), (182.0, 3)):
            clock.now = now
            assert reader.get_many("module", ["a"]) == {}
            _until_asked(bucket, asks)
    finally:
        bucket.hangs.set()
    monkeypatch.undo()
    bucket.hangs = None
    clock.now = 1000.0
    assert reader.get_many("module", ["a"]) == {"a": b"code"}
    assert troubles(tmp_path) == []
    reader.close()


def test_a_node_that_may_only_read_reads(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """What it can't write is dropped, is told once, and holds up no reading."""
    reader = node(bucket, tmp_path, clock)
    bucket.fails = "AccessDenied\n  -> let it write"
    reader.put_many("module", {"b": b"1", "c": b"2"})
    written(reader)
    reader.put_many("module", {"d": b"3"})
    bucket.fails = ""
    assert reader.get_many("module", ["a"]) == {"a": b"code"}
    assert [(each.doing, each.why) for each in troubles(tmp_path)] == [
        ("write", "AccessDenied   -> let it write")
    ]
    assert len(bucket.objects) == 1
    assert reader.counts.dropped + reader.counts.failures == 3
    clock.now = 61.0
    reader.put_many("module", {"d": b"3"})
    written(reader)
    assert troubles(tmp_path) == []


def test_what_is_too_large_is_not_shared(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """Neither written nor read, whoever put it there."""
    first.put_many("picture", {"large": bytes(shared._ENTRY_BYTES_MAX + 1)})
    written(first)
    (name,) = bucket.objects
    bucket.objects[name] = bytes(shared._ENTRY_BYTES_MAX + 1)
    assert node(bucket, tmp_path, clock).get_many("module", ["a"]) == {}


def test_the_writer_never_takes_more_memory_than_it_may(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit entries are dropped, and counted."""
    monkeypatch.setattr(shared, "_WAITING_BYTES_MAX", 10)
    cache = node(bucket, tmp_path, clock)
    cache.put_many("module", {"a": b"123456", "b": b"123456", "c": b"1234"})
    written(cache)
    assert (cache.counts.written, cache.counts.dropped) == (2, 1)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "is not set"),
        ("", "is not set"),
        ("geheim", "is not 32 bytes"),
        (base64.b64encode(bytes(31)).decode(), "is not 32 bytes"),
    ],
)
def test_a_key_that_is_none_is_refused(key: str | None, said: str) -> None:
    """Without being shown."""
    with pytest.raises(UsageError, match=said) as refused:
        sealing_with(key)
    assert "geheim" not in str(refused.value)
    assert sealing_with(base64.b64encode(SECRET).decode()).folder == Sealing(SECRET).folder


def test_a_bucket_that_visitors_read_is_refused() -> None:
    """A cache has what is not published yet."""
    site = BucketSettings(url="s3://site/{node}")
    assert SharedCacheSettings.of({"cache.shared": "s3://cache/site"}, site)
    assert SharedCacheSettings.of({}, site) is None
    with pytest.raises(UsageError, match="visitors may read"):
        SharedCacheSettings.of({"cache.shared": "s3://site/cache"}, site)


def test_only_old_entries_of_the_cache_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else lies in the bucket stays."""
    ago = datetime.now(UTC) - timedelta(days=31)
    entry, fresh = f"{'0' * 16}/ab/{'1' * 62}", f"{'0' * 16}/ab/{'2' * 62}"
    listed = [(entry, ago), ("photos/holiday.jpg", ago), (fresh, datetime.now(UTC))]
    removed: list[str] = []

    class Listing:
        def list(self) -> Sequence[Listed]:
            return [Listed(key, 1, "", modified) for key, modified in listed]

        def delete(self, keys: Iterable[str]) -> None:
            removed.extend(keys)

    monkeypatch.setenv(SHARED_CACHE_KEY, base64.b64encode(SECRET).decode())
    monkeypatch.setattr(shared, "Bucket", lambda *_: Listing())
    assert shared.remove_old(SharedCacheSettings(url="s3://cache-of-nodes")) == 1
    assert removed == [entry]


def _blocks(count: int) -> dict[RenderJob, str]:
    jobs = [RenderJob(component="a", props_json="{}", prefix=f"{n}-") for n in range(count)]
    return {job: sha256(job.prefix) for job in jobs}


def _render(cache: BlockCache, jobs: dict[RenderJob, str]) -> int:
    """Render what a build would; how many blocks that were."""
    found = cache.get_many(jobs.values())
    missing = {job: key for job, key in jobs.items() if key not in found}
    made = [
        {job: RenderedBlock(html=f"<p>{job.prefix}</p>", interactive=False, rerender=False)}
        for job in missing
    ]
    for _ in cache.remember(missing, iter(made)) if missing else ():
        pass
    cache.flush()
    assert cache.get_many(jobs.values()).keys() == {*jobs.values()}
    return len(missing)


def test_many_blocks_are_rendered_once_on_all_nodes(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    """In packs: of few blocks none, of nodes that differ by a block most."""
    shared_by = [node(bucket, tmp_path, clock) for _ in range(4)]
    caches = [BlockCache(Cache(tmp_path / str(n), each)) for n, each in enumerate(shared_by)]
    jobs = _blocks(3_000)
    assert _render(caches[0], dict(list(jobs.items())[:500])) == 500
    assert bucket.objects == {}
    assert _render(caches[1], jobs) == 3_000
    written(shared_by[1])
    assert 2 <= len(bucket.objects) <= 8
    assert _render(caches[2], jobs) == 0
    assert _render(BlockCache(Cache(tmp_path / "2")), jobs) == 0
    assert 0 < _render(caches[3], _blocks(3_001)) < 1_500
