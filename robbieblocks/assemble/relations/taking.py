"""A page with what its blocks and its feed take from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from robbieblocks.assemble.relations.feeds import feed_setting, read_feed
from robbieblocks.assemble.relations.references import References, has_reference
from robbieblocks.errors import Problem
from robbieblocks.model import BlockRow, Feed, Json, PageRow


def refers(row: PageRow) -> bool:
    """Whether a row has a feed, or its props have references, or it is made of another row."""
    return row.relates is not False and (
        row.made is not None
        or feed_setting(row) is not None
        or has_reference([block.props for block in row.blocks])
    )


def with_blocks(page: PageRow, references: References) -> PageRow:
    """The page with the references in its blocks replaced, and what is wrong with them."""
    blocks: list[BlockRow] = []
    faults: list[Problem] = [*page.faults]
    for block in page.blocks:
        references.problems.clear()
        references.in_frame = bool(block.frame)
        props: Json = references.replaced(block.props)
        blocks.append(block if props is block.props else block._replace(props=props))
        faults += [
            problem.in_row(
                *(("component", block.component) if block.component else ("page", page.row_key)),
                "props",
                page=block.frame or page.row_key,
                block=block.own_order,
            )
            for problem in references.problems
        ]
    faults += [fault for fault in references.faults if fault not in faults]
    return replace(page, blocks=tuple(blocks), faults=tuple(faults))


def with_faults(page: PageRow, faults: Sequence[Problem]) -> PageRow:
    """The page with more faults."""
    return replace(page, faults=(*page.faults, *faults)) if faults else page


def with_feed(page: PageRow, lang: str, references: References) -> PageRow:
    """The page with its feed, where its metadata asks for one; its list is one of `references`."""
    if feed_setting(page) is None:
        return page
    feed = read_feed(page, lang, references.listing, references.answers)
    if isinstance(feed, Feed):
        return replace(page, feed=feed)
    faults = (problem.in_row("page", page.key, "metadata") for problem in feed)
    return with_faults(page, tuple(faults))
