"""What is said of blocks that were rendered, and whose pages go out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.bundle import element_inside
from robbieblocks.errors import Problem
from robbieblocks.model import AssembledBlock, AssembledPage, ComponentRow, RenderedBlock
from robbieblocks.pipeline.shown_by_mistake import shown_by_mistake

# Of these a browser has never one inside another.
_SPLIT: Final = frozenset({"a", "button", "form"})
# What React writes of a form whose action is a function, and of a boundary that shows its fallback.
_FORM_ACTION: Final = "javascript:throw new Error("
_WAITING: Final = re.compile(r"<!--\$[!?]-->")


def block_warnings(
    page: AssembledPage,
    rendered: Mapping[int, RenderedBlock],
    components: Mapping[str, ComponentRow],
) -> tuple[Problem, ...]:
    """The warnings of a page's blocks; `rendered` holds each block by its order."""
    return tuple(
        [
            replace(warning, page=page.key, block=block.order)
            for block in page.blocks
            for warning in _of_block(block, rendered[block.order], components)
        ]
    )


def _of_block(
    block: AssembledBlock, made: RenderedBlock, components: Mapping[str, ComponentRow]
) -> Iterator[Problem]:
    if made.left_out:
        yield _warning(
            block.component,
            "it has more than 2,000 different class names: the others get no utility styles",
            "use fewer of them, or write the styles into css_styles",
        )
    if block.hydrate == "never":
        yield from (_warning(block.component, *said) for said in _in_vain(made.html))
    row = components.get(block.component)
    told = (row.code if row is not None else "", block.props_json)
    # What only a browser knows is put right there.
    found = () if made.rerender else shown_by_mistake(made.html, told)
    yield from (_warning(block.component, *said) for said in found)
    # What a browser copies into a list's button is no mistake of the author's.
    if made.misnested and made.misnested != "select selectedcontent":
        outer, inner = made.misnested.split()
        is_anew = made.lives and block.hydrate != "never"
        said = _misnested(outer, inner, is_anew=is_anew)
        yield _at_element(_warning(block.component, *said), row, outer, inner)
    if made.nested_controls:
        outer, inner = made.nested_controls.split()
        said = _nested_controls(outer, inner)
        yield _at_element(_warning(block.component, *said), row, outer, inner)


def _at_element(warning: Problem, row: ComponentRow | None, outer: str, inner: str) -> Problem:
    """The warning with the place of the inner element, where the component's code has it."""
    found = element_inside(row.code, outer, inner) if row is not None else None
    if row is None or found is None:
        return warning
    source = row.code.split("\n")[found.line - 1].rstrip("\r")
    return replace(warning, line=found.line, column=found.column, source=source)


def _warning(component: str, what: str, remedy: str) -> Problem:
    return Problem(
        entity="component",
        key=component,
        field="react_code",
        severity="warning",
        what=what,
        remedy=remedy,
    )


def _in_vain(html: str) -> Iterator[tuple[str, str]]:
    """What does nothing in a block that is never hydrated, besides its buttons."""
    why = "because the block is never hydrated"
    if _FORM_ACTION in html:
        what = f"a form whose action is a function sends nothing, {why}"
        yield what, "let it hydrate, or give the form an address"
    if _WAITING.search(html):
        what = f"what waits for data shows its fallback for good, {why}"
        yield what, "let it hydrate, or give it the data as props"


def _misnested(outer: str, inner: str, *, is_anew: bool) -> tuple[str, str]:
    """What HTML does not allow, and what to do about it."""
    remedy = "choose elements that HTML allows inside each other"
    if (outer, inner) == ("block", "raw"):
        what, remedy = "its raw HTML does not fit where it stands", "put it into a <div>"
    elif (outer, inner) == ("block", "element"):
        what = "one of its elements does not fit where it stands"
    elif outer == "block":
        what = f"<{inner}> does not fit into a block by itself"
    else:
        element = "text" if inner == "text" else f"<{inner}>"
        what = f"{element} does not fit into <{outer}>"
        if (outer, inner) == ("table", "tr"):
            remedy = "put the rows into a <tbody>"
        elif outer == "template":
            remedy = "set what is in it with dangerouslySetInnerHTML"
        elif outer == "p":
            remedy = f"use a <div> in place of the <p>, or close it before {element}"
    if outer == inner and outer in _SPLIT:
        remedy = f"put the two <{inner}> beside each other"
    follows = ", so they render the block anew" if is_anew else ""
    return f"{what}: browsers move it{follows}", remedy


def _nested_controls(outer: str, inner: str) -> tuple[str, str]:
    """What is wrong with a control inside another, and what to do about it."""
    what = f"<{inner}> stands in <{outer}>: keyboards and screen readers reach only one of them"
    remedy = "put them beside each other"
    if inner == "a" or (outer, inner) == ("a", "button"):
        remedy += ", or give one <a> the class of the button"
    return what, remedy
