"""The copies of pages in a preview's folder: nothing of them runs, and all their text stays."""

from __future__ import annotations

from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from robbieblocks.model import Manifest, PageEntry, sha256
from robbieblocks.pipeline import ComposedRun, Target
from robbieblocks.review import (
    Base,
    FieldChange,
    PageEffect,
    Review,
    Reviewed,
    RowChange,
    report_folder,
)

_PAGE = """<!DOCTYPE html><html data-theme="dark"><head lang="en">
<meta http-equiv=refresh content="0;url=https://a.example"><title>a</title>
<script data-of="a<b>c">alert(1)</script><style>p{background:url(/_rb/a.png)}</style></head>
<body class="a>b"><!-- <script> --><p title="<script>">one</p>
<svg><script>a<script>b</script></script></svg>
<p>two href="/about" integrity="it"</p>
<div><template shadowrootmode="open"><a href="/about">three</a><script>c</script></template></div>
<img src=//a.example/b.png srcset="/_rb/a.png 1x,//a.example/_rb/b.png 2x, /_rb/a.png 640w">
<a href='/gone'>four</a></body></html>"""


def _made(*fields: FieldChange) -> dict[Path, bytes]:
    runs: list[dict[Target, ComposedRun]] = []
    for side in ("before", "after"):
        entries = [
            PageEntry(key=key, route=f"/{key}", path=f"{key}.html", inputs=sha256(side))
            for key in ("a", "about")
        ]
        run = ComposedRun(
            manifest=Manifest(node="n", app="play", files={}, pages=tuple(entries)),
            contents={entry.path: _PAGE.encode() for entry in entries},
            assets={},
            failed={},
        )
        runs.append({Target("n", "play"): run})
    pages = tuple(
        PageEffect(
            node="n",
            app="play",
            key=key,
            route=f"/{key}",
            effect="changed",
            causes=(),
            path_before=f"{key}.html",
            path_after=f"{key}.html",
        )
        for key in ("a", "about")
    )
    rows = (RowChange(entity="page", key="a", change="changed", fields=fields),)
    base = Base(kind="folder", name="b", hash=sha256(""))
    review = Review(base=base, after=sha256(""), pages=pages, rows=rows)
    return report_folder(Reviewed(review=review, before=runs[0], after=runs[1]))


def test_a_copy_runs_nothing_of_the_page_and_keeps_its_text() -> None:
    text = _made()[Path("after/n/a.html")].decode()
    copy = LexborHTMLParser(text)
    assert [each.attributes for each in copy.css("meta[http-equiv]")] == [
        copy.css("head > :first-child")[0].attributes
    ]
    assert len(copy.css("script")) == 1
    assert not any(each in text for each in ("alert(1)", "refresh", "<script>c"))
    body = copy.body
    assert body is not None
    assert body.text().split() == ["one", "two", 'href="/about"', 'integrity="it"', "four"]
    assert '<a href="about.html">three</a>' in text
    assert '<a href="#rb-changed">four</a>' in text
    assert (
        '<img src="//a.example/b.png" '
        'srcset="_rb/a.png 1x,//a.example/_rb/b.png 2x, _rb/a.png 640w">'
    ) in text
    assert "url(_rb/a.png)" in text


def test_a_block_is_outlined_on_the_sides_that_have_it() -> None:
    files = _made(
        FieldChange(field="", before=None, after="x", block=1, places=(None, 1)),
        FieldChange(field="text", before="b", after="c", block=3, places=(2, 3)),
    )
    outlined = {
        side: [
            order
            for order in range(1, 4)
            if f") #b{order}".encode() in files[Path(f"{side}/n/a.html")]
        ]
        for side in ("before", "after")
    }
    assert outlined == {"before": [2], "after": [1, 3]}


def test_a_bar_offers_an_outline_only_where_a_block_has_one() -> None:
    """A page that a token or a template alters has none."""
    files = _made(FieldChange(field="title", before="b", after="a", block=1, places=(1, 1)))
    names = ("a", "about")
    offers = {name: b'id="outline"' in files[Path(f"pages/n/{name}.html")] for name in names}
    assert offers == {"a": True, "about": False}
