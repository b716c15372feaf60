"""All content as one transaction sees it: published pages with their blocks, components, tokens,
nodes, and the queue rows that it covers.

Queue rows and content are read together, so what a row asked for is in the snapshot that holds it,
and acknowledging exactly those rows after the swap never hides a later edit.

`take` reads everything, `refresh` what changed since an earlier snapshot.
"""

from robbieblocks.snapshot.collections import row_of
from robbieblocks.snapshot.media import content as media_content
from robbieblocks.snapshot.taking import nodes, page_apps, refresh, shared_frames, take, triggers
from robbieblocks.snapshot.values import json_value

__all__ = [
    "json_value",
    "media_content",
    "nodes",
    "page_apps",
    "refresh",
    "row_of",
    "shared_frames",
    "take",
    "triggers",
]
