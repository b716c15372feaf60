"""SVG without what could act or fetch: what stays is what draws.

Elements, attributes and values are held to lists of what may be there (SVG 2); what is not in them
goes, with all that is in it. What a file names outside of itself goes, too.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

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
    r"|url\(\s*(?![\s\"']*#)|\b(?:src|image|cross-fade)\(|image-set|\\|<",
    re.IGNORECASE,
)
_LENGTH: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:px)?")
_ELEMENTS_MAX: Final = 50_000
_DEPTH_MAX: Final = 100
# In these a link is a part of the text.
_TEXTS: Final = frozenset({"text", "tspan", "textPath"})


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
    if _holds_pixels(root):
        return SvgProblem("holds a picture of pixels, which would be lost")
    count = [0]
    if not _clean(root, 1, count) or _drawn(root) > _ELEMENTS_MAX:
        return SvgProblem(
            f"draws more than {_ELEMENTS_MAX:,} elements, or nests deeper than {_DEPTH_MAX}"
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
    if _local(element.tag) == "style":
        # What is in an element there is no part of the sheet: without it, other words meet.
        _keep(element, ())
        if _FOREIGN.search(element.text or ""):
            element.clear()
        return True
    for child in element:
        if _local(child.tag) == "a":
            # The link goes, what it shows stays.
            shown = "tspan" if _local(element.tag) in _TEXTS else "g"
            child.tag = f"{{{_SVG}}}{shown}"
    _keep(element, [child for child in element if _local(child.tag) in _ELEMENTS])
    return all(_clean(child, depth + 1, count) for child in element)


def _keep(element: ElementTree.Element, children: Sequence[ElementTree.Element]) -> None:
    """Keep these children alone; the text behind each other one is the element's, and stays."""
    kept, texts = set(children), [element.text or ""]
    at: ElementTree.Element | None = None
    for child in (*element, None):
        if child is not None and child not in kept:
            texts.append(child.tail or "")
            continue
        text = "".join(texts)
        if at is None:
            element.text = text
        else:
            at.tail = text
        if child is not None:
            at, texts = child, [child.tail or ""]
    element[:] = children


def _holds_pixels(root: ElementTree.Element) -> bool:
    """Whether a picture of pixels is in the file itself, as drawing programs export photos."""
    return any(
        _local(element.tag) == "image"
        and any(
            element.get(name, "").lstrip()[:5].lower() == "data:"
            for name in ("href", f"{{{_XLINK}}}href")
        )
        for element in root.iter()
    )


def _drawn(root: ElementTree.Element) -> int:
    """How many elements a browser draws: those that are used again count each time."""
    by_id: dict[str, ElementTree.Element] = {}
    for element in root.iter():
        by_id.setdefault(element.get("id", ""), element)
    known: dict[ElementTree.Element, int] = {}

    def count(element: ElementTree.Element) -> int:
        if element not in known:
            # One that uses itself is drawn once.
            known[element] = 0
            used = None
            if _local(element.tag) == "use":
                name = element.get("href") or element.get(f"{{{_XLINK}}}href") or ""
                used = by_id.get(unquote(name[1:])) if len(name) > 1 else None
            known[element] = 1 + sum(map(count, element)) + (0 if used is None else count(used))
        return known[element]

    try:
        return count(root)
    except RecursionError:
        # A chain of parts that use each other.
        return _ELEMENTS_MAX + 1


def _local(tag: Any) -> str:
    """The name of an element of SVG; empty for those of other kinds."""
    if not isinstance(tag, str):
        # A comment's tag is what makes one.
        return ""
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
