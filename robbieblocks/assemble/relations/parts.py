"""The further pages that are made of one page whose list is shown in parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.model import PageRow

MAX_PARTS: Final = 1_000
# Pages in the lists of all parts of a page.
_MAX_LISTED: Final = 200_000
_HTML: Final = ".html"
_PART: Final = re.compile(r"\.page-[1-9][0-9]{0,3}\Z")


def part_key(key: str, number: int) -> str:
    """The key of a page's part: `blog.page-2`. The first part is the page itself."""
    return key if number == 1 else f"{key}.page-{number}"


def whole_key(key: str) -> str | None:
    """The key of the page that a page with this key is a further part of, if it is one."""
    found = _PART.search(key)
    return key[: found.start()] if found else None


def part_route(route: str, number: int) -> str:
    """The route of a page's part: `/blog/page/2/`, without the last slash where the page has none.

    Of a route that is a file, such as `/blog.html`, it is a file, too: `/blog/page/2.html`.
    """
    if number == 1:
        return route
    if route.endswith(_HTML):
        return f"{route.removesuffix(_HTML)}/page/{number}{_HTML}"
    end = "/" if route.endswith("/") and route != "/" else ""
    return f"{route.rstrip('/')}/page/{number}{end}"


def part_of(row: PageRow, number: int) -> PageRow:
    """A page's part as a row of its own, with its number in the title."""
    if number == 1:
        return row
    return replace(
        row,
        key=part_key(row.key, number),
        route=part_route(row.route, number),
        name=f"{row.name} ({number})",
        meta_title=f"{row.meta_title} ({number})" if row.meta_title else row.meta_title,
        part_of=row.key,
        # Nobody knows which part of the other lists says the same.
        translations=(),
    )


def taken_key(parts: Sequence[str], keys: Collection[str]) -> str | None:
    """The first key of a part that another page has."""
    return next((key for key in parts if key in keys), None)


def parts_problem(page: PageRow, count: int, listed: int, taken: str | None) -> Problem | None:
    """What is wrong with so many parts, of which the first lists so many pages."""
    if page.not_found:
        return Problem(
            entity="page",
            key=page.key,
            what="a 404 page shows a list in parts, and has no address for them",
            remedy="take `paginate` out of the list",
        )
    if count > MAX_PARTS:
        return Problem(
            entity="page",
            key=page.key,
            what=f"its list would make {count:,} pages",
            remedy=f"raise the list's limit: at most {MAX_PARTS:,} pages are made of one",
        )
    if count * listed > _MAX_LISTED:
        return Problem(
            entity="page",
            key=page.key,
            what=f"the lists of its {count:,} parts have more than {_MAX_LISTED:,} pages in all",
            remedy="lower the limits of those lists that are not in parts",
        )
    if taken is None:
        return None
    return Problem(
        entity="page",
        key=page.key,
        field="page_key",
        what=f"a part of its list has the key of the page {taken}",
        remedy="give that page another key",
    )
