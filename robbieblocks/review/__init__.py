"""What a change does before it goes out: the content's difference, and every page's on every node.

`review` compares the project with a git revision, a folder or the database, and gives a `Review`: a
frozen value, of which `as_text`, `as_markdown` and `as_object` are forms. Both sites are built in
memory, from files or rows that are only read.
"""

from robbieblocks.review.differences import row_changes
from robbieblocks.review.html import as_html, report_folder
from robbieblocks.review.json_form import as_object, row_object
from robbieblocks.review.markdown import as_markdown
from robbieblocks.review.pictures import Picture, Pictured, Pictures, take_pictures
from robbieblocks.review.reviewing import Asked, review
from robbieblocks.review.text import as_text, row_text
from robbieblocks.review.values import (
    EFFECTS,
    Base,
    Effect,
    FieldChange,
    NewFinding,
    PageEffect,
    Review,
    Reviewed,
    RowChange,
    RunEffect,
    Sizes,
)

__all__ = [
    "EFFECTS",
    "Asked",
    "Base",
    "Effect",
    "FieldChange",
    "NewFinding",
    "PageEffect",
    "Picture",
    "Pictured",
    "Pictures",
    "Review",
    "Reviewed",
    "RowChange",
    "RunEffect",
    "Sizes",
    "as_html",
    "as_markdown",
    "as_object",
    "as_text",
    "report_folder",
    "review",
    "row_changes",
    "row_object",
    "row_text",
    "take_pictures",
]
