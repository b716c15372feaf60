"""Pages in several languages, from rows to what is served: heads, sitemap, switchers, and edits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from robbieblocks.pipeline import BuildReport
from tests.sites import Block, MakeSite, Site

pytestmark = pytest.mark.postgres

_SWITCHER = """export default function Switcher({ languages = [] }) {
  return <nav>{languages.map((each) => (
    <a key={each.lang} href={each.route} lang={each.lang} hrefLang={each.fallback ?? each.lang}
       aria-current={each.current ? "true" : undefined}>{each.name}</a>
  ))}</nav>;
}"""
_PRICE = """export default function Price({ lang }) {
  const euros = new Intl.NumberFormat(lang, { style: "currency", currency: "EUR" });
  return <p>{euros.format(1234.5)}</p>;
}"""
_UNKNOWN = """export default function Unknown({ tags }) {
  const known = (tag) => [Intl.NumberFormat, Intl.DateTimeFormat, Intl.PluralRules].every(
    (each) => each.supportedLocalesOf(tag).length === 1
  );
  return <p>{`unknown: ${tags.filter((tag) => !known(tag)).join(" ")}`}</p>;
}"""
_ALTERNATE = re.compile(r'<link rel="alternate" hreflang="([^"]*)" href="([^"]*)">')


@pytest.fixture
def shop(make_site: MakeSite) -> Site:
    """A page in English and Arabic, one in English alone, with a switcher in a frame."""
    site = make_site()
    site.sql("UPDATE robbieblocks_node_branding SET base_url = 'https://site.example/'")
    site.component("switcher", _SWITCHER)
    site.component("price", _PRICE)
    switcher = Block(
        component="switcher", zone="header", props={"languages": {"$page": "translations"}}
    )
    languages = {"offered": ["en", "ar", "fr"], "fallback": "en"}
    frame = {"frame": True, "settings": {"languages": languages}}
    site.page("frame", switcher, route="", metadata=frame)
    price = Block(component="price", props={"lang": {"$page": "lang"}})
    site.page("home", price)
    site.page("arabic", price, route="/ar/", metadata={"lang": "ar", "translation_of": "home"})
    site.page("about", price)
    site.build()
    assert not site.problems(warnings=True)
    return site


def head(site: Site, route: str) -> list[tuple[str, str]]:
    return _ALTERNATE.findall(site.file(route).read_text())


def rewritten(report: BuildReport) -> dict[str, str]:
    (run,) = report.plan.runs
    return {page.key: page.change for page in run.pages}


def in_sitemap(site: Site) -> dict[str, list[str]]:
    text = (site.file("/about/").parent.parent / "sitemap-play.xml").read_text()
    return {
        loc: re.findall('hreflang="([^"]*)"', more)
        for loc, more in re.findall("<url><loc>([^<]*)</loc>(.*?)</url>", text)
    }


def test_pages_name_their_translations(shop: Site) -> None:
    """In their heads and in the sitemap, with the language of each and its direction."""
    expected = [
        ("ar", "https://site.example/ar/"),
        ("en", "https://site.example/home/"),
        ("x-default", "https://site.example/home/"),
    ]
    assert head(shop, "/home/") == head(shop, "/ar/") == expected
    assert head(shop, "/about/") == []
    assert in_sitemap(shop) == {
        "https://site.example/about/": [],
        "https://site.example/ar/": ["ar", "en", "x-default"],
        "https://site.example/home/": ["ar", "en", "x-default"],
    }
    arabic = shop.file("/ar/").read_text()
    assert '<html lang="ar" dir="rtl"' in arabic
    assert '<a class="rb-skip" href="#main" lang="en" dir="ltr">' in arabic
    assert '<html lang="en" data-theme' in shop.file("/home/").read_text()
    assert 'aria-current="true">العربية</a>' in arabic
    assert 'hrefLang="en"' in arabic.replace("hreflang", "hrefLang")


def test_a_translation_rewrites_its_group(shop: Site) -> None:
    """And no other page; where it leaves, the group is as it was."""
    before = shop.file("/home/").read_bytes()
    shop.page("accueil", "price", metadata={"lang": "fr", "translation_of": "home"})
    assert rewritten(shop.build()) == {"accueil": "added", "home": "changed", "arabic": "changed"}
    assert [lang for lang, _ in head(shop, "/home/")] == ["ar", "en", "fr", "x-default"]
    shop.sql("UPDATE robbieblocks_pages SET meta_title = 'New' WHERE page_key = 'about'")
    assert rewritten(shop.build()) == {"about": "changed"}
    shop.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'accueil'")
    done = rewritten(shop.build())
    assert done == {"accueil": "removed", "home": "changed", "arabic": "changed"}
    assert shop.file("/home/").read_bytes() == before


def test_a_node_without_an_address_names_none(shop: Site) -> None:
    """Their URLs must be absolute."""
    shop.sql("UPDATE robbieblocks_node_branding SET base_url = NULL")
    shop.build()
    assert head(shop, "/home/") == []
    assert not (shop.file("/about/").parent.parent / "sitemap-play.xml").exists()


def test_the_sitemap_has_what_is_live(shop: Site) -> None:
    """A page that is held back stands there at its live route, one that never went out nowhere."""
    shop.sql(
        "UPDATE robbieblocks_pages SET page_route = '/new/', metadata = %s"
        " WHERE page_key = 'about'",
        json.dumps({"lang": "de", "translation_of": "nobody"}),
    )
    shop.page("never", "price", metadata={"lang": "it", "translation_of": "arabic"})
    assert rewritten(shop.build()) == {"about": "held back", "never": "held back"}
    assert in_sitemap(shop).keys() == {
        "https://site.example/about/",
        "https://site.example/ar/",
        "https://site.example/home/",
    }


def test_prices_are_written_as_the_page_s_language_does(shop: Site) -> None:
    """At build, without a script for visitors."""
    assert "€1,234.50" in shop.file("/home/").read_text()
    shop.page("preis", "price", metadata={"lang": "de"})
    shop.sql(
        'UPDATE robbieblocks_page_blocks SET props = \'{"lang": {"$page": "lang"}}\''
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'preis')"
    )
    # Those that the document promises.
    how_to = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "languages.md"
    promised = how_to.read_text().partition("Chromium knows")[2].partition(".\n\nIn")[0]
    tags = re.findall("`([a-z]{2,3}(?:-[A-Z]{2})?)`", promised)
    assert len(tags) > 50
    shop.component("unknown", _UNKNOWN)
    shop.page("unknown", Block(component="unknown", props={"tags": tags}))
    shop.build()
    assert "<p>unknown: </p>" in shop.file("/unknown/").read_text()
    html = shop.file("/preis/").read_text()
    assert "1.234,50" in html
    assert "rb-islands" not in html


def test_the_sitemap_says_when_pages_changed(shop: Site) -> None:
    """By the rows of the page and of its blocks; one that shows a list says nothing."""

    def last() -> dict[str, str]:
        text = (shop.file("/about/").parent.parent / "sitemap-play.xml").read_text()
        return dict(re.findall("<loc>https://site.example/(.*?)/</loc><lastmod>(.*?)</", text))

    shop.page("list", Block(component="price", props={"items": {"$pages": {}}}))
    shop.sql(
        "UPDATE robbieblocks_pages SET updated_at = '2024-05-01T23:30:00-01:00',"
        " meta_description = 'x',"
        " published_at = CASE page_key WHEN 'home' THEN '2024-06-01Z'::timestamptz END"
    )
    shop.sql("UPDATE robbieblocks_page_blocks SET updated_at = '2024-01-01Z', conditions = '{}'")
    shop.build()
    assert last() == {"about": "2024-05-02", "ar": "2024-05-02", "home": "2024-06-01"}
    shop.sql(
        "UPDATE robbieblocks_page_blocks SET props = '{}', updated_at = '2024-07-01Z'"
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'about')"
    )
    shop.build()
    assert last()["about"] == "2024-07-01"
    assert last()["home"] == "2024-06-01"
