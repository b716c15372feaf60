"""Props with `"format": "embed"`: which addresses they take, and where settings refuse them."""

from __future__ import annotations

import pytest

from robbieblocks.assemble import Assembly, PreparedPage, assemble, refused_embeds
from robbieblocks.model import ANY_HOST, NO_SETTINGS, BlockRow, Host, Json, SiteSettings
from tests.unit.rows import LAYOUTS, a_component, a_page, a_snapshot

_SCHEMA: Json = {"properties": {"src": {"type": "string", "format": "embed"}}}


def _assembled(*sources: str) -> Assembly:
    blocks = tuple(
        BlockRow(order, "main", "film", {"src": each}, {}) for order, each in enumerate(sources, 1)
    )
    film = a_component("film", schema=_SCHEMA)
    content = a_snapshot(a_page("home", blocks=blocks), components=(film,))
    return assemble(content, "play", layouts=LAYOUTS)


def _refused(page: PreparedPage, *hosts: str) -> list[int | None]:
    allowed = SiteSettings(hosts=tuple(Host(each, ("frames",)) for each in hosts))
    return [each.block for each in refused_embeds(page.embeds, page.page, allowed)]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/map/",
        "http://maps.example/",
        "https://a@maps.example/",
        "https://maps.example\\@evil.example/",
        "https://maps.example/\n",
        'https://maps.example/"><script>',
        "https://{{host}}/",
        "https://maps.example/{{query.q}}",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://münchen.example/",
        "https://maps.example/" + "a" * 2_000,
        "https://" + "a." * 50_000,
    ],
)
def test_what_is_no_address_of_an_embed_names_its_place(source: str) -> None:
    """A user before the host, placeholders and other schemes are errors; the text stays short."""
    (problem,) = _assembled(source).problems
    assert (problem.block, problem.field, problem.pointer) == (1, "props", "/src")
    assert "is no address of an embed" in problem.what
    assert len(problem.what) < 500


def test_an_embed_is_refused_where_hosts_allow_frames_of_others_alone() -> None:
    """Without such a host all are allowed, as by the page's policy; the prop stays as it is."""
    found = _assembled("https://Maps.example/?q=a#b", "https://a.b.tiles.example:443")
    assert found.problems == ()
    (page,) = found.pages
    assert page.page.blocks[0].props == {"src": "https://Maps.example/?q=a#b"}
    assert refused_embeds(page.embeds, page.page, NO_SETTINGS) == ()
    assert _refused(page, "https://maps.example") == [2]
    assert _refused(page, "https://*.tiles.example") == [1]
    assert _refused(page, "https://*.maps.example", "https://tiles.example") == [1, 2]
    assert _refused(page, ANY_HOST) == []
    assert _refused(page, "https://maps.example:8443", "https://a.b.tiles.example") == [1]


def test_a_host_covers_what_a_browser_lets_pass() -> None:
    """A wildcard stands for names below its domain, on its port."""
    wide = Host("https://*.cdn.example:8443", ("frames",))
    assert wide.covers("https://a.b.cdn.example:8443")
    assert not wide.covers("https://cdn.example:8443")
    assert not wide.covers("https://a.cdn.example")
    assert not wide.covers("https://evilcdn.example:8443")
    assert not Host("https://*.cdn.example", ("frames",)).covers("https://a.cdn.example.evil.test")
