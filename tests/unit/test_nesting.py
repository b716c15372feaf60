"""Where an HTML parser makes another tree of what React wrote."""

from __future__ import annotations

import pytest

from robbieblocks.prerender.isolate.html_check import parsed
from robbieblocks.prerender.isolate.nesting import escaped_text, in_template, misnested_in

MARK = "<!--rb-raw-->"
MISNESTED = [
    ("<table><tr><td>1</td></tr></table>", "table tr"),
    ("<table><div>1</div></table>", "table div"),
    ("<table><tbody>x<tr><td></td></tr></tbody></table>", "tbody text"),
    ("<p><table></table></p>", "p table"),
    ("<p><span><div>x</div></span></p>", "p div"),
    ("<p><p>x</p></p>", "p p"),
    ("<ul><li><li>x</li></li></ul>", "li li"),
    ("<dl><dt><dd>x</dd></dt></dl>", "dt dd"),
    ("<h2><h3>x</h3></h2>", "h2 h3"),
    ("<svg><div>x</div></svg>", "svg div"),
    ("<a><span><a>x</a></span></a>", "a a"),
    ("<form><div><form></form></div></form>", "form form"),
    ("<textarea>a</textarea><p><div>x</div></p>", "p div"),
    ('<iframe src="x"></iframe><p><ul></ul></p>', "p ul"),
    ("<my-el><p><span><div>1</div></span></p></my-el>", "p div"),
    ("<tr><td>1</td></tr>", "block tr"),
    (f"<p>{MARK}</p>", "block raw"),
    (
        "<select><button><selectedcontent></selectedcontent></button><option>a</option></select>",
        "select selectedcontent",
    ),
]
SOUND = [
    "<p>a<!-- -->b</p> <p>c</p>",
    "<table> <tbody><tr> <td>x</td> </tr></tbody></table>",
    "<p><button><div>x</div></button></p>",
    "<ul><li>a<ul><li>b</li></ul></li></ul>",
    "<svg><linearGradient></linearGradient><foreignObject><div><p>x</p></div></foreignObject></svg>",
    "<select><option>a</option></select><textarea>&lt;p></textarea>",
    '<style>.a > b::before{content:"<p>"}</style><pre>\n\nx</pre>',
    "<svg><title>x</title></svg><math><mi>x</mi></math>",
    f"<div>{MARK}</div>",
    "<picture><source/><img/></picture><video><p>x</p></video>",
]


def _found(html: str) -> str:
    return misnested_in(parsed(html.replace(MARK, "<div>a<li>b</div>")), html)


@pytest.mark.parametrize(("html", "names"), MISNESTED)
def test_misnested(html: str, names: str) -> None:
    """The two elements that HTML does not allow inside each other are named."""
    assert _found(html) == names


@pytest.mark.parametrize("html", SOUND)
def test_sound(html: str) -> None:
    """What a parser leaves as it is is sound, with raw HTML that leaves end tags out."""
    assert _found(html) == ""


@pytest.mark.parametrize("html", ["<b>" * 20_000 + "</b>" * 20_000, "<p>" * 500 + "</p>" * 500])
def test_deep_trees(html: str) -> None:
    """However deep elements stand inside each other, it ends."""
    assert _found(html) in ("", "p p", "block element")


@pytest.mark.parametrize(
    ("html", "names"),
    [
        ("<div><template><p>x</p></template></div>", "template p"),
        ('<template id="a">x</template>', "template text"),
        (f"<template>{MARK}</template><template></template><p>x</p>", ""),
    ],
)
def test_templates(html: str, names: str) -> None:
    """What React has in a template is nowhere where it looks; raw HTML it does not look for."""
    assert in_template(html) == names


@pytest.mark.parametrize(
    ("html", "names"),
    [
        ('<iframe title="a &amp; b">c &amp; d</iframe>', "iframe text"),
        ("<p>&amp;</p><xmp>&lt;b></xmp>", "xmp text"),
        ('<iframe title="a &amp; b">c</iframe><p>&amp;</p>', ""),
    ],
)
def test_escaped_text(html: str, names: str) -> None:
    """What React escapes stays escaped where a parser reads no entities."""
    assert escaped_text(html) == names
