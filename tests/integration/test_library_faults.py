"""Whatever is raised over one row after its page was read is that row's problem, and what is raised
over a whole run is that run's: all other pages, apps and nodes go out, and the next build mends it.
"""

from __future__ import annotations

import errno
import itertools
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks import database, release
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.pipeline.search_indexes import SearchIndexes
from robbieblocks.settings.search import SearchSettings
from robbieblocks.snapshot import media
from tests.building import run_of
from tests.media_files import png
from tests.sites import APP, NODE, Block, MakeSite, Site

pytestmark = pytest.mark.postgres

_EDITS = itertools.count(1)
OTHER = "aurora-town-local"
_CARD = "export default function Card({ text, picture }) { return <p>{text}</p>; }"
_SCHEMA = {"properties": {"picture": {"type": "string", "format": "media"}}}


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """Two pages with a card, a feed, a redirect and a picture each, on two nodes."""
    made = make_site()
    context = made.builder.context
    context.settings = replace(context.settings, search=SearchSettings(frozenset({APP})))
    made.sql(
        "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example',"
        " enabled_apps = '{play}', settings = '{\"social_card\": true}'"
    )
    made.component("card", _CARD, schema=_SCHEMA)
    for key in ("bad", "good"):
        made.sql(
            "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash,"
            " size_bytes, alt) VALUES (%s, %s, 'image/png', %s, '', 0, 'x')",
            *(key, f"{key}.png", png(8, 6)),
        )
        made.page(
            key,
            Block(component="card", props={"text": "one", "picture": f"media:{key}"}),
            title=key,
            metadata={"feed": {"forms": ["json"]}, "redirect_from": [f"/old-{key}/"]},
        )
    context.search = SearchIndexes.of(context.settings, lambda _: None, context.rest, later=False)
    made.builder.build(nodes=[NODE, OTHER])
    return made


def failing(
    real: Callable[..., Any], is_bad: Callable[..., bool], error: type[BaseException]
) -> Callable[..., Any]:
    """A function that raises for what is bad."""

    def call(*given: Any, **named: Any) -> Any:
        if is_bad(*given):
            raise error("a stand-in")
        return real(*given, **named)

    return call


_HELD = [
    (
        "prerender.page.document.PageDocument.fill",
        lambda made, *_: made.address == "/bad/",
        "page bad",
    ),
    (
        "assemble.redirects.resolving._Resolving._shortened",
        lambda _, row, *__: row.key == "bad",
        "page bad, metadata",
    ),
    ("media.making.kind_of", lambda name, *_: name == "bad.png", "component card"),
]
_TOLD = [
    (
        "prerender.page.feeds.feed_files",
        lambda page, _: page.key == "bad",
        "page bad, metadata at /feed",
    ),
    ("media.cards._drawn", lambda _, __, text: text.title == "bad", "page bad"),
    ("pipeline.search_indexes.make_index", lambda *_: True, "setting search.apps"),
    ("pipeline.publishing.composing.card_text", lambda page: page.key == "bad", ""),
]


def _raising(
    door: str, is_bad: Callable[..., bool], error: type[BaseException] = AttributeError
) -> Any:
    """The door in the product raises for what is bad: as it stands, what nobody foresaw."""
    name = f"robbieblocks.{door}"
    return patch(name, failing(pkgutil.resolve_name(name), is_bad, error))


@pytest.mark.parametrize(("door", "is_bad", "where"), _HELD)
def test_a_fault_of_one_row_holds_its_page(
    site: Site, door: str, is_bad: Callable[..., bool], where: str
) -> None:
    """Its last good version stays, with its feed; the page beside it goes out."""
    text, before, feed = _edited(site), site.file("/bad/").read_bytes(), _feed(site)
    with _raising(door, is_bad):
        run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    assert {page.key: page.change for page in run.pages} == {"bad": "held back", "good": "changed"}
    told = [each for each in run.problems if each.where.startswith(where)]
    assert any("stand-in" in each.what for each in told), run.problems
    assert (site.file("/bad/").read_bytes(), _feed(site)) == (before, feed)
    assert text in site.file("/good/").read_text()
    _mended(site)


@pytest.mark.parametrize(("door", "is_bad", "where"), _HELD)
def test_a_machine_without_memory_holds_it_until_the_next_build(
    site: Site, door: str, is_bad: Callable[..., bool], where: str
) -> None:
    """Which publishes it without another edit: nothing keeps what was short of something."""
    text = _edited(site)
    with _raising(door, is_bad, MemoryError):
        run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    (held,) = [page for page in run.pages if page.change == "held back"]
    assert held.key == "bad"
    assert any(each.where.startswith(where) and "Memory" in each.what for each in run.problems)
    run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    assert (run.error, run.held_back, run.problems) == ("", (), ())
    assert text in site.file("/bad/").read_text()


def _full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("door", "full"),
    [
        ("robbieblocks.cache.Cache._run", lambda *_: None),
        ("robbieblocks.cache.Cache.put_many", lambda *_: None),
        ("tempfile.mkdtemp", _full),
    ],
)
def test_a_full_disk_beside_the_site_root_holds_no_page(
    site: Site, door: str, full: Callable[..., Any]
) -> None:
    """Neither that of the cache, with media and cards to be made, nor that of temporary files,
    where an index is: it is warned of, and made by the next build."""
    text = _edited(site)
    with patch(door, full):
        run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    assert (run.error, run.held_back) == ("", ())
    assert text in site.file("/bad/").read_text()
    assert "/_rb/card-" in site.file("/good/").read_text()
    assert {(each.entity, each.severity) for each in run.problems} <= {("setting", "warning")}
    run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    assert (run.error, run.held_back, run.problems) == ("", (), ())
    assert (run.outcome == "published") == (door == "tempfile.mkdtemp")


def test_a_database_that_is_lost_while_media_are_read_leaves_all_as_it_was(site: Site) -> None:
    """One error of the database; the next build makes them."""
    text, before = _edited(site), site.file("/good/").read_bytes()
    conninfo = site.builder.settings.database_url or ""
    real = media.content

    def lost(connection: Any, key: str) -> Any:
        with psycopg.connect(make_conninfo(conninfo, user="postgres"), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        return real(connection, key)

    with (
        database.connect(site.builder.settings, application_name="test") as doomed,
        patch.object(media, "content", lost),
        pytest.raises(DatabaseUnavailable, match="try"),
    ):
        replace(site.builder, connection=doomed).build(nodes=[NODE])
    assert site.file("/good/").read_bytes() == before
    with database.connect(site.builder.settings, application_name="test") as again:
        run = run_of(replace(site.builder, connection=again).build(nodes=[NODE]), NODE, APP)
    assert (run.error, run.held_back, run.problems) == ("", (), ())
    assert text in site.file("/good/").read_text()


@pytest.mark.parametrize(("door", "is_bad", "where"), _TOLD)
def test_a_fault_over_what_goes_with_pages_holds_none(
    site: Site, door: str, is_bad: Callable[..., bool], where: str
) -> None:
    """A feed stays as it was, a card and an index are made the next time."""
    _edited(site)
    feed = _feed(site)
    with _raising(door, is_bad):
        run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    assert (run.error, {page.change for page in run.pages}) == ("", {"changed"})
    told = [each for each in run.problems if "stand-in" in each.what]
    assert {(each.where.startswith(where), each.severity) for each in told} <= {(True, "warning")}
    assert bool(told) == bool(where)
    assert (_feed(site) == feed) == door.endswith("feed_files")
    _mended(site)


@pytest.mark.parametrize(
    "raised", [AttributeError("a stand-in"), OSError(errno.ENOSPC, "no space")]
)
def test_a_fault_of_one_run_ends_no_other(site: Site, raised: Exception) -> None:
    """Of a library, or of a full disk: that one is tried again."""
    text = _edited(site)
    real = release.write_release

    def write(root: Any, manifest: Any, *rest: Any) -> Any:
        if manifest.node == NODE:
            raise raised
        return real(root, manifest, *rest)

    with patch.object(release, "write_release", write):
        report = site.builder.build(nodes=[NODE, OTHER])
    failed = run_of(report, NODE, APP)
    assert failed.outcome == "failed"
    assert ("stand-in" in failed.error, failed.transient) in {(True, False), (False, True)}
    assert "->" in failed.error
    assert text not in site.file("/good/").read_text()
    assert text in site.file("/good/", node=OTHER).read_text()
    _mended(site)


def _edited(site: Site) -> str:
    """Edit both pages and their pictures; the text that they show now."""
    edits = next(_EDITS)
    text = f"text {edits}"
    site.sql(
        "UPDATE robbieblocks_page_blocks SET props = props || jsonb_build_object('text', %s::text)"
        " WHERE props ? 'picture'",
        text,
    )
    site.sql("UPDATE media_assets SET content = %s", png(8 + edits, 6))
    site.sql(
        "UPDATE robbieblocks_pages SET meta_description = %s, metadata = metadata ||"
        " jsonb_build_object('redirect_from', jsonb_build_array(concat('/', page_key, %s::text)))",
        *(text, f"-{edits}/"),
    )
    return text


def _mended(site: Site) -> None:
    """With the next edit all is well."""
    text = _edited(site)
    run = run_of(site.builder.build(nodes=[NODE]), NODE, APP)
    assert (run.error, run.held_back, run.problems) == ("", (), ())
    assert text in site.file("/bad/").read_text()
    assert text in site.file("/good/").read_text()
    assert text in _feed(site)


def _feed(site: Site) -> str:
    (found,) = site.file("/bad/").parent.glob("*.json")
    return found.read_text()
