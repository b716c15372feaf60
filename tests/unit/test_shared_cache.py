"""The shared cache: what nodes sealed is believed, and no bucket holds up or breaks a build."""

from __future__ import annotations

import base64
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from robbieblocks.cache import Cache
from robbieblocks.errors import BucketUnavailable, SiteUnavailable, UsageError
from robbieblocks.model import RenderedBlock, RenderJob, sha256
from robbieblocks.objectstore import Address, Bucket, Content, Listed, Overtaken, Stored
from robbieblocks.pipeline.block_cache import BlockCache
from robbieblocks.settings import SHARED_CACHE_KEY, SharedCacheSettings
from robbieblocks.settings.bucket import BucketSettings
from robbieblocks.shared_cache import SharedCache, claims, opening, shared, troubles
from robbieblocks.shared_cache.pace import Pace
from robbieblocks.shared_cache.sealing import Sealing, sealing_with
from robbieblocks.shared_cache.signing import Signing, believe, forget, public_key
from tests.workers import until

# Worth a request, and not worth that others wait for it.
LONG_MS = 500.0
SECRET = b"of the nodes, and of nobody else"


class MemoryBucket:
    """A bucket in memory, which may fail, hang, or count what it is asked."""

    address = Address(name="memory")

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads = 0
        self.fails = ""
        self.is_readonly = False
        self.hangs: threading.Event | None = None
        self.one = threading.Lock()

    def get(self, key: str, *, bytes_max: int | None = None) -> Content | None:
        self.reads += 1
        if self.hangs:
            self.hangs.wait()
        if self.fails:
            raise BucketUnavailable(self.fails)
        data = self.objects.get(key)
        return None if data is None or len(data) > (bytes_max or 0) else Content(data, sha256(data))

    def put(self, stored: Stored) -> str:
        if self.fails or self.is_readonly:
            raise BucketUnavailable(self.fails or "AccessDenied")
        self.objects[stored.key] = stored.data
        return ""

    def put_bound(self, stored: Stored, etag: str | None) -> str:
        with self.one:
            found = self.objects.get(stored.key)
            if etag != (None if found is None else sha256(found)):
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
    return SharedCache(given, given, Sealing(secret, Signing(folder)), folder, monotonic=clock)


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
    assert other.get_many("module", ["a", "b"], LONG_MS) == {"a": b"code"}
    assert other.get_many("block", ["a"], LONG_MS) == {}
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
    foreign = Sealing(b"of somebody who may write there ", Signing(tmp_path))
    for false in (sealed_b, sealed_a[:-1], b"", b"code", foreign.sealed("00" * 32, b"code")):
        bucket.objects[name_a] = false
        reader = node(bucket, tmp_path, clock)
        assert reader.get_many("module", ["a"], LONG_MS) == {}
        assert reader.counts.refused == 1
        assert "was sealed by no node" in troubles(tmp_path)[0].why
        reader.put_many("module", {"a": b"code"})
        written(reader)
        assert bucket.objects[name_a] == sealed_a
    assert bucket.objects[name_b] == sealed_b


def test_only_admitted_nodes_are_believed_once_there_is_a_master(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    """By what each signed with a key of its own; a node that is locked out is no trouble, and what
    it wrote is made here and written over. Who has the nodes' key alone, is not believed."""
    reader, good, stolen = (
        node(bucket, tmp_path / name, clock) for name in ("reader", "good", "stolen")
    )
    keys = {name: public_key(tmp_path / name) for name in ("reader", "good", "stolen")}
    assert keys == {name: public_key(tmp_path / name) for name in keys}
    (tmp_path / "stolen" / "shared-signing.key").stat()
    unsigned = node(bucket, tmp_path / "unsigned", clock)
    unsigned.put_many("module", {"u": b"of whoever has the nodes' key"})
    written(unsigned)
    for name in keys:
        believe(tmp_path / name, keys)
    for name, writer in (("good", good), ("stolen", stolen)):
        writer.put_many("module", {name: b"code"})
        written(writer)
    entries = ["good", "stolen", "u"]
    assert reader.get_many("module", entries, LONG_MS).keys() == {"good", "stolen"}
    believe(tmp_path / "reader", {name: keys[name] for name in ("reader", "good")})
    assert reader.get_many("module", entries, LONG_MS).keys() == {"good"}
    assert (reader.counts.refused, reader.counts.failures) == (3, 0)
    assert reader.get_many("module", ["stolen"], 9_000.0) == {}
    assert reader.counts.claimed == 0, "what is there is not waited for"
    reader.put_many("module", {"stolen": b"right"})
    written(reader)
    assert good.get_many("module", ["stolen"], LONG_MS) == {"stolen": b"right"}
    _swap_signatures(bucket, reader)
    assert reader.get_many("module", entries, LONG_MS) == {}
    (tmp_path / "reader" / "shared-nodes.json").write_text('{"good": 1')
    assert node(bucket, tmp_path / "reader", clock).get_many("module", entries, LONG_MS) == {}
    forget(tmp_path / "reader")
    assert "u" in reader.get_many("module", entries, LONG_MS)


def _swap_signatures(bucket: MemoryBucket, cache: SharedCache) -> None:
    """Give each entry another one's signature, sealed by somebody who has the nodes' key."""
    names = {
        cache._vault.key(n): n for n in (cache._vault.name("module", k) for k in ("good", "stolen"))
    }
    bodies = {key: bucket.objects[key][32:] for key in names}
    stamps = [body[:96] for body in bodies.values()]
    for (key, body), stamp in zip(bodies.items(), reversed(stamps), strict=True):
        false = stamp + body[96:]
        bucket.objects[key] = cache._vault._sealing._seal(names[key], false) + false


def test_a_secret_key_is_its_owner_s(tmp_path: Path) -> None:
    """Nobody else may read it; one that can't be read is told with its place."""
    public_key(tmp_path)
    path = tmp_path / "shared-signing.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(SiteUnavailable, match="can't be read or made"):
        public_key(tmp_path)


@pytest.mark.parametrize("lost", ["key", "package"])
def test_a_node_that_can_t_sign_builds_alone(
    lost: str, bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No build fails, the writer goes on, and what is wrong is told with its remedy."""
    good, cache = node(bucket, tmp_path / "good", clock), node(bucket, tmp_path, clock)
    believe(tmp_path / "good", {"good": public_key(tmp_path / "good")})
    believe(tmp_path, {"good": public_key(tmp_path / "good")})
    good.put_many("module", {"a": b"code"})
    written(good)
    (tmp_path / "shared-signing.key").write_bytes(b"short")
    if lost == "package":
        for name in ("exceptions", "hazmat.primitives.asymmetric.ed25519"):
            monkeypatch.setitem(sys.modules, f"cryptography.{name}", None)
    got = cache.get_many("module", ["a"], LONG_MS)
    assert got == ({"a": b"code"} if lost == "key" else {})
    cache.put_many("module", {"b": b"code"})
    written(cache)
    assert [each.doing for each in troubles(tmp_path)] == ["write"]
    said = "can't be read or made" if lost == "key" else "cryptography is missing"
    assert said in troubles(tmp_path)[0].why


def test_nobody_waits_for_what_is_not_coming(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    """A node claims nothing while it can't write, and never waits for a claim of its own."""
    cache = node(bucket, tmp_path, clock)
    for _ in range(2):
        assert cache.get_many("module", ["a"], 9_000.0) == {}
    assert (cache.counts.claimed, cache.counts.awaited, bucket.reads) == (1, 0, 2)
    bucket.is_readonly = True
    cache.put_many("module", {"b": b"code"})
    written(cache)
    bucket.is_readonly = False
    assert cache.get_many("module", ["c"], 9_000.0) == {}
    assert len(bucket.objects) == 1


def test_another_key_is_another_cache(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """So a new key of the nodes ends what a stolen one could write, and names tell nothing."""
    renewed = node(bucket, tmp_path, clock, b"the new key, after one was stolen")
    assert renewed.get_many("module", ["a"], LONG_MS) == {}
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
    monkeypatch.setattr(shared, "ASK_S", 0.02)
    bucket.hangs = threading.Event()
    reader = node(bucket, tmp_path, clock)
    try:
        assert reader.get_many("module", ["a"], LONG_MS) == {}
        assert "took longer" in troubles(tmp_path)[0].why
        for now, asks in ((59.0, 1), (61.0, 2), (180.0, 2), (182.0, 3)):
            clock.now = now
            assert reader.get_many("module", ["a"], LONG_MS) == {}
            _until_asked(bucket, asks)
    finally:
        bucket.hangs.set()
    monkeypatch.undo()
    bucket.hangs = None
    clock.now = 1000.0
    assert reader.get_many("module", ["a"], LONG_MS) == {"a": b"code"}
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
    assert reader.get_many("module", ["a"], LONG_MS) == {"a": b"code"}
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
    assert node(bucket, tmp_path, clock).get_many("module", ["a"], LONG_MS) == {}


def test_the_writer_never_takes_more_memory_than_it_may(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit entries are dropped, and counted."""
    monkeypatch.setattr(shared, "_WAITING_BYTES_MAX", 10)
    cache = node(bucket, tmp_path, clock)
    cache.put_many("module", {"a": b"123456", "b": b"123456", "c": b"1234"})
    written(cache)
    assert (cache.counts.written, cache.counts.dropped) == (2, 1)


def test_a_node_without_the_master_s_list_believes_itself_alone(tmp_path: Path) -> None:
    """As one that has just joined, or whose cache was removed after a theft."""
    own, other = (Signing(tmp_path / name, has_master=True) for name in ("own", "other"))
    assert own.believes(own.stamp(b"x"), b"x")
    assert not own.believes(other.stamp(b"x"), b"x")
    assert not own.believes(Signing(tmp_path / "third").stamp(b"x"), b"x")
    believe(tmp_path / "own", {"other": public_key(tmp_path / "other")})
    assert own.believes(other.stamp(b"x"), b"x")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "is not set"),
        ("", "is not set"),
        ("geheim", "is not 32 bytes"),
        (base64.b64encode(bytes(31)).decode(), "is not 32 bytes"),
    ],
)
def test_a_key_that_is_none_is_refused(key: str | None, said: str, tmp_path: Path) -> None:
    """Without being shown."""
    with pytest.raises(UsageError, match=said) as refused:
        sealing_with(key, Signing(tmp_path))
    assert "geheim" not in str(refused.value)
    given = sealing_with(base64.b64encode(SECRET).decode(), Signing(tmp_path))
    assert given.folder == Sealing(SECRET, Signing(tmp_path)).folder


def test_a_bucket_that_visitors_read_is_refused() -> None:
    """A cache has what is not published yet."""
    site = BucketSettings(url="s3://site/{node}")
    assert SharedCacheSettings.of({"cache.shared": "s3://cache/site"}, site, has_master=False)
    assert SharedCacheSettings.of({}, site, has_master=False) is None
    with pytest.raises(UsageError, match="visitors may read"):
        SharedCacheSettings.of({"cache.shared": "s3://site/cache"}, site, has_master=False)


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
    monkeypatch.setattr(opening, "Bucket", lambda *_: Listing())
    assert opening.remove_old(SharedCacheSettings(url="s3://cache-of-nodes")) == 1
    assert removed == [entry]


def test_only_what_takes_longer_to_make_than_to_fetch_is_asked_for(
    bucket: MemoryBucket, first: SharedCache, tmp_path: Path, clock: Clock
) -> None:
    """By how long requests took of late; a bucket that was slow is asked again after a while."""
    reader = node(bucket, tmp_path, clock)
    assert reader.get_many("module", ["a"], 20.0) == {}
    assert bucket.reads == 0
    assert reader.get_many("module", ["a"], 100.0) == {"a": b"code"}
    for _ in range(20):
        reader._pace.took(3_000.0)
    refused = [reader.is_worth(200.0, 1) for _ in range(40)]
    assert not refused[0]
    assert refused[-1]
    near = Pace(8)
    for _ in range(40):
        near.took(0.1)
    assert not near.is_worth(59.0, 1), "a small edit, however near the bucket is"
    assert near.is_worth(60.0, 1)
    many = Pace(8)
    assert many.is_worth(900.0, 100)
    assert not many.is_worth(60.0, 9)


def _made_at_once(bucket: MemoryBucket, folder: Path, clock: Clock, nodes: int) -> list[bool]:
    """Nodes that need one entry at the same moment; which of them had to make it.

    None ends before all have it: a claim of one that has ended counts no more.
    """
    began, ended = threading.Barrier(nodes), threading.Barrier(nodes)

    def build(number: int) -> bool:
        cache = node(bucket, folder, clock)
        began.wait()
        found = cache.get_many("picture", ["p"], 3_000.0)
        if not found:
            cache.put_many("picture", {"p": b"forms"})
            written(cache)
        ended.wait()
        cache.close()
        return not found

    with ThreadPoolExecutor(nodes) as pool:
        return list(pool.map(build, range(nodes)))


def test_of_nodes_that_need_an_entry_at_once_one_makes_it(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    """The others wait for it and get it; what is made in a moment each makes."""
    assert sum(_made_at_once(bucket, tmp_path, clock, 8)) == 1


def test_nobody_waits_long_for_a_node_that_died(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waited makes it himself; a claim from before, of the future, or of garbage is none."""
    monkeypatch.setattr(claims, "WAIT_MAX_S", 0.05)
    dead, reader = (node(bucket, tmp_path / name, clock) for name in ("dead", "reader"))
    assert dead.get_many("picture", ["p"], 9_000.0) == {}
    assert dead.counts.claimed == 1
    assert reader.get_many("picture", ["p"], 9_000.0) == {}
    assert (reader.counts.claimed, reader.counts.failures) == (0, 0)
    (key,) = bucket.objects
    false = [_claim_at(dead, time.time() + shift) for shift in (-60.0, 60.0, float("nan"))]
    for each in (*false, b"x" * 40):
        bucket.objects[key] = each
        reader = node(bucket, tmp_path, clock)
        assert reader.get_many("picture", ["p"], 9_000.0) == {}
        assert reader.counts.claimed == 1


def _claim_at(cache: SharedCache, moment: float) -> bytes:
    vault = cache._vault
    return vault.stored(vault.name("claim", vault.name("picture", "p")), str(moment).encode()).data


def test_a_node_that_may_not_claim_waits_for_nobody(
    bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    """It tries that once a minute, and reads as before."""
    reader = node(bucket, tmp_path, clock)
    bucket.is_readonly = True
    assert reader.get_many("picture", ["p"], 9_000.0) == {}
    assert reader.get_many("picture", ["p"], 9_000.0) == {}
    assert (reader.counts.failures, reader.counts.claimed, bucket.reads) == (0, 0, 2)


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
    assert _render(caches[0], dict(list(jobs.items())[:100])) == 100
    assert bucket.objects == {}
    assert _render(caches[1], jobs) == 3_000
    written(shared_by[1])
    assert 2 <= len(bucket.objects) <= 8
    assert _render(caches[2], jobs) == 0
    assert _render(BlockCache(Cache(tmp_path / "2")), jobs) == 0
    assert 0 < _render(caches[3], _blocks(3_001)) < 1_500
