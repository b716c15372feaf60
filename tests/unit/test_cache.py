"""The cache: what was put is got, and nothing that happens to it is an error."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from robbieblocks import cache as cache_module
from robbieblocks.cache import Cache, bound

FILE = "cache-2.sqlite3"


def test_what_was_put_is_got(tmp_path: Path) -> None:
    """Entries come back by kind and key, in this process and in a later one."""
    items = {f"{number:064x}": os.urandom(number) for number in range(2_000)}
    with Cache(tmp_path) as cache:
        cache.put_many("module", items)
        assert cache.get_many("module", items) == items
    with Cache(tmp_path) as cache:
        assert cache.get_many("module", [*items, "absent"]) == items
        assert cache.get_many("page", items) == {}


def test_asking_for_nothing_gives_nothing(tmp_path: Path) -> None:
    """Empty requests are fine, and so is the same key twice."""
    with Cache(tmp_path) as cache:
        cache.put_many("module", {})
        assert cache.get_many("module", []) == {}
        cache.put_many("module", {"a": b""})
        assert cache.get_many("module", iter(["a", "a"])) == {"a": b""}


def test_a_later_value_replaces_an_earlier_one(tmp_path: Path) -> None:
    """Putting again is no error and the last one counts."""
    with Cache(tmp_path) as cache:
        cache.put_many("module", {"a": b"one"})
        cache.put_many("module", {"a": b"two"})
        assert cache.get_many("module", ["a"]) == {"a": b"two"}


def test_the_least_used_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pruning keeps what was used last, and gives the space back."""
    today = 20_000
    monkeypatch.setattr(cache_module, "_today", lambda: today)
    items = {str(number): bytes(10_000) for number in range(400)}
    with Cache(tmp_path) as cache:
        cache.put_many("module", items)
        today += 1
        used = [str(number) for number in range(0, 400, 4)]
        cache.get_many("module", used)
        cache.prune(1_000_000)
        assert sorted(cache.get_many("module", items)) == sorted(used)
        cache.prune(10_000_000)
        assert len(cache.get_many("module", items)) == 100
    assert (tmp_path / FILE).stat().st_size < 2_000_000


def test_it_is_bound_beside_those_who_use_it(tmp_path: Path) -> None:
    """What is beyond the limit goes, while another reads and writes; below it the file is left."""
    items = {str(number): os.urandom(10_000) for number in range(400)}
    with Cache(tmp_path) as user:
        user.put_many("html", items)
        user.get_many("html", ["0"])
        bound(tmp_path, 1_000_000)
        user.put_many("html", {"new": b"x"})
        assert user.get_many("html", ["new"]) == {"new": b"x"}
        found = user.get_many("html", items)
        assert 70 <= len(found) <= 75
        assert found.items() <= items.items()
        bound(tmp_path, 1_000_000)
        assert user.get_many("html", items) == found
    assert (tmp_path / FILE).stat().st_size < 1_000_000


def test_files_of_another_layout_go_when_nobody_writes_them(tmp_path: Path) -> None:
    """Those that another version still writes stay, and so does what is no cache."""
    for name in ("cache-1.sqlite3", "cache-1.sqlite3-wal", "cache-3.sqlite3", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
        if "3.sq" not in name:
            os.utime(tmp_path / name, (1, 1))
    Cache(tmp_path).close()
    os.utime(tmp_path / FILE, (1, 1))
    bound(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {FILE, "cache-3.sqlite3", "notes.txt"}


@pytest.mark.parametrize("there", [False, True])
def test_where_nothing_can_be_bound_nothing_is_raised(tmp_path: Path, *, there: bool) -> None:
    """No folder, or a file in its place."""
    if there:
        (tmp_path / "cache").write_bytes(b"")
    bound(tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough for a header" * 99])
def test_a_file_that_is_no_database_is_replaced(tmp_path: Path, content: bytes) -> None:
    """Garbage in the cache's place costs what was remembered, no more."""
    (tmp_path / FILE).write_bytes(content)
    with Cache(tmp_path) as cache:
        cache.put_many("module", {"a": b"one"})
        assert cache.get_many("module", ["a"]) == {"a": b"one"}


def test_a_damaged_file_never_gives_wrong_bytes(tmp_path: Path) -> None:
    """Whatever part of the file is overwritten, an entry comes back whole or not at all."""
    items = {f"{number:064x}": bytes([number % 256]) * 5_000 for number in range(100)}
    with Cache(tmp_path) as cache:
        cache.put_many("module", items)
    size = (tmp_path / FILE).stat().st_size
    for start in range(0, size, 9_000):
        with (tmp_path / FILE).open("r+b") as file:
            file.seek(start)
            file.write(b"\x99" * 300)
        with Cache(tmp_path) as cache:
            found = cache.get_many("module", items)
            assert found.items() <= items.items()
            cache.put_many("module", items)
            assert cache.get_many("module", ["none"]) == {}
    with Cache(tmp_path) as cache:
        cache.put_many("module", items)
        assert cache.get_many("module", items) == items


def test_a_garbled_entry_is_a_miss_and_goes(tmp_path: Path) -> None:
    """An entry whose checksum is wrong is not given out, and can be put anew."""
    with Cache(tmp_path) as cache:
        cache.put_many("module", {"a": b"one", "b": b"two"})
        with sqlite3.connect(tmp_path / FILE) as other:
            other.execute("UPDATE entries SET content = x'00' WHERE content = CAST('one' AS BLOB)")
        other.close()
        assert cache.get_many("module", ["a", "b"]) == {"b": b"two"}
        cache.put_many("module", {"a": b"one"})
        assert cache.get_many("module", ["a"]) == {"a": b"one"}


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    """With a file in the folder's place there is no cache, and that is all."""
    (tmp_path / "cache").write_text("in the way")
    with Cache(tmp_path / "cache") as cache:
        cache.put_many("module", {"a": b"one"})
        cache.prune(0)
        assert cache.get_many("module", ["a"]) == {}


def test_a_folder_in_the_place_of_the_file_is_no_error(tmp_path: Path) -> None:
    """With a folder in the file's place there is no cache, and that is all."""
    (tmp_path / FILE).mkdir()
    with Cache(tmp_path) as cache:
        cache.put_many("module", {"a": b"one"})
        assert cache.get_many("module", ["a"]) == {}


def test_a_full_disk_is_no_error(tmp_path: Path) -> None:
    """When nothing more fits, what is there is still given, and nothing is half put."""
    with Cache(tmp_path) as cache:
        cache.put_many("module", {"a": b"one"})
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            cache.put_many("module", {str(number): bytes(50_000) for number in range(20)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert cache.get_many("module", ["a", *map(str, range(20))]) == {"a": b"one"}
        cache.put_many("module", {"b": b"two"})
        assert cache.get_many("module", ["b"]) == {"b": b"two"}


def test_a_closed_cache_opens_again(tmp_path: Path) -> None:
    """A call after close() works; nobody has to know who closed it."""
    cache = Cache(tmp_path)
    cache.put_many("module", {"a": b"one"})
    cache.close()
    assert cache.get_many("module", ["a"]) == {"a": b"one"}
    cache.close()


WRITER = """
import os, sys
from pathlib import Path
from robbieblocks.cache import Cache, bound
cache = Cache(Path(sys.argv[1]))
for round in range(int(sys.argv[3])):
    items = {f"{sys.argv[2]}-{round}-{n}": f"{sys.argv[2]}{round}{n}".encode() * 200
             for n in range(50)}
    cache.put_many("module", items)
    assert cache.get_many("module", items) == items, "lost what it had put"
    if round == 5:
        print("well on its way", flush=True)
print("done", flush=True)
"""


def test_processes_share_one_cache(tmp_path: Path) -> None:
    """Three at once lose nothing of what they put."""
    argv = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [
        subprocess.Popen([*argv, name, "20"], stdout=subprocess.PIPE) for name in ("a", "b", "c")
    ]
    outputs = [process.communicate(timeout=50)[0] for process in running]
    assert [output.splitlines()[-1:] for output in outputs] == [[b"done"]] * 3
    with Cache(tmp_path) as cache:
        keys = [f"{name}-{at}-{n}" for name in "abc" for at in range(20) for n in range(50)]
        assert len(cache.get_many("module", keys)) == len(keys)


def test_a_kill_while_writing_leaves_a_good_cache(tmp_path: Path) -> None:
    """After SIGKILL every transaction is there as a whole or not at all."""
    argv = [sys.executable, "-c", WRITER, str(tmp_path), "a", "100000"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    with Cache(tmp_path) as cache:
        for at in range(200):
            keys = [f"a-{at}-{n}" for n in range(50)]
            assert len(cache.get_many("module", keys)) in (0, 50)
        assert len(cache.get_many("module", [f"a-0-{n}" for n in range(50)])) == 50


@pytest.mark.parametrize("mode", [0o755, 0o775, 0o777])
def test_nobody_else_may_enter(tmp_path: Path, mode: int) -> None:
    """An existing folder is made private; what others could have written is forgotten."""
    with Cache(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    with Cache(tmp_path / "old") as cache:
        cache.put_many("module", {"a": b"one"})
    (tmp_path / "old").chmod(mode)
    with Cache(tmp_path / "old") as cache:
        assert cache.get_many("module", ["a"]) == ({} if mode & 0o022 else {"a": b"one"})
        assert (tmp_path / "old").stat().st_mode & 0o777 == 0o700
        cache.put_many("module", {"a": b"two"})
        assert cache.get_many("module", ["a"]) == {"a": b"two"}


def test_another_user_s_cache_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read from a folder of neither this user nor root, and nothing in it is altered."""
    with Cache(tmp_path) as cache:
        cache.put_many("module", {"a": b"one"})
    before = (tmp_path / FILE).read_bytes()
    real = os.lstat

    class Foreign:
        st_uid = 12345
        st_mode = real(tmp_path).st_mode

    monkeypatch.setattr(Path, "lstat", lambda path: Foreign() if path == tmp_path else real(path))
    monkeypatch.setattr(
        Path, "stat", lambda path, **_: Foreign() if path == tmp_path else real(path)
    )
    with Cache(tmp_path) as cache:
        assert cache.get_many("module", ["a"]) == {}
        cache.put_many("module", {"a": b"two"})
    assert (tmp_path / FILE).read_bytes() == before
