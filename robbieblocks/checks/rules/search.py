"""Search fields without an index, and indexes that no field reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.pipeline import InspectedPage
from robbieblocks.settings import ALL_APPS

# In a page's text a bracket is never bare (`prerender.page.head.search_index`).
_FIELD: Final = b'<meta name="rb-search"'


def search_off(checked: Checked) -> Iterator[Found]:
    """Pages with a search field, of an app without an index."""
    for page, _ in checked.documents:
        app = page.page.app
        if _has_field(page) and not checked.settings.search.has(app):
            what = f"it has a search field, and its app {printable(app)} has no index"
            remedy = f'write `apps = "{printable(app)}"` under [search] in robbieblocks.toml'
            yield Found(Problem(entity="page", key=page.page.key, what=what, remedy=remedy))


def unused_search(checked: Checked) -> Iterator[Found]:
    """Apps that settings name for search, without a search field or not there."""
    named = checked.settings.search.apps
    if not named or not checked.whole:
        return
    there = {page.page.app for page, _ in checked.documents}
    with_field = {page.page.app for page, _ in checked.documents if _has_field(page)}
    unused = sorted(named - with_field)
    if ALL_APPS in named:
        # Not every app needs a field; one of them does.
        unused = [] if with_field else [ALL_APPS]
    for app in unused:
        missing = app not in there and app != ALL_APPS
        what = f"there is no app {printable(app)}" if missing else "no page has a search field"
        yield Found(
            Problem(
                entity="setting",
                key="search.apps",
                what=f"{printable(app)}: {what}",
                remedy="place the component search on a page, or take the app out",
            )
        )


def _has_field(page: InspectedPage) -> bool:
    return any(_FIELD in part for part in page.document.parts)
