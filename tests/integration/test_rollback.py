"""Going back to a release that was live, and the pin that holds it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.model import Manifest, PageEntry, Sha256, only_late_parts_differ
from robbieblocks.release import (
    Pin,
    RolledBack,
    SiteRoot,
    kept_releases,
    pin_live,
    pinned,
    prune,
    roll_back,
    unpin,
    verify,
)
from robbieblocks.release.checking import smoke
from robbieblocks.release.retention.rule import kept_of
from robbieblocks.settings import Address
from tests.integration.releases import (
    NODE,
    app_folder,
    assets,
    keeping,
    pages,
    put,
    put_version,
    served,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOME = "play/index.html"
STEPS = ("pinned", "previous", "swapped", "checked")


def back(site_root: SiteRoot, to: str = "", smoke_url: str | None = None) -> RolledBack:
    """Go back as the command does."""
    return roll_back(
        site_root,
        NODE,
        "play",
        to=to,
        who="ann@web1",
        why="broken",
        now=NOW,
        address=Address(url=smoke_url) if smoke_url else None,
    )


def published(site_root: SiteRoot, count: int) -> list[str]:
    """Publish so many versions, each live a second after the one before; their hashes."""
    hashes: list[str] = []
    for version in range(1, count + 1):
        hashes.append(put_version(site_root, version).build_hash)
        verified = app_folder(site_root).releases / hashes[-1] / ".verified"
        live_at = NOW.timestamp() - 3600 + version
        os.utime(verified, (live_at, live_at))
    return hashes


def version(site_root: SiteRoot) -> int:
    """The version that visitors get."""
    return int(served(site_root, HOME).decode().split("version=")[1].split()[0])


def test_it_goes_back_past_the_index_that_was_made_of_an_edit(site_root: SiteRoot) -> None:
    """The edit without that index is no step back; its release counts for no number."""
    hashes: list[str] = []
    for version_, index in ((1, 1), (2, 1), (2, 2)):
        files = {**pages(version_), "search-play.json": str(index).encode()}
        hashes.append(put(site_root, files, assets(version_)).build_hash)
        live_at = NOW.timestamp() - 3600 + len(hashes)
        os.utime(app_folder(site_root).releases / hashes[-1] / ".verified", (live_at, live_at))
    assert kept_of(app_folder(site_root)).recent == (hashes[2], hashes[0])
    assert back(site_root).pin.build_hash == hashes[0]
    assert version(site_root) == 1
    assert back(site_root, hashes[1]).pin.build_hash == hashes[1]


def test_releases_that_differ_in_late_cards_are_one_step() -> None:
    """Of pages that are made of the same and lacked their card; any other difference is a step."""

    def manifest(body: str, inputs: str = "1", no_card: str = "", index: str = "") -> Manifest:
        files = {"a": Sha256(body), "b": Sha256("same"), "search-play.json": Sha256(index)}
        entry = PageEntry(key="a", route="/a", path="a", inputs=Sha256(inputs), no_card=no_card)
        return Manifest(node="n", app="play", files=files, pages=(entry,))

    lacking, later = manifest("without", no_card="timed out"), manifest("with")
    assert only_late_parts_differ(later, lacking)
    assert only_late_parts_differ(manifest("with", index="made"), lacking)
    assert not only_late_parts_differ(lacking, lacking)
    assert not only_late_parts_differ(later, manifest("without"))
    assert not only_late_parts_differ(manifest("with", inputs="2"), lacking)


def test_it_goes_one_back_and_again_one_further(site_root: SiteRoot) -> None:
    """Not to the release that it has just left; at the oldest it says what there is."""
    hashes = published(site_root, 3)
    first = back(site_root)
    assert (first.before, first.pin.build_hash) == (hashes[2], hashes[1])
    assert version(site_root) == 2
    assert back(site_root).before == hashes[1]
    assert version(site_root) == 1
    with pytest.raises(UsageError, match="before the live one") as error:
        back(site_root)
    assert [line.split()[0] for line in str(error.value).splitlines()[2:]] == [
        each[:12] for each in reversed(hashes)
    ]
    assert version(site_root) == 1


def test_it_goes_where_it_is_told_forward_too(site_root: SiteRoot) -> None:
    """The beginning of a hash is enough; to what is live already only the pin is written."""
    hashes = published(site_root, 3)
    back(site_root, hashes[0][:8])
    assert version(site_root) == 1
    back(site_root, hashes[2].upper())
    assert version(site_root) == 3
    again = back(site_root, hashes[2])
    assert again.before == again.pin.build_hash == hashes[2]


@pytest.mark.parametrize("to", ["zz", "../..", "\x1b[2J", "0" * 64])
def test_what_was_never_live_is_no_release_to_go_to(site_root: SiteRoot, to: str) -> None:
    """The error lists those there are, and nothing of the name acts on a terminal."""
    hashes = published(site_root, 2)
    (app_folder(site_root).releases / hashes[0] / ".verified").unlink()
    for name in (to, hashes[0]):
        with pytest.raises(UsageError, match=hashes[1][:12]) as error:
            back(site_root, name)
        assert "\x1b" not in str(error.value)
    assert pinned(site_root, NODE, "play") is None


def test_the_beginning_of_two_is_refused(site_root: SiteRoot) -> None:
    """It might be either."""
    hashes = published(site_root, 2)
    alike = app_folder(site_root).releases / (hashes[0][:20] + "0" * 44)
    alike.mkdir()
    (alike / ".verified").touch()
    with pytest.raises(UsageError, match="several releases"):
        back(site_root, hashes[0][:20])
    assert back(site_root, hashes[0]).pin.build_hash == hashes[0]


@pytest.mark.parametrize("name", [HOME, "manifest.json", "an asset"])
def test_a_damaged_release_is_refused(site_root: SiteRoot, name: str) -> None:
    """A page, the manifest or an asset that is not what was published; what is live stays."""
    hashes = published(site_root, 2)
    if name == "an asset":
        (file,) = [f for f in app_folder(site_root).assets.iterdir() if b"// 1" in f.read_bytes()]
    else:
        file = app_folder(site_root).releases / hashes[0] / name
    file.chmod(0o644)
    file.write_text("defaced")
    with pytest.raises(UsageError, match=f"release {hashes[0][:12]} of play .* is damaged"):
        back(site_root)
    assert version(site_root) == 2
    assert pinned(site_root, NODE, "play") is None


def test_where_nothing_is_live_there_is_nothing_to_go_back(site_root: SiteRoot) -> None:
    """Nor to pin, nor pinned."""
    with pytest.raises(UsageError, match="nothing of play is live"):
        back(site_root)
    with pytest.raises(UsageError, match="nothing to pin"):
        pin_live(site_root, NODE, "play", who="", why="", now=NOW)
    assert unpin(site_root, NODE, "play") is False
    assert kept_releases(site_root, NODE, "play") == ()


def _damaged(*_args: object) -> list[str]:
    return ["index.html is not what was written"]


def test_an_address_that_is_down_keeps_nobody_from_going_back(site_root: SiteRoot) -> None:
    """Whatever the settings say of releases that are not served: what is wrong is told."""
    hashes = published(site_root, 2)
    went = back(site_root, smoke_url="http://127.0.0.1:9")
    assert version(site_root) == 1
    assert [each.culprit for each in went.not_served] == ["the network"]
    pin = pinned(site_root, NODE, "play")
    assert pin is not None
    assert pin.build_hash == hashes[0]


def test_what_is_wrong_on_the_disk_is_swapped_back(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the pin as it was before."""
    hashes = published(site_root, 2)
    pin_live(site_root, NODE, "play", who="bob", why="fine", now=NOW)
    monkeypatch.setattr(smoke, "check_files", _damaged)
    with pytest.raises(SiteUnavailable, match=f"swapped back to {hashes[1][:12]}"):
        back(site_root)
    assert version(site_root) == 2
    pin = pinned(site_root, NODE, "play")
    assert pin is not None
    assert (pin.build_hash, pin.who) == (hashes[1], "bob")


def test_what_is_gone_back_to_is_never_removed(site_root: SiteRoot) -> None:
    """However many are live after it, in a site root that is opened anew."""
    hashes = published(site_root, 3)
    back(site_root, hashes[0])
    prune(keeping(site_root, 1, days=0), NODE, "play")
    assert {e.build_hash for e in kept_releases(site_root, NODE, "play")} == {hashes[0], hashes[2]}
    assert verify(SiteRoot(site_root.path), NODE, "play") == ()


_VICTIM = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from robbieblocks import failpoints
from robbieblocks.release import SiteRoot, roll_back
def hook(reached):
    if reached == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
failpoints.hook = hook
roll_back(SiteRoot(Path(sys.argv[1])), "vengeance-local", "play", who="ann", why="broken",
          now=datetime.now(UTC))
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_leaves_a_whole_release_live_and_the_next_completes_it(
    site_root: SiteRoot, step: str
) -> None:
    """And from the pin on nothing newer is thought to be wanted."""
    hashes = published(site_root, 2)
    argv = [sys.executable, "-c", _VICTIM, str(site_root.path), step]
    done = subprocess.run(argv, check=False, timeout=50, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert version(site_root) == (2 if step in ("pinned", "previous") else 1)
    pin = pinned(site_root, NODE, "play")
    assert pin is not None
    assert pin.build_hash == hashes[0]
    back(site_root, hashes[0])
    assert version(site_root) == 1
    assert verify(site_root, NODE, "play") == ()


def test_a_pin_that_is_over_holds_nothing(site_root: SiteRoot) -> None:
    """One that is to come to an end does, until then."""
    published(site_root, 1)
    for hours in (-1, 1):
        until = datetime.now(UTC) + timedelta(hours=hours)
        pin_live(site_root, NODE, "play", who="ann", why="fair", now=NOW, until=until)
        assert (pinned(site_root, NODE, "play") is not None) == (hours == 1)


def test_what_people_wrote_by_hand_is_a_pin(site_root: SiteRoot) -> None:
    """A bare hash; an empty file holds what is live."""
    (build_hash,) = published(site_root, 1)
    for text, expected in (("a" * 64 + "\n", "a" * 64), ("", build_hash)):
        app_folder(site_root).pin.write_text(text)
        assert pinned(site_root, NODE, "play") == Pin(build_hash=expected)


@pytest.mark.parametrize(
    "text",
    ["{", "{}", '{"release": 1}', '{"release": "a", "who": "", "why": "", "since": "soon"}'],
)
def test_a_pin_that_says_nothing_is_told_and_can_be_removed(site_root: SiteRoot, text: str) -> None:
    """Nobody guesses what was meant; `unpin` and a rollback replace it."""
    hashes = published(site_root, 2)
    app_folder(site_root).pin.write_text(text)
    with pytest.raises(SiteUnavailable, match="robbieblocks unpin --node vengeance-local"):
        pinned(site_root, NODE, "play")
    back(site_root)
    assert json.loads(app_folder(site_root).pin.read_text())["release"] == hashes[0]
    assert unpin(site_root, NODE, "play") is True
    assert pinned(site_root, NODE, "play") is None


def test_a_pin_tells_who_and_why_on_one_line() -> None:
    """Whatever a person wrote as the reason."""
    pin = Pin(build_hash="a" * 64, who="ann", why="x\n\x1b[31m", since=NOW, until=NOW)
    assert str(pin) == (
        "release aaaaaaaaaaaa is pinned by ann since 2026-06-01 12:00Z until 2026-06-01 12:00Z: "
        r"x\n\x1b[31m"
    )


def test_the_steps_of_a_rollback_are_those_that_are_killed(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No step is left out above."""
    published(site_root, 2)
    reached: list[str] = []
    monkeypatch.setattr(failpoints, "hook", reached.append)
    back(site_root)
    assert tuple(reached) == ("entry written", *STEPS, "acted")


def test_the_release_that_was_left_is_good_of_no_day(site_root: SiteRoot) -> None:
    """It stays one to which one can go, and is as good as any once somebody does."""
    hashes = published(site_root, 2)
    tomorrow = replace(keeping(site_root, 1, days=7), clock=lambda: NOW.timestamp() + 86_400)

    def daily() -> list[str]:
        reasons = kept_of(app_folder(tomorrow)).reasons
        return [name for name, why in reasons.items() if "daily" in why]

    assert daily() == [hashes[1]]
    back(site_root)
    assert daily() == [hashes[0]]
    assert [each.build_hash for each in kept_releases(site_root, NODE, "play")] == hashes[::-1]
    back(site_root, hashes[1])
    assert daily() == [hashes[1]]
