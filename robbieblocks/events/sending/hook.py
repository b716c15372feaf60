"""What the command of `on_publish` is given on its standard input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from robbieblocks.events.shapes import is_list, is_object


def hook_input(events: Sequence[tuple[str, Mapping[str, object]]]) -> bytes:
    """What the command reads: `events`, each with its `id`, and the `urls` of all that changed.

    A page without a URL, because its node has no address, is there by its path. `more_pages` are
    pages beyond those: where there are any, everything is to be purged.
    """
    urls: dict[str, None] = {}
    more = 0
    for _, payload in events:
        data = payload.get("data")
        if not is_object(data):
            continue
        pages, beyond = data.get("pages"), data.get("more_pages")
        for page in pages if is_list(pages) else ():
            if is_object(page):
                urls[str(page.get("url") or page.get("path"))] = None
        more += beyond if isinstance(beyond, int) else 0
    listed = [{"id": event_id, **payload} for event_id, payload in events]
    return orjson.dumps({"events": listed, "urls": list(urls), "more_pages": more})
