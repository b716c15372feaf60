"""Hostile files of media on pages whose components take them by a typed prop."""

from __future__ import annotations

import zlib

from tests.hostile_rows import Case
from tests.media_files import png, png_of

_SHOW = (
    "export default ({ text }) => <img className='shown' src={text.src} alt={text.alt ?? ''} />;"
)
_SCHEMA = {"text": {"type": "string", "format": "media"}}
_PLACED = """
    UPDATE robbieblocks_page_blocks b
       SET props = jsonb_build_object('text', 'media:' || <component>)
      FROM robbieblocks_components c WHERE component_id = c.id AND component_key = <component>
"""
_SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>"


def media(name: str, file: str, content: bytes, error: str = "", **columns: str) -> Case:
    """A file that a page shows; `columns` are further ones of its row, as SQL."""
    given = f"decode('{content.hex()}', 'hex')"
    return _case(name, {"file_name": f"'{file}'", "content": given, **columns}, error)


def elsewhere(name: str, address: str, error: str) -> Case:
    """A file whose bytes lie in a bucket."""
    columns = {
        "file_name": "'x.png'",
        "content": "NULL",
        "content_address": f"'{address}'",
        "content_hash": f"'{'0' * 64}'",
    }
    return _case(name, columns, error)


def _case(name: str, columns: dict[str, str], error: str) -> Case:
    values = {
        "media_key": "<component>",
        "media_type": "'image/png'",
        "content_hash": "''",
        "size_bytes": "0",
        "alt": "'x'",
        **columns,
    }
    insert = f"INSERT INTO media_assets ({', '.join(values)}) VALUES ({', '.join(values.values())})"
    return Case(
        name=f"media: {name}",
        component={"code": _SHOW, "schema": _SCHEMA},
        edit=f"{insert}; {_PLACED}",
        error=error,
        where="component hostile-" if error else "",
    )


def _sized(width: int, height: int) -> bytes:
    """A PNG of one pixel that says it is larger."""
    whole = png(1, 1)
    head = whole[12:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + whole[24:29]
    return whole[:12] + head + zlib.crc32(head).to_bytes(4, "big") + whole[33:]


CASES = [
    media(
        "a size that is not there", "x.png", _sized(65_535, 65_535), "65,535 times 65,535 pixels"
    ),
    media(
        "a bomb", "x.png", png_of(30_000, 30_000, b"\0" * 1_000_000), "30,000 times 30,000 pixels"
    ),
    media("no size", "x.png", _sized(0, 0), "its head is damaged"),
    media("cut in its header", "x.png", png(9, 9)[:20], "can't be read as a picture"),
    media("cut in its pixels", "x.png", png(90, 90)[:60], "image file is truncated"),
    media("nothing", "x.png", b"", "is empty"),
    media("another kind", "x.png", b"GIF89a" + b"\0" * 40, "its bytes are image/gif"),
    media("code", "x.js", b"hacked()", "is code, which media can't be"),
    media("a page", "x.html", b"<script>hacked()</script>", "is code, which media can't be"),
    media(
        "entities",
        "x.svg",
        b"<!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg>&a;</svg>",
        "declares entities",
    ),
    media(
        "nested drawings",
        "x.svg",
        (_SVG + "<g>" * 100_000 + "</g>" * 100_000 + "</svg>").encode(),
        "nests deeper than 100",
    ),
    media(
        "a drawing of much",
        "x.svg",
        (_SVG + "<g/>" * 200_000 + "</svg>").encode(),
        "draws more than 50,000 elements",
    ),
    media(
        "a drawing that acts",
        "x.svg",
        f"{_SVG}<script>hacked()</script><a href='javascript:hacked()'/>"
        f"<path onload='hacked()'/></svg>".encode(),
    ),
    media(
        "a drawing of another size",
        "x.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='1e300' height='-5' viewBox='0 0 NaN 1'/>",
    ),
    media("a font that is none", "x.woff2", b"wOF2" + b"\xff" * 60, "4,294,967,295 bytes unpacked"),
    media("markup in its name", '"><script>.png', png(8, 8)),
    media("markup in its text", "x.png", png(8, 8), alt="'\"><script>hacked()</script>'"),
    media(
        "a point elsewhere",
        "x.png",
        png(8, 8),
        "no pair of percentages",
        focal_point="'calc(1px) } body{'",
    ),
    media(
        "an address above",
        "x.png",
        png(8, 8),
        "its address has a part that is empty",
        served_path="'/../../etc/passwd'",
    ),
    media(
        "an address of ours",
        "x.png",
        png(8, 8),
        "taken by what RobbieBlocks makes",
        served_path="'/_rb/x.png'",
    ),
    media(
        "an address of another kind", "x.png", png(8, 8), "says text/html", served_path="'/x.html'"
    ),
    elsewhere("a file of the machine", "file:///etc/passwd", "no bucket is named"),
    elsewhere("an object above", "s3://a/../../b", "no bucket is named"),
    elsewhere("an object of a user", "https://a:b@evil.example/x", "no bucket is named"),
    elsewhere("a name of controls", "s3://a/\x1b[2J\u202e", "no bucket is named"),
]
