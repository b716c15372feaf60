"""Results of builds that nodes share through an S3-compatible bucket.

It stands behind the cache of each installation, and no build needs it: what it does not give in
time is made here. An entry is believed for its seal alone: whoever has the key is one of the
nodes, and whoever can only write to the bucket is not. So a node with the key can have the others
show what it likes.
"""

from robbieblocks.shared_cache.counts import SharedCounts
from robbieblocks.shared_cache.opening import open_shared_cache, remove_old, try_out
from robbieblocks.shared_cache.shared import SharedCache
from robbieblocks.shared_cache.signing import believe, forget, public_key
from robbieblocks.shared_cache.trouble import SHARED_CACHE_LOGGER, Trouble, troubles

__all__ = [
    "SHARED_CACHE_LOGGER",
    "SharedCache",
    "SharedCounts",
    "Trouble",
    "believe",
    "forget",
    "open_shared_cache",
    "public_key",
    "remove_old",
    "troubles",
    "try_out",
]
