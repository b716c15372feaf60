"""Elements that a browser or a reader can't make sense of: images, and ids that are not unique."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import tinycss2

from robbieblocks.checks.finding import Checked
from robbieblocks.checks.markup import Element, Markup
from robbieblocks.checks.sources import Place, in_text, without_comments
from robbieblocks.errors import Problem
from robbieblocks.messages import listed, printable
from robbieblocks.model import AssembledBlock, ComponentRow
from robbieblocks.pipeline import InspectedPage

_HIDDEN: Final = frozenset({"presentation", "none"})
_NAMES: Final = ("aria-label", "aria-labelledby", "title")


def image_text(element: Element, page: InspectedPage, checked: Checked) -> Iterator[Problem]:
    """Images without an `alt` (WCAG 2.2, 1.1.1)."""
    has = element.attributes
    if not _is_image(element) or "alt" in has or any(has.get(name) for name in _NAMES):
        return
    if has.get("role") in _HIDDEN or has.get("aria-hidden") == "true":
        return
    yield _place(element, page, checked).problem(
        f"an <{element.tag}> has no alt",
        'say what it shows, as in alt="A ferry at dawn"; alt="" where it only decorates',
    )


def image_size(element: Element, page: InspectedPage, checked: Checked) -> Iterator[Problem]:
    """Images of which a browser does not know the shape before they are loaded."""
    has = element.attributes
    if element.tag != "img" or (has.get("width") and has.get("height")):
        return
    if _has_size(_declared(has.get("style", ""))) or _is_sized(element, page, checked):
        return
    yield _place(element, page, checked).problem(
        "an <img> has no width and height, so what follows it moves when it has loaded",
        "give it both, in pixels of the file, or an aspect-ratio in CSS",
    )


def _is_image(element: Element) -> bool:
    return element.tag in ("img", "input") and (element.tag == "img" or "src" in element.attributes)


def _declared(style: str) -> set[str]:
    """The properties that a style sets to something of its own."""
    found = tinycss2.parse_blocks_contents(style, True, True)
    return {
        each.lower_name
        for each in found
        if each.type == "declaration" and tinycss2.serialize(each.value).strip() != "auto"
    }


def _has_size(declared: set[str]) -> bool:
    return "aspect-ratio" in declared or bool(declared & {"height", "block-size"})


def _is_sized(element: Element, page: InspectedPage, checked: Checked) -> bool:
    """Whether a stylesheet gives a height to images, or to a class that this one has."""
    names = ["img", *(f".{name}" for name in element.attributes.get("class", "").split())]
    keys = ["", *(row.key for row in _components(element, page, checked))]
    return any((key, name) in checked.sized for key in keys for name in names)


def _components(element: Element, page: InspectedPage, checked: Checked) -> Iterator[ComponentRow]:
    """The component of the element's block, and what it imports."""
    block = next((each for each in page.page.blocks if each.order == element.block), None)
    return checked.sources.reached(block.component) if block else iter(())


def _place(element: Element, page: InspectedPage, checked: Checked) -> Place:
    """The element in the code of the block's component, else where its address comes from."""
    for row in _components(element, page, checked):
        at = without_comments(row.code).find(f"<{element.tag}")
        if at >= 0:
            return in_text("component", row.key, "react_code", row.code, at)
    return checked.sources.of(element.attributes.get("src", ""), page.page, element.block)


def _named(block: AssembledBlock) -> str:
    of_frame = f" of frame {printable(block.frame)}" if block.frame else ""
    return f"block {block.own_order}{of_frame} ({printable(block.component)})"


def duplicate_ids(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Problem]:
    """Ids that several elements of a page have."""
    owners: defaultdict[str, list[int | None]] = defaultdict(list)
    for element in markup.elements:
        if name := element.attributes.get("id"):
            owners[name].append(element.block)
    placed = {block.order: block for block in page.page.blocks}
    for name, blocks in owners.items():
        if len(blocks) > 1:
            where = [
                _named(placed[each]) if each in placed else "the layout"
                for each in dict.fromkeys(blocks)
            ]
            order = next((each for each in reversed(blocks) if each is not None), None)
            place = checked.sources.of(name, page.page, order)
            if order in placed:
                block = placed[order]
                place = place._replace(page=block.frame or page.page.key, block=block.own_order)
            yield place.problem(
                f'{len(blocks)} elements have the id "{printable(name)}": in {listed(where, 5)}',
                "make each its own: of a prop, or with React's useId",
            )
