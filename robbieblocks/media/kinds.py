"""What a file is, by its name and its first bytes; no library reads it for that."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

from robbieblocks.response_headers import TYPES

# What is made of pictures is made of pixels; the others are served as they are, or cleaned.
PIXELS: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
SVG: Final = "image/svg+xml"
FONTS: Final = frozenset({"font/woff2", "font/woff"})
# Visitors' browsers would run these as pages and scripts of the site.
_RUN: Final = frozenset({"html", "js", "mjs", "css", "map", "wasm"})

_EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    SVG: "svg",
    "font/woff2": "woff2",
    "font/woff": "woff",
}
_OTHER_SUFFIXES: Final = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg"}
# Browsers show none of these, or take ten times the bytes.
_SAVED_AS: Final = {
    **dict.fromkeys(("heic", "heif", "tif", "tiff", "bmp", "psd", "dng", "raw"), "jpg or png"),
    **dict.fromkeys(("ttf", "otf"), "woff2"),
    **dict.fromkeys(("mov", "avi", "mkv"), "mp4 or webm"),
    "wav": "mp3",
}
_JPEG_SIZES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
# XML becomes a page by names of XHTML or SVG, by a stylesheet, or by what a document type declares.
# A name can be written with references, and in another encoding.
_XML_PAGE: Final = re.compile(
    r"w3\.org/1999/xhtml|w3\.org/2000/svg|<\?xml-stylesheet|<!doctype|\0", re.IGNORECASE
)
_XML_REFERENCE: Final = re.compile("&#(?:x0*+([0-9a-fA-F]{0,8})|0*+([0-9]{0,8}));")
_XML_ENCODING: Final = re.compile("encoding[ \\t\\r\\n=]{1,40}[\"']([^\"']{0,40})")
_SVG_START: Final = re.compile(rb"<svg[\s>/]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MediaKind:
    """A file's type and the extension that it is served with.

    A picture's size is in pixels, as it is stored: an orientation may turn it. None where the first
    bytes don't tell.
    """

    type: str
    extension: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class KindProblem:
    """Why a file can't be media, and what to do."""

    what: str
    remedy: str


def kind_of(file_name: str, content: bytes, *, served_path: str = "") -> MediaKind | KindProblem:
    """What a file is; its name and its bytes must agree.

    A file that a browser runs is taken only with a fixed address (`served_path`) that ends in
    `.html`: with these, other services find out whose site it is.
    """
    suffix = _suffix(file_name)
    given = TYPES.get(suffix, "").partition(";")[0]
    if not given:
        known = ", ".join(sorted(TYPES.keys() - _RUN))
        remedy = f"save it as {_SAVED_AS[suffix]}" if suffix in _SAVED_AS else f"known are {known}"
        return KindProblem(f"is no known kind of file: {file_name}", remedy)
    if suffix in _RUN and not (suffix == "html" and served_path.endswith(".html")):
        remedy = "write code as a component, and styles as its CSS"
        return KindProblem(f"is code, which media can't be: {file_name}", remedy)
    said = TYPES.get(_suffix(served_path), "").partition(";")[0]
    if served_path and said and said != given:
        what = f"is {given}, and its address {served_path} says {said}"
        return KindProblem(what, "give the address the suffix of the file")
    found = _type_by_bytes(content)
    if not content:
        return KindProblem("is empty", "put the file there again")
    if found != given and (found or given in _EXTENSIONS):
        says = f"its bytes are {found}" if found else "its bytes are something else"
        remedy = "give it the suffix of what it is, or save it again as that"
        return KindProblem(f"is called {file_name}, but {says}", remedy)
    if given == "application/xml" and _is_page(content):
        remedy = "save it as UTF-8 without a document type, stylesheet, XHTML or SVG"
        return KindProblem(f"is XML that browsers run as a page: {file_name}", remedy)
    width, height = _size(given, content)
    return MediaKind(given, _EXTENSIONS.get(given, suffix), width, height)


def _suffix(name: str) -> str:
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    return _OTHER_SUFFIXES.get(suffix, suffix)


def _is_page(xml: bytes) -> bool:
    """Whether a browser may show XML as a page of the site, with its scripts."""
    try:
        text = xml.decode("utf-8-sig")
    except UnicodeDecodeError:
        return True
    stated = _XML_ENCODING.search(text.partition("?>")[0]) if text.startswith("<?xml") else None
    if stated is not None and stated[1].lower() != "utf-8":
        return True
    return _XML_PAGE.search(_XML_REFERENCE.sub(_character, text)) is not None


def _character(reference: re.Match[str]) -> str:
    number = int(reference[1], 16) if reference[1] else int(reference[2] or 0)
    return chr(number) if number < 0x80 else ""


def _type_by_bytes(content: bytes) -> str:
    """The type of what has a signature; empty for others."""
    head = content[:64]
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "image/avif"
    if head.startswith(b"wOF2"):
        return "font/woff2"
    if head.startswith(b"wOFF"):
        return "font/woff"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return SVG if start.startswith(b"<") and _SVG_START.search(start) else ""


def _size(kind: str, content: bytes) -> tuple[int | None, int | None]:
    try:
        match kind:
            case "image/png":
                return struct.unpack(">II", content[16:24])
            case "image/gif":
                return struct.unpack("<HH", content[6:10])
            case "image/webp":
                return _webp_size(content)
            case "image/jpeg":
                return _jpeg_size(content)
            case "image/avif":
                at = content.index(b"ispe")
                return struct.unpack(">II", content[at + 8 : at + 16])
            case _:
                return None, None
    except (struct.error, ValueError, IndexError):
        return None, None


def _webp_size(content: bytes) -> tuple[int | None, int | None]:
    match content[12:16]:
        case b"VP8X":
            return (
                int.from_bytes(content[24:27], "little") + 1,
                int.from_bytes(content[27:30], "little") + 1,
            )
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack("<HH", content[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return None, None


def _jpeg_size(content: bytes) -> tuple[int | None, int | None]:
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None, None
