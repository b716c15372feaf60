"""Publishes what is live under the site root to a bucket: a copy with a pointer and a record.

The site root stays the source, so pins, holds and rollbacks count for the bucket, too. Layouts:

    router   <root>/pointer.json             names the table that counts, by compare-and-swap
             <root>/releases/<sha256>.json   a table: which object answers which path
             <root>/pages/<sha256>.<ending>  pages and other files, by their content
             <root>/assets/<name>            assets
    flat     <root>/.robbieblocks.json       what was put there, with tags; written as above
             <root>/<path of the file>       pages and other files
             <root>/_rb/<name>               assets

`<site root>/<node>/.bucket.json` is the record of what was published last, and of what failed.
"""

from robbieblocks.bucket.pointer import FlatPointer, RouterPointer
from robbieblocks.bucket.publishing import Publisher, Pushed, open_publisher
from robbieblocks.bucket.record import Record, read_record
from robbieblocks.bucket.redirect_lines import StaticHost
from robbieblocks.bucket.routers import RouterKind, router_of
from robbieblocks.bucket.source import live_builds
from robbieblocks.bucket.static_host import static_site
from robbieblocks.bucket.telling import Telling

__all__ = [
    "FlatPointer",
    "Publisher",
    "Pushed",
    "Record",
    "RouterKind",
    "RouterPointer",
    "StaticHost",
    "Telling",
    "live_builds",
    "open_publisher",
    "read_record",
    "router_of",
    "static_site",
]
