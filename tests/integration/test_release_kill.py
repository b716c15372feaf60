"""SIGKILL at every step of a publish: what was live is live, and the next one succeeds."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robbieblocks import failpoints
from robbieblocks.release import AppFolder, SiteRoot, live, prune, verify
from robbieblocks.release.standby.trees import refresh_standby_tree
from tests.integration.releases import (
    NODE,
    TELL,
    assets,
    keeping,
    manifest,
    pages,
    put_version,
    put_whole,
    served,
)
from tests.victims import victims

# Manifests are told from a base: then there is more that a kill could leave half done.
pytestmark = pytest.mark.usefixtures("told")
STEPS = (
    "assets",
    "written",
    "named",
    "synced",
    "fenced",
    "previous",
    "swapped",
    "checked",
    "verified",
)
# Where a release is made out of a standby tree, or of one that is not kept.
RECYCLING = ("assets", "taken", "cleared", *STEPS[1:])
MAKING = ("standby taken", "standby synced", "standby placed")
REMAKING = ("standby taken", "standby cleared", "standby synced", "standby placed")
REPAIRING = ("written", "synced", "fenced", "swapped", "checked", "verified")
TEMPORARY_RELEASE = ("temporary release", "temporary release copied", "swapped", "verified")

# Runs one call, and is killed when it reaches the step.
VICTIM = (
    TELL
    + """
import os, signal, sys
from pathlib import Path
from robbieblocks import failpoints
from robbieblocks.release import AppFolder, SiteRoot, collect, prune
from robbieblocks.release.standby.trees import refresh_standby_tree
from robbieblocks.release.files import disk, system_calls
from tests.integration.releases import NODE, keeping, put_version, put_whole
site_root = SiteRoot(Path(sys.argv[1]))
what, version, step = sys.argv[2], int(sys.argv[3]), sys.argv[4]
def hook(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)
failpoints.hook = hook
if what == "by links":
    system_calls.exchange = lambda *paths: False
if what == "publish":
    put_version(site_root, version)
elif what == "prune":
    prune(keeping(site_root, 1), NODE, "play")
elif what == "gc":
    collect(keeping(site_root, 1, asset_days=-1.0), NODE, "play")
elif what == "standby":
    refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))
else:
    put_whole(site_root, version)
"""
)


KillAt = Callable[[SiteRoot, str, int, str], None]


@pytest.fixture(scope="module")
def kill_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillAt]:
    """Runs a call in a process of its own that ends itself at a step."""
    imports = "import robbieblocks.release.standby.trees, tests.integration.releases"
    with victims(VICTIM, imports, tmp_path_factory.mktemp("victims")) as calls:

        def run(site_root: SiteRoot, what: str, version: int, step: str) -> None:
            done = calls.run(str(site_root.path), what, str(version), step)
            assert done.code == -signal.SIGKILL, done.err

        yield run


class Reader(threading.Thread):
    """Reads the home page by way of `current` all the time, as a web server would."""

    def __init__(self, site_root: SiteRoot) -> None:
        super().__init__()
        self.root = site_root
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
def reading(site_root: SiteRoot) -> Iterator[Reader]:
    """A reader from now on; at the end it must have seen only whole pages, none of them older."""
    reader = Reader(site_root)
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
def test_a_kill_leaves_a_whole_release_live(
    site_root: SiteRoot, kill_at: KillAt, step: str
) -> None:
    """Before the swap the old one, after it the new; the next publish succeeds and cleans up."""
    put_version(site_root, 1)
    put_version(site_root, 2)
    with reading(site_root) as reader:
        kill_at(site_root, "publish", 3, step)
        swapped = STEPS.index(step) >= STEPS.index("swapped")
        expected = 3 if swapped else 2
        assert live(site_root, NODE, "play") == manifest(pages(expected), assets(expected))
        assert verify(site_root, NODE, "play") == ()
        assert put_version(site_root, 3).swapped is not swapped
        put_version(site_root, 4)
    assert reader.seen[0] == 2
    assert reader.seen[-1] == 4
    assert verify(site_root, NODE, "play") == ()
    assert not list((site_root.path / NODE / "play").rglob(".tmp-*"))
    prune(keeping(site_root, 1), NODE, "play")
    assert len(list((site_root.path / NODE / "play" / "releases").iterdir())) == 2


@pytest.mark.parametrize("step", [step for step in STEPS if step != "previous"])
def test_a_kill_of_the_first_publish_is_made_good(
    site_root: SiteRoot, kill_at: KillAt, step: str
) -> None:
    """With nothing live before, the next publish makes the app live."""
    kill_at(site_root, "publish", 1, step)
    put_version(site_root, 1)
    assert live(site_root, NODE, "play") == manifest(pages(1), assets(1))
    assert verify(site_root, NODE, "play") == ()


@pytest.mark.parametrize(
    ("how", "step"),
    [("repair", step) for step in REPAIRING] + [("by links", step) for step in TEMPORARY_RELEASE],
)
def test_a_kill_while_repairing_is_made_good(
    site_root: SiteRoot, kill_at: KillAt, how: str, step: str
) -> None:
    """Whole pages are served all the time, and the next publish heals the rest."""
    put_version(site_root, 1)
    (site_root.path / NODE / "play" / "current" / "play/p5/index.html").unlink()
    with reading(site_root) as reader:
        kill_at(site_root, how, 1, step)
        put_whole(site_root, 1)
    assert reader.seen == [1]
    assert verify(site_root, NODE, "play") == ()
    prune(keeping(site_root, 1), NODE, "play")
    assert len(list((site_root.path / NODE / "play" / "releases").iterdir())) == 1


def test_a_kill_while_pruning_is_made_good(site_root: SiteRoot, kill_at: KillAt) -> None:
    """A half-removed release is never taken for one."""
    for version in range(1, 6):
        put_version(site_root, version)
    kill_at(site_root, "prune", 0, "pruning")
    assert put_version(site_root, 1).swapped
    assert verify(site_root, NODE, "play") == ()
    prune(keeping(site_root, 2), NODE, "play")
    assert len(list((site_root.path / NODE / "play" / "releases").iterdir())) == 2


def test_every_step_is_tried(site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps named here are those that are taken, in their order."""
    reached: list[str] = []
    monkeypatch.setattr(failpoints, "hook", reached.append)

    def steps_of(call: Callable[[], object]) -> tuple[str, ...]:
        reached.clear()
        call()
        return tuple(reached)

    put_version(site_root, 1)
    assert steps_of(lambda: put_version(site_root, 2)) == STEPS
    assert steps_of(lambda: refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))) == MAKING
    assert steps_of(lambda: put_version(site_root, 3)) == RECYCLING
    for version in range(4, 7):
        put_version(site_root, version)
    assert steps_of(lambda: refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))) == REMAKING


@pytest.mark.parametrize("step", RECYCLING)
@pytest.mark.parametrize("base", ["standby tree", "oldest release"])
def test_a_kill_while_recycling_leaves_a_whole_release_live(
    site_root: SiteRoot, kill_at: KillAt, base: str, step: str
) -> None:
    """Whatever has become of the folder that the new release is made of, before the swap the old
    one is live and after it the new; so are those that are kept, and the next publish succeeds."""
    hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
    if base == "standby tree":
        refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))
    with reading(site_root) as reader:
        kill_at(site_root, "publish", 7, step)
        swapped = RECYCLING.index(step) >= RECYCLING.index("swapped")
        expected = 7 if swapped else 6
        assert live(site_root, NODE, "play") == manifest(pages(expected), assets(expected))
        assert verify(site_root, NODE, "play") == ()
        assert put_version(site_root, 7).swapped is not swapped
        put_version(site_root, 8)
    assert reader.seen[-1] == 8
    assert verify(site_root, NODE, "play") == ()
    releases = AppFolder.of(site_root, NODE, "play").releases
    assert not list(releases.rglob(".tmp-*"))
    for build_hash, version in zip(hashes[3:], (4, 5, 6), strict=True):
        for path, content in pages(version).items():
            assert (releases / build_hash / path).read_bytes() == content


@pytest.mark.parametrize(
    ("held", "step"),
    [(2, step) for step in MAKING] + [(6, step) for step in REMAKING],
)
def test_a_kill_while_a_standby_tree_is_made_is_made_good(
    site_root: SiteRoot, kill_at: KillAt, held: int, step: str
) -> None:
    """What is live stays, there is a whole standby tree or none, and the rest is swept."""
    for version in range(1, held + 1):
        put_version(site_root, version)
    place = AppFolder.of(site_root, NODE, "play")
    with reading(site_root) as reader:
        kill_at(site_root, "standby", 0, step)
        assert place.standby.exists() is (step == "standby placed")
        assert verify(site_root, NODE, "play") == ()
        put_version(site_root, held + 1)
    assert reader.seen == [held, held + 1]
    assert verify(site_root, NODE, "play") == ()
    assert not list(place.path.rglob(".tmp-*"))
    refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))
    for path, content in pages(held + 1).items():
        assert (place.standby / path).read_bytes() == content


def test_readers_never_see_a_gap_in_forty_swaps(site_root: SiteRoot) -> None:
    """Pages are whole and never older while one release follows another and old ones go."""
    put_version(site_root, 1)
    with reading(site_root) as reader:
        for version in range(2, 42):
            put_version(site_root, version)
            if version % 10 == 0:
                prune(keeping(site_root, 2), NODE, "play")
            if version % 3 == 0:
                refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))
    assert reader.seen[-1] == 41


def test_nothing_leaks_descriptors(site_root: SiteRoot) -> None:
    """Twenty publishes leave as many descriptors open as one."""
    put_version(site_root, 1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for version in range(2, 22):
        put_version(site_root, version)
        if version % 3 == 0:
            refresh_standby_tree(AppFolder.of(site_root, NODE, "play"))
    prune(site_root, NODE, "play", sweep_hours=0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
