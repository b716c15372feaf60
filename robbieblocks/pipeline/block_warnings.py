"""What is said of blocks that were rendered, and whose pages go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from robbieblocks.bundle import element_inside
from robbieblocks.errors import Problem
from robbieblocks.model import AssembledBlock, AssembledPage, ComponentRow, RenderedBlock


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
    if made.misnested and block.hydrate != "never":
        outer, inner = made.misnested.split()
        warning = _warning(block.component, *_misnested(outer, inner))
        row = components.get(block.component)
        found = element_inside(row.code, outer, inner) if row is not None else None
        if row is not None and found is not None:
            source = row.code.split("\n")[found.line - 1].rstrip("\r")
            warning = replace(warning, line=found.line, column=found.column, source=source)
        yield warning


def _warning(component: str, what: str, remedy: str) -> Problem:
    return Problem(
        entity="component",
        key=component,
        field="react_code",
        severity="warning",
        what=what,
        remedy=remedy,
    )


def _misnested(outer: str, inner: str) -> tuple[str, str]:
    """What HTML does not allow, and what to do about it."""
    remedy = "choose elements that HTML allows inside each other"
    if (outer, inner) == ("block", "raw"):
        what, remedy = "its raw HTML does not fit where it stands", "put it into a <div>"
    elif outer == "block":
        what = f"<{inner}> does not fit into a block by itself"
    else:
        element = "text" if inner == "text" else f"<{inner}>"
        what = f"{element} does not fit into <{outer}>"
        if (outer, inner) == ("table", "tr"):
            remedy = "put the rows into a <tbody>"
        elif outer == "p":
            remedy = f"use a <div> in place of the <p>, or close it before {element}"
    return f"{what}: browsers move it, so they render the block anew", remedy
