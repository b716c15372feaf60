"""A review as HTML: a report in one file, and a folder with both sides of each page beside it."""

from robbieblocks.review.html.folder import report_folder
from robbieblocks.review.html.report import as_html

__all__ = ["as_html", "report_folder"]
