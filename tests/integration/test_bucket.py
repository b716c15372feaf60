"""Publishing to a bucket, against a real S3 server: what counts, what is written, who wins."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from robbieblocks import events, failpoints
from robbieblocks.bucket import (
    Publisher,
    RouterPointer,
    Telling,
    live_builds,
    open_publisher,
    read_record,
)
from robbieblocks.errors import BucketUnavailable, SiteUnavailable, UsageError
from robbieblocks.model import REDIRECTS_FILE, Redirect, redirects_text, sha256
from robbieblocks.objectstore import Stored
from robbieblocks.release import Retention, SiteRoot
from robbieblocks.settings import BucketSettings, EventSettings, Settings
from tests.integration.releases import NODE, assets, overwrite, pages, put, put_version, served
from tests.s3_server import SECRET, Front

ODD_NAMES = (
    "a b",
    "50%",
    "%2e%2e",
    "caf\u00e9",
    "\u65e5\u672c",
    "a+b&c=d",
    "~x",
    "q?#",
    "[x]*",
    "a'b",
)


@pytest.fixture
def site_root(tmp_path: Path) -> SiteRoot:
    """A site root whose play app is at version 1."""
    root = SiteRoot(tmp_path / "site")
    put_version(root, 1)
    return root


@pytest.fixture(autouse=True)
def no_hook() -> Iterator[None]:
    """A hook of one test is none of the next."""
    yield
    failpoints.hook = lambda _step: None


def publisher(s3: Front, site_root: SiteRoot, layout: str = "router") -> Publisher:
    settings = BucketSettings.of(
        {
            "bucket.url": s3.url,
            "bucket.endpoint": s3.address,
            "bucket.layout": layout,
            "bucket.nodes": NODE,
        }
    )
    assert settings is not None
    return open_publisher(settings, site_root, NODE)


def keys(s3: Front) -> set[str]:
    return {found.key for found in s3.bucket().list()}


def content(s3: Front, key: str) -> bytes:
    found = s3.bucket().get(key)
    assert found is not None, key
    return found.data


def by_router(s3: Front, path: str) -> bytes | None:
    """What a router would answer: by the pointer, the table, and the object."""
    pointer = json.loads(content(s3, "pointer.json"))
    table = json.loads(content(s3, pointer["table"]))
    assert all(s3.bucket().etag(key) for key in table["assets"])
    named = table["files"].get(path)
    return None if named is None else content(s3, named[0])


def test_a_push_brings_what_is_live(s3: Front, site_root: SiteRoot) -> None:
    """Each page is there by its content, each asset by its name, and the pointer names them."""
    done = publisher(s3, site_root).push()
    assert done.swapped
    assert by_router(s3, "/play/p1/") == served(site_root, "play/p1/index.html")
    assert by_router(s3, "/tokens.json") == pages(1)["tokens.json"]
    assert by_router(s3, "/play/p1/index.html") is None
    assert {f"assets/{each.name}" for each in assets(1)} <= keys(s3)
    record = read_record(site_root, NODE)
    assert record is not None
    assert dict(record.builds) == dict(done.builds)
    assert not record.error


def test_an_edit_writes_what_changed_alone(s3: Front, site_root: SiteRoot) -> None:
    """Two pages and an asset differ: they, the table and the pointer are written, in that order."""
    publishing = publisher(s3, site_root)
    publishing.push()
    put_version(site_root, 2)
    s3.requests.clear()
    publishing.push()
    assert len(s3.written) == 6
    assert s3.written[-1] == "pointer.json"
    assert by_router(s3, "/play/p2/") == served(site_root, "play/p2/index.html")
    s3.requests.clear()
    assert not publishing.push().swapped
    assert s3.written == []


def test_a_removed_page_is_gone(s3: Front, site_root: SiteRoot) -> None:
    """The table names it no more; its bytes stay for as long as an older table is kept."""
    publishing = publisher(s3, site_root)
    publishing.push()
    fewer = pages(1, count=3)
    put(site_root, fewer, assets(1))
    publishing.push()
    assert by_router(s3, "/play/p5/") is None
    assert by_router(s3, "/play/p2/") == fewer["play/p2/index.html"]


TOLD = EventSettings(on_publish=("purge",))


def outbox(settings: Settings) -> list[dict[str, Any]]:
    """What waits to be told."""
    folder = events.folder_of(settings.site_root, NODE)
    return [json.loads(each.read_bytes()) for each in sorted(folder.glob("evt_*.json"))]


def test_what_the_bucket_has_is_told_once_it_has_it(s3: Front, site_root: SiteRoot) -> None:
    """Not before, not twice, with the pages that changed; also after a failure in between."""
    settings = replace(Settings.from_environment(), site_root=site_root.path, events=TOLD)
    publishing = publisher(s3, site_root)
    publishing.push()
    publishing.tell = Telling(settings, site_root, NODE).tell
    publishing.push()
    assert outbox(settings) == []
    before = dict(live_builds(site_root, NODE))["play"]
    put_version(site_root, 2)
    s3.refuse = lambda each: (403, "AccessDenied") if each.key.endswith("pointer.json") else None
    with pytest.raises(BucketUnavailable):
        publishing.push()
    assert outbox(settings) == []
    s3.refuse = lambda _request: None

    def fail(step: str) -> None:
        if step == "bucket not told":
            raise SiteUnavailable("as if killed here")

    failpoints.hook = fail
    with pytest.raises(SiteUnavailable):
        publishing.push()
    assert outbox(settings) == []
    failpoints.hook = lambda _step: None
    for _time in range(2):
        publishing.push()
    (event,) = outbox(settings)
    assert event["type"] == "bucket.published"
    assert event["data"]["release_before"] == before
    assert event["data"]["release"] == dict(live_builds(site_root, NODE))["play"]
    assert {each["path"] for each in event["data"]["pages"]} == {"/play/", "/play/p1/", "/play/p2/"}
    assert {each["change"] for each in event["data"]["pages"]} == {"changed"}


# Runs one push, and is killed when it reaches the step for the given time.
VICTIM = """
import os, signal, sys
from pathlib import Path
from robbieblocks import events, failpoints
from robbieblocks.bucket import open_publisher
from robbieblocks.release import SiteRoot
from robbieblocks.settings import BucketSettings, EventSettings, Settings
from tests.integration.releases import NODE
url, endpoint, layout, root, step = sys.argv[1:]
given = {"bucket.url": url, "bucket.endpoint": endpoint, "bucket.layout": layout}
settings = BucketSettings.of(given | {"bucket.nodes": NODE})
def hook(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)
failpoints.hook = hook
open_publisher(settings, SiteRoot(Path(root)), NODE).push()
"""


def kill_at(s3: Front, site_root: SiteRoot, layout: str, step: str) -> None:
    argv = [sys.executable, "-c", VICTIM, s3.url, s3.address, layout, str(site_root.path), step]
    done = subprocess.run(argv, check=False, timeout=50, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.chaos
@pytest.mark.parametrize("step", ["bucket object", "bucket objects", "bucket pointer"])
def test_a_killed_push_is_never_seen_by_the_router(
    s3: Front, site_root: SiteRoot, step: str
) -> None:
    """What counts is the release before, whole, or the new one; the next push goes on."""
    publishing = publisher(s3, site_root)
    publishing.push()
    before = served(site_root, "play/p2/index.html")
    put_version(site_root, 2)
    kill_at(s3, site_root, "router", step)
    after = served(site_root, "play/p2/index.html")
    assert by_router(s3, "/play/p2/") == (after if step == "bucket pointer" else before)
    assert publishing.push().swapped is (step != "bucket pointer")
    assert by_router(s3, "/play/p2/") == after


def test_a_first_push_that_was_cut_off_goes_on(s3: Front, site_root: SiteRoot) -> None:
    """What is there since is not written again, where there is enough to ask for a list."""
    put(site_root, pages(1, count=60), assets(1))
    publishing = publisher(s3, site_root)
    publishing.go_on = lambda: len(s3.written) < 30
    with pytest.raises(BucketUnavailable, match="interrupted"):
        publishing.push()
    assert "pointer.json" not in keys(s3)
    there = len(keys(s3))
    s3.requests.clear()
    publishing.go_on = lambda: True
    done = publishing.push()
    assert there >= 30
    assert done.objects < 60 - there + 10
    assert by_router(s3, "/play/p59/") == served(site_root, "play/p59/index.html")


@pytest.mark.parametrize("layout", ["router", "flat"])
def test_one_that_slept_brings_back_nothing_older(
    s3: Front, site_root: SiteRoot, layout: str
) -> None:
    """A newer push in the middle of one: the one that was there later reads what is live again."""
    publishing = publisher(s3, site_root, layout)
    publishing.push()
    put_version(site_root, 2)

    def meanwhile(step: str) -> None:
        if step == "bucket objects":
            failpoints.hook = lambda _step: None
            put_version(site_root, 3)
            assert publisher(s3, site_root, layout).push().swapped

    failpoints.hook = meanwhile
    publishing.push()
    shown = {
        number: served(site_root, f"play/p{number}/index.html")
        for number in range(1, len(pages(1)) - 1)
    }
    if layout == "router":
        assert {number: by_router(s3, f"/play/p{number}/") for number in shown} == shown
    else:
        found = {number: content(s3, f"play/p{number}/index.html") for number in shown}
        assert found == shown


def test_another_site_root_takes_over_only_where_it_may(
    s3: Front, site_root: SiteRoot, tmp_path: Path
) -> None:
    """It is refused until its caller says that it publishes now; then the first one is refused."""
    first = publisher(s3, site_root)
    first.push()
    other_root = SiteRoot(tmp_path / "other")
    put_version(other_root, 7)
    other = publisher(s3, other_root)
    with pytest.raises(UsageError, match="another site root"):
        other.push()
    assert by_router(s3, "/play/p1/") == served(site_root, "play/p1/index.html")
    other.may_take_over = lambda: True
    assert other.push().taken_over
    put_version(site_root, 2)
    with pytest.raises(UsageError, match="--adopt"):
        first.push()
    assert by_router(s3, "/play/p7/") == served(other_root, "play/p7/index.html")
    assert first.push(adopt=True).taken_over


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((403, "AccessDenied"), "let this account"),
        ((403, "RequestTimeTooSkewed"), "clock right"),
        ((403, "SignatureDoesNotMatch"), "AWS_SECRET_ACCESS_KEY"),
        ((404, "NoSuchBucket"), "make the bucket"),
        ((503, "SlowDown"), "tried again more slowly"),
    ],
)
def test_a_refusal_is_told_and_recorded(
    s3: Front, site_root: SiteRoot, answer: tuple[int, str], said: str
) -> None:
    """The error names what was attempted and the remedy, and no secret; what is live stays so."""
    publishing = publisher(s3, site_root)
    s3.refuse = lambda _request: answer
    live = served(site_root, "play/p1/index.html")
    with pytest.raises(BucketUnavailable, match=said) as raised:
        publishing.push()
    assert s3.url in str(raised.value)
    assert SECRET not in str(raised.value)
    record = read_record(site_root, NODE)
    assert record is not None
    assert record.tries == 1
    assert said in record.error
    assert served(site_root, "play/p1/index.html") == live
    s3.refuse = lambda _request: None
    publishing.push()
    record = read_record(site_root, NODE)
    assert record is not None
    assert not record.error


def test_without_a_server_it_says_so(s3: Front, site_root: SiteRoot) -> None:
    """Nobody listens at the endpoint: the error says that, and the next push is tried as any."""
    s3.address = "http://127.0.0.1:9"
    with pytest.raises(BucketUnavailable, match="could not read s3://"):
        publisher(s3, site_root).push()


def test_a_lost_answer_is_no_other_publisher(s3: Front, site_root: SiteRoot) -> None:
    """The pointer was written and its answer lost: the push succeeds, and it counts."""
    lost: list[str] = []

    def lose(request: object) -> bool:
        key = getattr(request, "key", "")
        is_it = getattr(request, "method", "") == "PUT" and key.endswith("pointer.json")
        if is_it and not lost:
            lost.append(key)
            return True
        return False

    s3.lose = lose
    publishing = publisher(s3, site_root)
    try:
        publishing.push()
    except BucketUnavailable:
        # The client did not write it again by itself; the next push finds that it counts.
        assert not publishing.push().swapped
    assert lost
    assert by_router(s3, "/play/p1/") == served(site_root, "play/p1/index.html")


def test_what_no_kept_release_needs_is_removed_when_it_is_old(
    s3: Front, site_root: SiteRoot
) -> None:
    """Of eight releases the last five are whole afterwards; what is younger than a day stays."""
    publishing = publisher(s3, site_root)
    tables: list[str] = []
    for version in range(1, 9):
        put_version(site_root, version)
        publishing.push()
        pointer = publishing.published()
        assert isinstance(pointer, RouterPointer)
        tables.append(pointer.table)
    assert publishing.prune() == 0
    publishing.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    assert publishing.prune() > 0
    assert {key for key in keys(s3) if key.startswith("releases/")} == set(tables[-5:])
    for table in tables[-5:]:
        named = json.loads(content(s3, table))
        for key, _app in named["files"].values():
            assert sha256(content(s3, key)) in key
        assert all(s3.bucket().etag(key) for key in named["assets"])


def test_a_bucket_keeps_what_the_settings_of_the_site_say(s3: Front, site_root: SiteRoot) -> None:
    """Fewer releases and days leave fewer tables and pages; assets stay for open tabs."""
    kept = replace(site_root, retention=Retention(releases=2, days=0, asset_days=3.0))
    publishing = publisher(s3, kept)
    tables: list[str] = []
    for version in range(1, 6):
        put_version(site_root, version)
        publishing.push()
        pointer = publishing.published()
        assert isinstance(pointer, RouterPointer)
        tables.append(pointer.table)
    publishing.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    assert publishing.prune() > 0
    found = keys(s3)
    assert {key for key in found if key.startswith("releases/")} == set(tables[-2:])
    assert len({key for key in found if key.startswith("assets/")}) == 1 + 5
    publishing.clock = lambda: datetime.now(UTC) + timedelta(days=3, hours=1)
    assert publishing.prune() == 3
    assert len({key for key in keys(s3) if key.startswith("assets/")}) == 1 + 2


def test_a_copy_of_a_site_root_is_another_writer(s3: Front, site_root: SiteRoot) -> None:
    """It has the first one's name in its record, and takes a bucket over only where it may."""
    publishing = publisher(s3, site_root)
    publishing.push()
    copy = SiteRoot(site_root.path.with_name("copy"))
    shutil.copytree(site_root.path, copy.path, symlinks=True)
    put_version(copy, 2)
    with pytest.raises(UsageError, match="from another site root"):
        publisher(s3, copy).push()
    publishing.push()
    assert by_router(s3, "/play/") == served(site_root, "play/index.html")
    assert publisher(s3, copy).push(adopt=True).taken_over
    with pytest.raises(UsageError, match="from another site root"):
        publishing.push()


def test_a_lost_object_is_found_and_written_again(s3: Front, site_root: SiteRoot) -> None:
    """Somebody removed a page and cut an asset short: a push that verifies mends both."""
    publishing = publisher(s3, site_root)
    publishing.push()
    page = next(key for key in keys(s3) if key.startswith("pages/"))
    s3.bucket().delete([page])
    assert publishing.push().objects == 0
    done = publishing.push(verify=True)
    assert (done.objects, done.swapped) == (1, False)
    assert page in keys(s3)


def test_a_damaged_file_is_never_published(s3: Front, site_root: SiteRoot) -> None:
    """A live file that is not what its manifest says stops the push before the pointer."""
    live = site_root.path / NODE / "play" / "current" / "play" / "p1" / "index.html"
    overwrite(live, b"somebody was here")
    with pytest.raises(SiteUnavailable, match="not what its release says"):
        publisher(s3, site_root).push()
    assert "pointer.json" not in keys(s3)


@pytest.mark.parametrize("layout", ["router", "flat"])
def test_a_damaged_manifest_takes_no_page_away(s3: Front, site_root: SiteRoot, layout: str) -> None:
    """An app whose live manifest is garbled is refused, and its pages stay in the bucket."""
    put(site_root, {"404.html": b"nothing here"}, assets(1), app="shared")
    publishing = publisher(s3, site_root, layout)
    publishing.push()
    before = keys(s3)
    shutil.copytree(site_root.path, site_root.path.with_name("copy"), symlinks=True)
    copy = SiteRoot(site_root.path.with_name("copy"))
    overwrite(copy.path / NODE / "play" / "current" / "manifest.json", b"{}")
    damaged = publisher(s3, copy, layout)
    assert dict(live_builds(copy, NODE)) != dict(live_builds(site_root, NODE))
    with pytest.raises(SiteUnavailable, match="the manifest of play is not what"):
        damaged.push(adopt=True)
    assert keys(s3) == before


def test_a_file_of_others_at_a_new_page_s_path_stays(s3: Front, site_root: SiteRoot) -> None:
    """It was put there after the last push: it is found before anything is claimed."""
    publishing = publisher(s3, site_root, "flat")
    publishing.push()
    key = f"play/p{len(pages(1))}/index.html"
    s3.bucket().put(
        Stored(key=key, data=b"theirs", content_type="text/html", cache_control="no-cache")
    )
    put(site_root, {**pages(1), key: b"ours"}, assets(1))
    for _try in range(2):
        with pytest.raises(UsageError, match="was not put there"):
            publishing.push()
        assert content(s3, key) == b"theirs"
    publishing.push(adopt=True)
    assert content(s3, key) == b"ours"


@pytest.mark.parametrize("folder", ["pages", "assets", "releases"])
def test_nothing_of_a_prefix_within_is_removed(
    s3: Front, site_root: SiteRoot, tmp_path: Path, folder: str
) -> None:
    """Another site is published below a folder of this one's: it stays whole."""
    publishing = publisher(s3, site_root)
    publishing.push()
    other_root = SiteRoot(tmp_path / "other")
    put_version(other_root, 7)
    given = {"bucket.url": f"{s3.url}/{folder}", "bucket.endpoint": s3.address}
    settings = BucketSettings.of(given | {"bucket.nodes": NODE})
    assert settings is not None
    open_publisher(settings, other_root, NODE).push()
    before = keys(s3)
    publishing.clock = lambda: datetime.now(UTC) + timedelta(days=30)
    assert publishing.prune() == 0
    assert keys(s3) == before


def test_nothing_is_removed_while_the_table_that_counts_is_gone(
    s3: Front, site_root: SiteRoot
) -> None:
    """Nobody knows then what is needed; a push that verifies writes the table again."""
    publishing = publisher(s3, site_root)
    publishing.push()
    pointer = publishing.published()
    assert isinstance(pointer, RouterPointer)
    s3.bucket().delete([pointer.table])
    before = keys(s3)
    publishing.clock = lambda: datetime.now(UTC) + timedelta(days=30)
    with pytest.raises(UsageError, match="push --verify"):
        publishing.prune()
    assert keys(s3) == before
    publishing.push(verify=True)
    assert publishing.prune() == 0


@pytest.mark.parametrize("layout", ["router", "flat"])
def test_any_name_of_a_page_arrives(s3: Front, site_root: SiteRoot, layout: str) -> None:
    """Spaces, percent signs, other scripts and signs with a meaning in addresses: byte for byte."""
    named = {f"play/{name}/index.html": name.encode() for name in ODD_NAMES}
    put(site_root, {**pages(1), **named}, assets(1))
    publishing = publisher(s3, site_root, layout)
    publishing.push()
    for path, expected in named.items():
        route = unquote("/" + path.removesuffix("index.html"))
        found = by_router(s3, route) if layout == "router" else content(s3, path)
        assert found == expected, path
    assert publishing.push(verify=True).objects == 0
    put(site_root, pages(1), assets(1))
    publishing.push()
    assert not keys(s3) & named.keys()


def test_pages_lie_at_their_paths_in_a_flat_bucket(s3: Front, site_root: SiteRoot) -> None:
    """So do assets; an edit writes what changed, and a removed page goes after all else."""
    publishing = publisher(s3, site_root, "flat")
    publishing.push()
    names = {f"_rb/{each.name}" for each in assets(1)}
    assert keys(s3) == {*pages(1), *names, ".robbieblocks.json"}
    fewer = pages(2, count=4)
    put(site_root, fewer, assets(1))
    s3.requests.clear()
    publishing.push()
    assert content(s3, "play/p2/index.html") == fewer["play/p2/index.html"]
    assert keys(s3) == {*fewer, *names, ".robbieblocks.json"}
    assert s3.written.count(".robbieblocks.json") == 3
    assert set(s3.written) == {
        ".robbieblocks.json",
        "play/index.html",
        "play/p1/index.html",
        "play/p2/index.html",
    }
    s3.requests.clear()
    assert not publishing.push().swapped
    assert s3.written == []


def test_a_redirect_is_a_page_that_leads_on_in_a_flat_bucket(
    s3: Front, site_root: SiteRoot
) -> None:
    """It goes when the row says it no more; for wildcards, and where a page is, there is none."""
    stated = (
        Redirect("/old/", "/play/", 301, "home"),
        Redirect("/old.html", "/play/", 301, "home"),
        Redirect("/play/p1/", "/play/", 301, "home"),
        Redirect("/blog/*", "/play/", 301, "home"),
        Redirect("/gone/", "", 410, "frame"),
    )
    publishing = publisher(s3, site_root, "flat")
    publishing.push()
    before = keys(s3)
    put(site_root, {**pages(1), REDIRECTS_FILE: redirects_text(stated)}, assets(1))
    publishing.push()
    assert keys(s3) - before == {"old/index.html", "old.html", REDIRECTS_FILE}
    assert b'url=/play/"' in content(s3, "old/index.html")
    assert content(s3, "play/p1/index.html") == pages(1)["play/p1/index.html"]
    put_version(site_root, 1)
    publishing.push()
    assert keys(s3) == before


@pytest.mark.chaos
@pytest.mark.parametrize(
    "step",
    [
        "bucket claimed",
        "bucket assets",
        "bucket object",
        "bucket objects",
        "bucket pointer",
        "bucket removed",
    ],
)
def test_a_killed_flat_push_is_gone_on_with(s3: Front, site_root: SiteRoot, step: str) -> None:
    """After a kill at any step the next push leaves exactly what is live."""
    publishing = publisher(s3, site_root, "flat")
    publishing.push()
    fewer = pages(2, count=4)
    put(site_root, fewer, assets(2))
    kill_at(s3, site_root, "flat", step)
    publishing.push()
    found = {key: content(s3, key) for key in keys(s3) if not key.startswith((".", "_rb/"))}
    assert found == fewer
    assert not publishing.push().swapped


def test_what_others_put_there_is_not_written_over(s3: Front, site_root: SiteRoot) -> None:
    """A flat bucket with a file of somebody's at a page's path is refused, and adopted if told."""
    theirs = Stored(
        key="play/index.html", data=b"theirs", content_type="text/html", cache_control="no-cache"
    )
    s3.bucket().put(theirs)
    publishing = publisher(s3, site_root, "flat")
    with pytest.raises(UsageError, match="was not put there"):
        publishing.push()
    assert content(s3, "play/index.html") == b"theirs"
    assert keys(s3) == {"play/index.html"}
    publishing.push(adopt=True)
    assert content(s3, "play/index.html") == served(site_root, "play/index.html")
