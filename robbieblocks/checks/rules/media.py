"""Media that nothing shows, and pictures of which nobody has said what they show."""

from __future__ import annotations

from collections.abc import Iterator

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.errors import BucketUnavailable, Problem, UsageError
from robbieblocks.messages import counted, printable
from robbieblocks.objectstore import Originals


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


def lost_media(checked: Checked) -> Iterator[Found]:
    """Files that lie in a bucket, and of which it does not have the object; it is listed once.

    What pages show of them is made and kept, so that nobody sees it yet.
    """
    if not checked.objects:
        return
    originals = Originals(checked.settings.media_bucket)
    try:
        sizes = originals.sizes()
    except (BucketUnavailable, UsageError) as error:
        what, _, remedy = str(error).partition("\n  -> ")
        count = counted(len(checked.objects), "file")
        yield Found(
            Problem(
                entity="media",
                key=printable(min(checked.objects)),
                field="content_address",
                what=f"it is not known whether {count} of media is in the bucket: {what}",
                remedy=remedy or "check again when the bucket is back",
            )
        )
        return
    for key, held in sorted(checked.objects.items()):
        size = sizes.get(held.address)
        if size == held.size:
            continue
        what = f"lies at {printable(held.address)}, "
        what += (
            "and there is no such object"
            if size is None
            else f"and the object has {size:,} bytes, the row says {held.size:,}"
        )
        remedy = "put it there again: `robbieblocks media add` does, of its file"
        yield Found(
            Problem(
                entity="media",
                key=printable(key),
                field="content_address",
                what=what,
                remedy=remedy,
            )
        )


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
