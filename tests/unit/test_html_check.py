"""Blocks' HTML keeps to its wrapper, judged by a real parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from robbieblocks.prerender.isolate.html_check import html_problem

FINE = [
    "",
    "text &lt;b&gt;",
    "<p>one</p><p>two</p>",
    "<table><tbody><tr><td>x</td></tr></table>",
    "<select><option>a</option></select>",
    "<svg><title>Sales</title><style>.a{}</style></svg>",
    '<script type="application/ld+json">{}</script>',
    "<style>.a{}</style>",
    "<textarea></div></textarea>",
    "<!-- </div> -->",
    '<p title="</div>">x</p>',
    "<li>alone</li>",
    "<form><form></form></form>",
    "<meta itemprop=price content=3>",
    "<form name=contact></form>",
    "<img name=logo>",
    "<input name=title>",
    "<template><p>x</p></template>",
    "</body>",  # a parser goes on as if it were not there
]
ESCAPES = [
    "</div>",
    "</div></div><p>",
    "</div><div>",
    "</main>",
    "</section>",
    "<!--",
    "<plaintext>",
    "<textarea>",
    "<style>",
    "<title>",
    "<script>",
    "<template>",
    "<iframe>",
    "<select>",
    "<b>",
    "<a href=x>",
    "<form>",
    "<p",
    '<p title="',
    "<body class=x>",
    "<html lang=x>",
    "<svg><![CDATA[",
    "<rb-end></rb-end>",
    "</div><rb-end></rb-end>",
]
FORBIDDEN = [
    "<base href=/x>",
    "<link rel=stylesheet href=/x>",
    "<title>x</title>",
    "<meta http-equiv=refresh content=0>",
    "<object></object>",
    "<embed>",
    "<noscript></noscript>",
    "<script>1</script>",
    "<script type=module>1</script>",
    "<svg><script>1</script></svg>",
    '<iframe srcdoc="x"></iframe>',
    "<p id=b12></p>",
    "<p id=b-1></p>",
    "<p id=f1b3></p>",
    "<p ID='rb-islands'></p>",
    "<p data-rb-component=x></p>",
    "<img src=x OnError=1>",
    "<p\nonclick=1></p>",
    '<p id="&#114;b-islands"></p>',
    '<p class="x"id="b1"></p>',
    "<p/id=b1></p>",
    '<p id="b1" id="x"></p>',
    "<p DATA-RB-component=x></p>",
    "<meta itemprop=a content=b http-equiv=refresh>",
    "<meta itemprop=a name=referrer content=no-referrer>",
    "<meta itemprop=a charset=utf-7>",
    "<form name=getElementById></form>",
    '<img name="getElement&#66;yId">',
    "<img name=x id=createElement>",
    "<iframe name=body></iframe>",
    "<form NAME=querySelector></form>",
    "<template shadowrootmode=open><iframe srcdoc=x></iframe></template>",
    "<template shadowrootmode=closed><meta http-equiv=refresh content=0></template>",
    "<template><template><p id=rb-islands></p></template></template>",
    "<template><img src=x onerror=1></template>",
    "<table><tr><td><template><script>1</script></template></table>",
    "<svg><foreignObject><p id=b1></p></foreignObject></svg>",
    '<math><annotation-xml encoding="text/html"><p id=b1></p></annotation-xml></math>',
    "<select><option><p id=b1></p></select>",
]


@pytest.mark.parametrize("html", FINE)
def test_fine(html: str) -> None:
    """What stays inside passes."""
    assert html_problem(html) is None


@pytest.mark.parametrize("html", ESCAPES)
def test_escapes(html: str) -> None:
    """What ends the wrapper, or does not end itself, is told."""
    found = html_problem(html)
    assert found is not None
    assert "leaves the block" in found[0]


@pytest.mark.parametrize("html", FORBIDDEN)
def test_forbidden(html: str) -> None:
    """What acts on the document, or the policy refuses, is told with a remedy."""
    found = html_problem(html)
    assert found is not None
    assert "leaves" not in found[0]
    assert found[1]


_PIECES = ["<div>", "</div>", "<p>", "</p>", "<b>", "</b>", "<a>", "</a>", "<table>", "</table>"]
_PIECES += ["<tr>", "<td>", "</td>", "<svg>", "</svg>", "<form>", "</form>", "<!--", "-->", "<li>"]
_PIECES += [
    "<textarea>",
    "</textarea>",
    "<select>",
    "<math>",
    "<mi>",
    "</main>",
    "<button>",
    "x",
    '"',
]


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_what_passes_leaves_the_page_alone(html: str) -> None:
    """Whatever passes, the elements around and after the block stand where they stood."""
    if html_problem(html) is not None:
        return
    page = LexborHTMLParser(
        "<!doctype html><body><main><div class=zone><div id=one>"
        + html
        + "</div><div id=two>after</div></div></main><footer>end</footer></body>"
    )
    two = page.css_first("main > .zone > #one + #two")
    assert two is not None
    assert two.html == '<div id="two">after</div>'
    footer = page.css_first("body > main + footer")
    assert footer is not None
    assert footer.html == "<footer>end</footer>"
