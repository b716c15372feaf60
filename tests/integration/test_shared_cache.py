"""Nodes that share a cache build an edit once, and build as before where the bucket fails them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.bundle.components import Components
from robbieblocks.cli.operating.doctor import kept
from robbieblocks.cli.operating.status_findings import cache_troubles
from robbieblocks.model import ComponentRow
from robbieblocks.settings import SHARED_CACHE_KEY, Settings, SharedCacheSettings
from robbieblocks.shared_cache import remove_old
from robbieblocks.shared_cache.pace import Pace
from tests.building import Builder, MakeBuilder
from tests.media_files import png
from tests.s3_server import SECRET, Answer, Front, Request
from tests.workers import until

pytestmark = pytest.mark.postgres

NODE = "vengeance-local"


@pytest.fixture
def named(s3: Front, monkeypatch: pytest.MonkeyPatch) -> SharedCacheSettings:
    """The bucket, with the nodes' key in the environment."""
    monkeypatch.setenv(SHARED_CACHE_KEY, base64.b64encode(b"k" * 32).decode())
    return SharedCacheSettings(url=s3.url, endpoint=s3.address)


MakeNode = Callable[..., Builder]


@pytest.fixture
def make_node(
    make_builder: MakeBuilder, seeded_database: str, named: SharedCacheSettings, tmp_path: Path
) -> MakeNode:
    """Opens installations of one database that have nothing but the shared cache in common."""

    def make(name: str, **changes: Any) -> Builder:
        home = tmp_path / name
        given: dict[str, Any] = {"shared_cache": named, "home": home, "cache": home / "cache"}
        return make_builder(seeded_database, **(given | {"site_root": home / "site"} | changes))

    return make


def _picture(builder: Builder) -> None:
    builder.sql(
        "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash,"
        " is_decorative) VALUES ('dawn', 'dawn.png', '', %s, '', true)",
        png(900, 30),
    )
    builder.sql(
        "UPDATE robbieblocks_components SET css_styles = coalesce(css_styles, '')"
        " || '.dawn { background: url(media:dawn) }' WHERE component_key = 'page-hero'"
    )


def _live(builder: Builder) -> dict[str, bytes]:
    node = builder.settings.site_root / NODE
    pages = [app for app in ("play", "shared") if (node / app).exists()]
    assets = {each.name: each.read_bytes() for each in (node / "assets").iterdir()}
    return assets | {
        f"{app}/{path}": content
        for app in pages
        for path, content in builder.files(NODE, app).items()
    }


def _built(builder: Builder) -> dict[str, bytes]:
    report = builder.build(nodes=[NODE])
    assert [run.error for run in report.runs] == [""] * len(report.runs)
    shared = builder.context.shared
    assert shared is not None
    until(lambda: shared._writer is None, "what is to be written")
    return _live(builder)


def test_what_one_node_makes_the_others_fetch(
    make_node: MakeNode, s3: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second makes no picture, and compiles components only where few are missing; both sites
    have equal bytes. An edit of a block then makes no request at all."""
    for module in ("shared", "opening"):
        monkeypatch.setattr(f"robbieblocks.shared_cache.{module}.ASK_S", 60.0)
    # What is asked for is not to depend on how busy this machine is.
    monkeypatch.setattr(Pace, "took", lambda *_: None)
    first, second = make_node("first"), make_node("second")
    _picture(first)
    made = _built(first)
    # Eight components, a picture, the claim to make it, and what else took long here.
    assert len(s3.written) >= 10
    monkeypatch.setattr("robbieblocks.media.child.start_child", lambda: pytest.fail("a picture"))
    compiled: list[str] = []
    compile_ = Components._compile

    def noted(self: Components, rows: Sequence[ComponentRow], keys: Mapping[str, str]) -> None:
        compiled.extend(row.key for row in rows)
        compile_(self, rows, keys)

    monkeypatch.setattr(Components, "_compile", noted)
    s3.requests.clear()
    assert _built(second) == made
    assert s3.written == []
    assert len(compiled) < 8
    assert second.context.shared is not None
    assert second.context.shared.counts.found == 9
    assert second.context.shared.counts.failures == 0
    s3.requests.clear()
    second.sql(
        'UPDATE robbieblocks_page_blocks SET props = props || \'{"title": "Shout"}\''
        " WHERE id = (SELECT id FROM robbieblocks_page_blocks WHERE props ? 'title' LIMIT 1)"
    )
    assert b"Shout" in b"".join(_built(second).values())
    assert s3.requests == [], "a small edit asks for nothing, and shares nothing"


def _refused(_: Request) -> Answer:
    return (500, "InternalError")


def _full(request: Request) -> Answer | None:
    return (507, "QuotaExceeded") if request.method == "PUT" else None


def _without_rights(_: Request) -> Answer:
    return (403, "AccessDenied")


def _lying(request: Request) -> Answer | None:
    return (200, "") if request.method == "GET" else None


@pytest.mark.parametrize("refuse", [_refused, _full, _without_rights, _lying])
def test_a_bucket_that_fails_changes_nothing_but_time(
    make_node: MakeNode,
    s3: Front,
    refuse: Callable[[Request], Answer | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything goes out, and `status` says why the bucket is not used, without what it quoted."""
    # As above: a busy machine would not try to share the components at all.
    monkeypatch.setattr(Pace, "took", lambda *_: None)
    s3.refuse = refuse
    node, alone = make_node("node"), make_node("alone", shared_cache=None)
    alone.build(nodes=[NODE])
    assert _built(node) == _live(alone)
    shared = node.settings.shared_cache
    assert shared is not None
    found = [str(each) for each in cache_troubles(node.settings.cache, shared.url, [NODE])]
    assert found
    assert "could not be used since" in found[0]
    assert SECRET not in "".join(found)
    (told,) = kept.shared(node.settings)
    assert told.state == "note"
    assert len(s3.requests) < 40


def test_doctor_tries_the_bucket_and_leaves_nothing(
    named: SharedCacheSettings,
    s3: Front,
    make_settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says that entries come back; a key that is missing is broken, since no build starts."""
    settings = replace(make_settings(), shared_cache=named)
    assert [each.state for each in kept.shared(settings)] == ["ok"]
    assert list(s3.bucket().list()) == []
    assert remove_old(named) == 0
    monkeypatch.delenv(SHARED_CACHE_KEY)
    (missing,) = kept.shared(settings)
    assert missing.state == "broken"
    assert "is not set" in missing.what
    assert list(kept.shared(make_settings())) == []
