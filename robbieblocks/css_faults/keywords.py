"""Finds keywords that a property does not have, where they are almost one of those that it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.messages import printable

_LIKENESS: Final = 0.6
_OVER: Final = "browsers pass the declaration over"
# Every property has them.
_WIDE: Final = frozenset({"inherit", "initial", "revert", "revert-layer", "unset"})
_PLACES: Final = (
    "normal start end center left right flex-start flex-end safe unsafe first last baseline"
)
_SELVES: Final = f"{_PLACES} stretch self-start self-end auto legacy anchor-center"
_CONTENT: Final = f"{_PLACES} stretch space-between space-around space-evenly"
_LINES: Final = "none hidden dotted dashed solid double groove ridge inset outset auto"
_OVERFLOW: Final = "visible hidden clip scroll auto overlay"
_BREAKS: Final = "normal break-word anywhere"
_DIRECTIONS: Final = "row row-reverse column column-reverse"
_WRAPS: Final = "nowrap wrap wrap-reverse balance"
# Properties with nothing but these words, alone or beside each other.
_WORDS: Final = {
    "display": (
        "none block inline inline-block flex inline-flex grid inline-grid flow-root contents table "
        "inline-table table-row table-cell table-row-group table-header-group table-footer-group "
        "table-column table-column-group table-caption list-item flow ruby ruby-text ruby-base "
        "ruby-text-container ruby-base-container run-in math subgrid grid-lanes inline-grid-lanes"
    ),
    "position": "static relative absolute fixed sticky",
    "text-align": "left right center justify start end match-parent justify-all",
    "justify-content": _CONTENT,
    "align-content": _CONTENT,
    "place-content": _CONTENT,
    **dict.fromkeys(
        ("align-items", "align-self", "justify-items", "justify-self", "place-items", "place-self"),
        _SELVES,
    ),
    "flex-direction": _DIRECTIONS,
    "flex-wrap": _WRAPS,
    "flex-flow": f"{_DIRECTIONS} {_WRAPS}",
    **dict.fromkeys(("overflow", "overflow-x", "overflow-y", "overflow-block"), _OVERFLOW),
    "overflow-wrap": _BREAKS,
    "word-wrap": _BREAKS,
    "word-break": "normal break-all keep-all break-word auto-phrase manual",
    "white-space": (
        "normal pre nowrap pre-wrap pre-line break-spaces collapse wrap preserve preserve-breaks "
        "preserve-spaces discard discard-before discard-after none"
    ),
    "text-transform": ("none capitalize uppercase lowercase full-width full-size-kana math-auto"),
    "visibility": "visible hidden collapse",
    "object-fit": "fill contain cover none scale-down",
    "float": "left right none inline-start inline-end footnote",
    "clear": "left right both none inline-start inline-end",
    "box-sizing": "border-box content-box",
    "user-select": "auto text none contain all",
    **dict.fromkeys(
        ("border-style", "border-top-style", "border-right-style", "border-bottom-style"), _LINES
    ),
    **dict.fromkeys(("border-left-style", "outline-style"), _LINES),
    "border-collapse": "collapse separate",
    "table-layout": "auto fixed",
    "resize": "none both horizontal vertical block inline",
    "scroll-behavior": "auto smooth",
    "background-repeat": "repeat repeat-x repeat-y space round no-repeat",
    "background-attachment": "scroll fixed local",
    "isolation": "auto isolate",
    "direction": "ltr rtl",
    "pointer-events": (
        "auto none visiblepainted visiblefill visiblestroke visible painted fill stroke "
        "bounding-box all"
    ),
    "cursor": (
        "auto default none context-menu help pointer progress wait cell crosshair text "
        "vertical-text alias copy move no-drop not-allowed grab grabbing e-resize n-resize "
        "ne-resize nw-resize s-resize se-resize sw-resize w-resize ew-resize ns-resize nesw-resize "
        "nwse-resize col-resize row-resize all-scroll zoom-in zoom-out hand"
    ),
    "font-weight": "normal bold bolder lighter",
    "font-style": "normal italic oblique left right",
    "vertical-align": "baseline sub super text-top text-bottom middle top bottom first last",
}
# Properties that get no further words.
_CLOSED: Final = frozenset(
    {"position", "visibility", "object-fit", "box-sizing", "flex-direction", "direction"}
    | {"border-collapse", "resize", "clear"}
)
# Words of other properties, of other tools, and of people.
_INSTEAD: Final = {
    ("display", "hidden"): "none",
    ("display", "visible"): "block",
    ("text-align", "middle"): "center",
    ("align-items", "middle"): "center",
    ("justify-content", "middle"): "center",
    ("justify-content", "between"): "space-between",
    ("justify-content", "around"): "space-around",
    ("vertical-align", "center"): "middle",
    ("visibility", "none"): "hidden",
    ("overflow", "none"): "hidden",
    ("white-space", "no-wrap"): "nowrap",
    ("pointer-events", "disabled"): "none",
    ("font-weight", "thin"): "100",
    ("font-weight", "light"): "300",
    ("font-weight", "regular"): "400",
    ("font-weight", "medium"): "500",
    ("font-weight", "semibold"): "600",
    ("font-weight", "semi-bold"): "600",
    ("font-weight", "black"): "900",
    ("flex-direction", "horizontal"): "row",
    ("flex-direction", "vertical"): "column",
}


def wrong_keyword(value: Sequence[Node], declared: str) -> Iterator[Doubt]:
    """The first word of a value that is meant to be one of those that the property has.

    A word that is like none of them may be a newer one. Beside a function nothing is judged.
    """
    words = _WORDS.get(declared)
    said = [node for node in value if node.type not in ("whitespace", "comment")]
    if words is None or any(node.type != "ident" for node in said):
        return
    known = words.split()
    for node in said:
        word = node.lower_value
        if word in known or word in _WIDE or word.startswith("-"):
            continue
        near = get_close_matches(word[:40], known, n=1, cutoff=_LIKENESS)
        right = _INSTEAD.get((declared, word)) or next(iter(near), "")
        if not right and declared in _CLOSED:
            right = ", ".join(known[:-1]) + f" or {known[-1]}"
        if right:
            yield Doubt(node, f"{declared} has no {printable(word)}: {_OVER}", f"write {right}")
            return
