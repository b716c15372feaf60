"""The one door to S3-compatible buckets: objects are read, listed, written and removed here.

Writes can be bound to what is there (If-Match and If-None-Match, RFC 9110, 13.1). Credentials are
those of the environment or of the machine's role, and are in no message.
"""

from robbieblocks.objectstore.address import Address
from robbieblocks.objectstore.bucket import Bucket, Content, Listed, Overtaken, Patience, Stored
from robbieblocks.objectstore.originals import Original, Originals, Right, Unreadable

__all__ = [
    "Address",
    "Bucket",
    "Content",
    "Listed",
    "Original",
    "Originals",
    "Overtaken",
    "Patience",
    "Right",
    "Stored",
    "Unreadable",
]
