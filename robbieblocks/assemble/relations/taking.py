"""A page with what its blocks and its feed take from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from robbieblocks.assemble.origins import of_page
from robbieblocks.assemble.relations.feeds import feed_setting, read_feed
from robbieblocks.assemble.relations.references import PAGINATION, References, has_reference
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.errors import Problem, Severity
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
    asking: list[BlockRow] = []
    for block in page.blocks:
        references.problems.clear()
        references.warnings.clear()
        references.told_parts = False
        references.taken = []
        references.in_frame = bool(block.frame)
        props: Json = references.replaced(block.props)
        taken = tuple(references.taken)
        blocks.append(block if props is block.props else block._replace(props=props, taken=taken))
        faults += [_of_block(page, block, problem) for problem in references.problems]
        faults += [_of_block(page, block, each, severity="warning") for each in references.warnings]
        if references.told_parts and not block.frame:
            asking.append(block)
    faults += [fault for fault in references.faults if fault not in faults]
    if asking and references.paginated is None and len(faults) == len(page.faults):
        # What a limit leaves out of its list would be nowhere, and the page looks right.
        what = f'asks for {{"$page": "{PAGINATION}"}}, and no list of the page is in parts'
        fault = ValueProblem("", what, 'write "paginate": true into its $pages or $rows')
        faults.append(_of_block(page, asking[0], fault, severity="warning"))
    return replace(page, blocks=tuple(blocks), faults=tuple(faults))


def _of_block(
    page: PageRow, block: BlockRow, problem: ValueProblem, *, severity: Severity = "error"
) -> Problem:
    return problem.in_row(
        *(("component", block.component) if block.component else ("page", page.row_key)),
        "props",
        page=block.frame or page.row_key,
        block=block.own_order,
        severity=severity,
    )


def with_faults(page: PageRow, faults: Sequence[Problem]) -> PageRow:
    """The page with more faults."""
    return replace(page, faults=(*page.faults, *faults)) if faults else page


def with_feed(page: PageRow, lang: str, references: References) -> PageRow:
    """The page with its feed, where its metadata asks for one; its list is one of `references`."""
    if feed_setting(page) is None:
        return page
    references.warnings.clear()
    feed = read_feed(page, lang, references.listing_of, references.answers)
    if not isinstance(feed, Feed):
        return with_faults(page, [of_page(page, "metadata", each) for each in feed])
    warnings = [of_page(page, "metadata", each) for each in references.warnings]
    lacks = [
        fault
        for fault in references.faults
        if fault.severity == "error" and fault not in page.faults
    ]
    told = [replace(each, severity="warning") for each in warnings]
    return with_faults(replace(page, feed=feed), [*lacks, *told])
