"""SVG without what could act or fetch: what stays is what draws.

Elements, attributes and values are held to lists of what may be there (SVG 2); what is not in them
goes, with all that is in it. What a file names outside of itself goes, too.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any, Final

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_DRAWING: Final = (
    "svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan "
    "textPath linearGradient radialGradient stop clipPath mask pattern marker style switch filter"
)
_FILTERS: Final = (
    "feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting "
    "feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR "
    "feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting "
    "feSpotLight feTile feTurbulence"
)
_ELEMENTS: Final = frozenset(f"{_DRAWING} {_FILTERS}".split())
# A name of lower and upper case letters and dashes; none that hears events, none that fetches.
_ATTRIBUTE: Final = re.compile(r"(?![oO][nN])[a-zA-Z][a-zA-Z0-9-]{0,40}")
_NEVER: Final = frozenset(
    {"href", "src", "target", "rel", "download", "ping", "srcdoc", "formaction"}
)
_FOREIGN: Final = re.compile(
    r"javascript:|vbscript:|data:|expression\s*\(|@import|@font-face|-moz-binding|behavior\s*:"
    r"|url\(\s*(?![\s\"']*#)|image-set|\\|<",
    re.IGNORECASE,
)
_LENGTH: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:px)?")
_ELEMENTS_MAX: Final = 50_000
_DEPTH_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class CleanSvg:
    """An SVG that only draws, and its size in CSS pixels."""

    content: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SvgProblem:
    """Why a file is no SVG that can be shown. The text continues a sentence."""

    what: str


def cleaned(content: bytes) -> CleanSvg | SvgProblem:
    """The drawing without scripts, events, animation, other documents, and what lies elsewhere."""
    # Entities make a few bytes into gigabytes; no drawing needs its own.
    if b"<!entity" in content.lower() or b"\0" in content[:4]:
        return SvgProblem("declares entities, or is no UTF-8")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - no entities, and a child process
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        return SvgProblem(f"can't be read as XML: {error}")
    if root.tag != f"{{{_SVG}}}svg":
        return SvgProblem("is no SVG: its first element is another one")
    count = [0]
    if not _clean(root, 1, count):
        return SvgProblem(
            f"has more than {_ELEMENTS_MAX:,} elements, or nests deeper than {_DEPTH_MAX}"
        )
    width, height = _size(root)
    root.set("width", str(width))
    root.set("height", str(height))
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    made = ElementTree.tostring(root, encoding="utf-8")
    return CleanSvg(made, width, height)


def _clean(element: ElementTree.Element, depth: int, count: list[int]) -> bool:
    """Clean an element and what is in it; whether there is not too much."""
    count[0] += 1
    if depth > _DEPTH_MAX or count[0] > _ELEMENTS_MAX:
        return False
    for name, value in list(element.attrib.items()):
        if not _may_stay(name, value):
            del element.attrib[name]
    if element.tag == f"{{{_SVG}}}style" and _FOREIGN.search("".join(element.itertext())):
        element.clear()
        return True
    for child in list(element):
        # A comment's tag is what makes one.
        tag: Any = child.tag
        if not isinstance(tag, str) or _local(tag) not in _ELEMENTS:
            element.remove(child)
        elif not _clean(child, depth + 1, count):
            return False
    return True


def _local(tag: str) -> str:
    """The name of an element of SVG; empty for those of other kinds."""
    space, _, name = tag.removeprefix("{").partition("}")
    return name if space == _SVG else ""


def _may_stay(name: str, value: str) -> bool:
    if name in ("href", f"{{{_XLINK}}}href"):
        # A part of the same drawing.
        return value.startswith("#")
    if name == f"{{{_XML}}}space":
        return value in ("preserve", "default")
    if name in _NEVER or not _ATTRIBUTE.fullmatch(name):
        return False
    return _FOREIGN.search(value) is None


def _size(root: ElementTree.Element) -> tuple[int, int]:
    """The size that it states, else that of its view box, else what browsers take."""
    width, height = (_number(root.get(name, "")) for name in ("width", "height"))
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    wide, high = map(_number, box[2:4]) if len(box) == 4 else (None, None)
    if wide and high:
        width = width or (height * wide / high if height else wide)
        height = height or width * high / wide
    return max(1, round(width or 300)), max(1, round(height or 150))


def _number(text: str) -> float | None:
    found = _LENGTH.fullmatch(text)
    return float(found[1]) if found else None
