"""Compressed copies of assets, beside them, so that a web server need not compress at a request.

| file | what it does |
|---|---|
| `codings` | which copies an asset has, and how they are named |
| `copies` | finds the copies that are missing, and has a child process make them |
| `child_process`, `compressors` | make them, and tell whether one is right |

Pages have none. A copy would have to lie in the release before the swap, which an edit would wait
for; a web server compresses a page in less than a millisecond.
"""

from robbieblocks.release.compression.codings import (
    COMPRESSED,
    COMPRESSED_MIN_BYTES,
    SUFFIXES,
    is_compressible,
    original_of,
)
from robbieblocks.release.compression.copies import compress_assets

__all__ = [
    "COMPRESSED",
    "COMPRESSED_MIN_BYTES",
    "SUFFIXES",
    "compress_assets",
    "is_compressible",
    "original_of",
]
