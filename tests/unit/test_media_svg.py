"""SVG: what draws stays, what acts or fetches goes."""

from __future__ import annotations

import pytest

from robbieblocks.media.svg import CleanSvg, SvgProblem, cleaned

_OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _clean(inside: str, attributes: str = 'viewBox="0 0 40 20"') -> CleanSvg:
    found = cleaned(f"{_OPEN} {attributes}>{inside}</svg>".encode())
    assert isinstance(found, CleanSvg)
    return found


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<a href='javascript:alert(1)'><rect/></a>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
        "<image href='https://evil.example/x.png'/>",
        "<animate attributeName='href' to='javascript:alert(1)'/>",
        "<set attributeName='onload' to='alert(1)'/>",
        "<rect onclick='alert(1)' ONLOAD='alert(1)'/>",
        "<rect fill='url(https://evil.example/#a)'/>",
        "<rect style='background:url( &quot;//evil.example&quot; )'/>",
        "<rect style='fill:u\\72l(//evil.example)'/>",
        "<use href='https://evil.example/a.svg#b'/>",
        "<use xlink:href='data:image/svg+xml,evil.example'/>",
        "<style>@import 'https://evil.example'</style>",
        "<style>rect { fill: url(//evil.example) }</style>",
        "<?xml-stylesheet href='https://evil.example'?>",
        "<!-- evil.example alert(1) -->",
        "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
        "<rect mask='src(&quot;//evil.example&quot;)' fill='image(//evil.example)'/>",
        "<style>rect { fill: ur<title>x</title>l(//evil.example) }</style>",
    ],
    ids=range(19),
)
def test_what_acts_or_leads_elsewhere_goes(inside: str) -> None:
    """Whatever its form."""
    text = _clean(inside).content.decode().lower()
    assert not any(bad in text for bad in ("alert", "evil.example", "javascript", "onclick"))


def test_what_draws_stays() -> None:
    """Shapes, gradients, parts that are used again, and plain styles."""
    text = _clean(
        "<defs><linearGradient id='g'><stop offset='0' stop-color='red'/></linearGradient></defs>"
        "<style>.a { fill: url(#g) }</style><g class='a' transform='scale(2)'><path d='M0 0L9 9'/>"
        "<use xlink:href='#g'/></g><title>Harbour</title>"
    ).content.decode()
    for part in ("linearGradient", 'offset="0"', "fill: url(#g)", "M0 0L9 9", "#g", "Harbour"):
        assert part in text


def test_what_a_link_shows_stays() -> None:
    """A picture in a link, words in one, and the words behind what goes."""
    text = _clean(
        "<a href='https://x.example'><path d='M0 0'/></a><text>one <a xlink:href='/'>two</a> three "
        "<script>s</script>four<title>five</title> six</text>"
    ).content.decode()
    assert "x.example" not in text
    assert "<g><path" in text
    words = "one <tspan>two</tspan> three four<title>five</title> six</text>"
    assert words in text


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('viewBox="0 0 40 20"', (40, 20)),
        ('width="80" viewBox="0,0,40,20"', (80, 40)),
        ('height="80px" viewBox="0 0 40 20"', (160, 80)),
        ('width="7" height="9"', (7, 9)),
        ('width="100%" height="100%"', (300, 150)),
        ('viewBox="0 0 0 0"', (300, 150)),
        ('width="1e400" viewBox="a b c d"', (300, 150)),
    ],
)
def test_the_size_is_stated_or_that_of_the_view_box(attributes: str, size: tuple[int, int]) -> None:
    """Else what browsers take."""
    found = _clean("", attributes)
    assert (found.width, found.height) == size


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg/>",
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        _OPEN.encode() + b">" + b"<g>" * 200 + b"</g>" * 200 + b"</svg>",
        # Each part uses the one before ten times: a browser would draw 10,000,000,000.
        _OPEN.encode()
        + b"><g id='a0'><path/></g>"
        + b"".join(
            b"<g id='a%d'>%b</g>" % (at, b"<use href='#a%d'/>" % (at - 1) * 10)
            for at in range(1, 11)
        )
        + b"</svg>",
        _OPEN.encode()
        + b">"
        + b"".join(b"<g id='a%d'><use href='#a%d'/></g>" % (at, at + 1) for at in range(5000))
        + b"</svg>",
        _OPEN.encode() + b"><image xlink:href='data:image/png;base64,AAAA'/></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg'/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='nonsense'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=range(11),
)
def test_what_is_no_drawing_is_named(content: bytes) -> None:
    """So is what would lose a picture, or draw without end. Nothing is raised."""
    assert isinstance(cleaned(content), SvgProblem)


def test_parts_that_use_each_other_are_drawn_once() -> None:
    """As browsers do, which draw no circle of parts."""
    circle = "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g><use href='#a'/>"
    assert "use" in _clean(circle).content.decode()
