"""Media that nothing shows, and pictures of which nobody has said what they show."""

from __future__ import annotations

from collections.abc import Iterator

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.errors import Problem
from robbieblocks.messages import printable


def unused_media(checked: Checked) -> Iterator[Found]:
    """Files that no page, stylesheet or token names, and that have no address of their own."""
    if not checked.whole:
        return
    content = checked.inspection.content
    named = {*content.library.media, *content.library.wrong}
    for key, row in sorted(content.media.items()):
        if key not in named:
            what = f"nothing names media:{printable(key)} ({printable(row.file_name)})"
            yield Found(Problem(entity="media", key=printable(key), what=what, remedy="delete it"))


def wrong_media(checked: Checked) -> Iterator[Found]:
    """Files of which nothing could be made, though no page may show them."""
    yield from map(Found, checked.inspection.content.library.wrong.values())


def undecided_alt(checked: Checked) -> Iterator[Found]:
    """Pictures on pages that have neither `alt` nor `is_decorative`."""
    shown = {
        media.key: media
        for app in checked.inspection.apps.values()
        for page in app.assembly.pages
        for media in page.page.media
    }
    for key, media in sorted(shown.items()):
        if media.width and not media.row.alt and not media.row.is_decorative:
            yield Found(
                Problem(
                    entity="media",
                    key=printable(key),
                    field="alt",
                    what="nobody has said what it shows",
                    remedy="set alt, or is_decorative where it says nothing that the text does not",
                )
            )
