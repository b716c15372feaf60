"""What is said of blocks that were rendered."""

from __future__ import annotations

import pytest

from robbieblocks.model import RenderedBlock
from robbieblocks.pipeline.block_warnings import block_warnings
from tests.pages import block, component, page


def test_a_copy_of_the_chosen_option_is_no_fault() -> None:
    """A browser makes it by itself, so the block is rendered anew, and nothing is said."""
    for names, told in (("select selectedcontent", 0), ("block element", 1)):
        made = RenderedBlock(html="", interactive=True, misnested=names)
        said = block_warnings(page(block(1, "x")), {1: made}, {})
        assert len(said) == told
        assert not any("<element>" in each.what for each in said)


@pytest.mark.parametrize(
    ("html", "what"),
    [
        (
            '<form action="javascript:throw new Error(&#x27;React form unexpectedly.&#x27;)">',
            "sends nothing",
        ),
        ("<!--$!--><i>wait</i><!--/$-->", "shows its fallback for good"),
        ("<!--$--><i>there</i><!--/$-->", ""),
    ],
)
def test_what_a_block_that_never_hydrates_has_in_vain(html: str, what: str) -> None:
    """A form with a function, and what waits for data: where it hydrates, they work."""
    made = RenderedBlock(html=html, interactive=True, rerender=True)
    never = block_warnings(page(block(4, "live", hydrate="never")), {4: made}, {})
    assert [what in each.what for each in never] == ([True] if what else [])
    assert all((each.severity, each.block) == ("warning", 4) for each in never)
    assert block_warnings(page(block(4, "live")), {4: made}, {}) == ()


@pytest.mark.parametrize(
    ("html", "code", "told"),
    [
        ("<p>Hi undefined</p>", "`Hi ${name}`", "visitors see undefined"),
        ('<a href="/undefined/">x</a>', "", "visitors see undefined"),
        ('<p class="a undefined">x</p>', "", ""),
        ("<p>undefined</p>", "a === undefined", ""),
        ("<p>undefinedly</p>", "", ""),
        ("<p>undefined</p>", "String(typeof process)", ""),
        ("<p>$NaN</p>", "", "visitors see NaN"),
        ('<p style="width:NaNpx">x</p>', "", "visitors see NaN"),
        ('<p style="width:NaN%">x</p>', "", "visitors see NaN"),
        ("<p>BaNaNa</p>", "", ""),
        ("<textarea>[object Object]</textarea>", "", "visitors see [object Object]"),
        ("<p>[object Promise]</p>", "", "visitors see [object Promise]"),
        ("<p>[object Object]</p>", "'[object Object]'", ""),
        ("<time>Invalid Date</time>", "", "visitors see Invalid Date"),
        ("<p>NaN NaN</p>", "", "visitors see NaN"),
    ],
)
def test_what_javascript_makes_of_a_missing_value_is_named(html: str, code: str, told: str) -> None:
    """It is a warning, once of each kind, unless the code or the props say the same word."""
    row = component("it", code)
    said = block_warnings(page(block(1, "it")), {1: RenderedBlock(html=html)}, {"it": row})
    assert [told in each.what for each in said] == ([True] if told else [])
    meant = block_warnings(
        page(block(1, "it", {"a": html})), {1: RenderedBlock(html=html)}, {"it": row}
    )
    assert meant == ()
    fresh = RenderedBlock(html=html, rerender=True)
    assert block_warnings(page(block(1, "it")), {1: fresh}, {"it": row}) == ()
