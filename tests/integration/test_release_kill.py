"""SIGKILL at every step of a publish: what was live is live, and the next one succeeds."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robbieblocks import failpoints
from robbieblocks.release import Place, live, make_spare, prune, verify
from tests.integration.releases import (
    NODE,
    assets,
    manifest,
    pages,
    put_version,
    put_whole,
    served,
)

STEPS = ("assets", "written", "named", "synced", "fenced", "previous", "swapped", "checked",
         "verified")  # fmt: skip
# Where a release is made out of a spare, or of one that nothing keeps.
RECYCLING = ("assets", "taken", "cleared", *STEPS[1:])
MAKING = ("spare taken", "spare synced", "spare placed")
REMAKING = ("spare taken", "spare cleared", "spare synced", "spare placed")
HEALING = ("written", "synced", "fenced", "swapped", "checked", "verified")
STAND_IN = ("stand-in", "stand-in copied", "swapped", "verified")

# Runs one call, and is killed when it reaches the step.
VICTIM = """
import os, signal, sys
from pathlib import Path
from robbieblocks import failpoints
from robbieblocks.release import disk, make_spare, prune
from tests.integration.releases import NODE, put_version, put_whole
root, what, version, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
def hook(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)
failpoints.hook = hook
if what == "stand-in":
    disk.exchange = lambda *paths: False
if what == "publish":
    put_version(root, version)
elif what == "prune":
    prune(root, NODE, "play", keep=1)
elif what == "spare":
    make_spare(root, NODE, "play")
else:
    put_whole(root, version)
"""


def kill_at(root: Path, what: str, version: int, step: str) -> None:
    """Run a call in a process of its own that ends itself at a step."""
    argv = [sys.executable, "-c", VICTIM, str(root), what, str(version), step]
    done = subprocess.run(argv, check=False, timeout=50, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


class Reader(threading.Thread):
    """Reads the home page by way of `current` all the time, as a web server would."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.seen: list[int] = []
        self.faults: list[str] = []
        self.looked = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Note each version that is new, and whatever is not a whole page."""
        while not self.stopped.is_set():
            try:
                page = served(self.root, "play/index.html").decode()
            except OSError as error:
                self.faults.append(f"missing: {error}")
                continue
            if not page.startswith("<h1>home</h1> version=") or not page.endswith(" end"):
                self.faults.append(f"torn: {page!r}")
            version = int(page.split("version=")[1].split()[0])
            if not self.seen or self.seen[-1] != version:
                self.seen.append(version)
            self.looked.set()


@contextlib.contextmanager
def reading(root: Path) -> Iterator[Reader]:
    """A reader from now on; at the end it must have seen only whole pages, none of them older."""
    reader = Reader(root)
    reader.start()
    try:
        assert reader.looked.wait(20)
        yield reader
        reader.looked.clear()
        assert reader.looked.wait(20)
    finally:
        reader.stopped.set()
        reader.join()
    assert reader.faults == []
    assert reader.seen == sorted(reader.seen), "an older page was served after a newer one"


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_leaves_a_whole_release_live(tmp_path: Path, step: str) -> None:
    """Before the swap the old one, after it the new; the next publish succeeds and cleans up."""
    put_version(tmp_path, 1)
    put_version(tmp_path, 2)
    with reading(tmp_path) as reader:
        kill_at(tmp_path, "publish", 3, step)
        swapped = STEPS.index(step) >= STEPS.index("swapped")
        expected = 3 if swapped else 2
        assert live(tmp_path, NODE, "play") == manifest(pages(expected), assets(expected))
        assert verify(tmp_path, NODE, "play") == ()
        assert put_version(tmp_path, 3).swapped is not swapped
        put_version(tmp_path, 4)
    assert reader.seen[0] == 2
    assert reader.seen[-1] == 4
    assert verify(tmp_path, NODE, "play") == ()
    assert not list((tmp_path / NODE / "play").rglob(".tmp-*"))
    prune(tmp_path, NODE, "play", keep=1)
    assert len(list((tmp_path / NODE / "play" / "releases").iterdir())) == 2


@pytest.mark.parametrize("step", [step for step in STEPS if step != "previous"])
def test_a_kill_of_the_first_publish_is_made_good(tmp_path: Path, step: str) -> None:
    """With nothing live before, the next publish makes the app live."""
    kill_at(tmp_path, "publish", 1, step)
    put_version(tmp_path, 1)
    assert live(tmp_path, NODE, "play") == manifest(pages(1), assets(1))
    assert verify(tmp_path, NODE, "play") == ()


@pytest.mark.parametrize(
    ("how", "step"),
    [("heal", step) for step in HEALING] + [("stand-in", step) for step in STAND_IN],
)
def test_a_kill_while_healing_is_made_good(tmp_path: Path, how: str, step: str) -> None:
    """Whole pages are served all the time, and the next publish heals the rest."""
    put_version(tmp_path, 1)
    (tmp_path / NODE / "play" / "current" / "play/p5/index.html").unlink()
    with reading(tmp_path) as reader:
        kill_at(tmp_path, how, 1, step)
        put_whole(tmp_path, 1)
    assert reader.seen == [1]
    assert verify(tmp_path, NODE, "play") == ()
    prune(tmp_path, NODE, "play", keep=1)
    assert len(list((tmp_path / NODE / "play" / "releases").iterdir())) == 1


def test_a_kill_while_pruning_is_made_good(tmp_path: Path) -> None:
    """A half-removed release is never taken for one."""
    for version in range(1, 6):
        put_version(tmp_path, version)
    kill_at(tmp_path, "prune", 0, "pruning")
    assert put_version(tmp_path, 1).swapped
    assert verify(tmp_path, NODE, "play") == ()
    prune(tmp_path, NODE, "play", keep=2)
    assert len(list((tmp_path / NODE / "play" / "releases").iterdir())) == 2


def test_every_step_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps named here are those that are taken, in their order."""
    reached: list[str] = []
    monkeypatch.setattr(failpoints, "hook", reached.append)

    def steps_of(call: Callable[[], object]) -> tuple[str, ...]:
        reached.clear()
        call()
        return tuple(reached)

    put_version(tmp_path, 1)
    assert steps_of(lambda: put_version(tmp_path, 2)) == STEPS
    assert steps_of(lambda: make_spare(tmp_path, NODE, "play")) == MAKING
    assert steps_of(lambda: put_version(tmp_path, 3)) == RECYCLING
    for version in range(4, 7):
        put_version(tmp_path, version)
    assert steps_of(lambda: make_spare(tmp_path, NODE, "play")) == REMAKING


@pytest.mark.parametrize("step", RECYCLING)
@pytest.mark.parametrize("base", ["spare", "oldest release"])
def test_a_kill_while_recycling_leaves_a_whole_release_live(
    tmp_path: Path, base: str, step: str
) -> None:
    """Whatever has become of the folder that the new release is made of, before the swap the old
    one is live and after it the new; so are those that are kept, and the next publish succeeds."""
    hashes = [put_version(tmp_path, version).build_hash for version in range(1, 7)]
    if base == "spare":
        make_spare(tmp_path, NODE, "play")
    with reading(tmp_path) as reader:
        kill_at(tmp_path, "publish", 7, step)
        swapped = RECYCLING.index(step) >= RECYCLING.index("swapped")
        expected = 7 if swapped else 6
        assert live(tmp_path, NODE, "play") == manifest(pages(expected), assets(expected))
        assert verify(tmp_path, NODE, "play") == ()
        assert put_version(tmp_path, 7).swapped is not swapped
        put_version(tmp_path, 8)
    assert reader.seen[-1] == 8
    assert verify(tmp_path, NODE, "play") == ()
    releases = Place.of(tmp_path, NODE, "play").releases
    assert not list(releases.rglob(".tmp-*"))
    for build_hash, version in zip(hashes[3:], (4, 5, 6), strict=True):
        for path, content in pages(version).items():
            assert (releases / build_hash / path).read_bytes() == content


@pytest.mark.parametrize(
    ("held", "step"),
    [(2, step) for step in MAKING] + [(6, step) for step in REMAKING],
)
def test_a_kill_while_a_spare_is_made_is_made_good(tmp_path: Path, held: int, step: str) -> None:
    """What is live stays, there is a whole spare or none, and the rest is swept."""
    for version in range(1, held + 1):
        put_version(tmp_path, version)
    place = Place.of(tmp_path, NODE, "play")
    with reading(tmp_path) as reader:
        kill_at(tmp_path, "spare", 0, step)
        assert place.spare.exists() is (step == "spare placed")
        assert verify(tmp_path, NODE, "play") == ()
        put_version(tmp_path, held + 1)
    assert reader.seen == [held, held + 1]
    assert verify(tmp_path, NODE, "play") == ()
    assert not list(place.folder.rglob(".tmp-*"))
    make_spare(tmp_path, NODE, "play")
    for path, content in pages(held + 1).items():
        assert (place.spare / path).read_bytes() == content


def test_readers_never_see_a_gap_in_forty_swaps(tmp_path: Path) -> None:
    """Pages are whole and never older while one release follows another and old ones go."""
    put_version(tmp_path, 1)
    with reading(tmp_path) as reader:
        for version in range(2, 42):
            put_version(tmp_path, version)
            if version % 10 == 0:
                prune(tmp_path, NODE, "play", keep=2)
            if version % 3 == 0:
                make_spare(tmp_path, NODE, "play")
    assert reader.seen[-1] == 41


def test_nothing_leaks_descriptors(tmp_path: Path) -> None:
    """Twenty publishes leave as many descriptors open as one."""
    put_version(tmp_path, 1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for version in range(2, 22):
        put_version(tmp_path, version)
        if version % 3 == 0:
            make_spare(tmp_path, NODE, "play")
    prune(tmp_path, NODE, "play", sweep_hours=0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
