"""Releases: written to the disk, synced, swapped in by one rename, checked, or swapped back.

    <site root>/site.json                      marks the site root, and names its database
    <site root>/freezes.json                   where it exists, what people froze until when
    <site root>/audit.jsonl                    who froze what, and who ended that
    <site root>/<node>/assets/                 immutable files named by their hash, for all apps,
                                               and compressed copies: `<name>.br`, `.zst`, `.gz`
    <site root>/<node>/<app>/releases/<hash>/  pages, tokens, manifest.json
    <site root>/<node>/<app>/releases/.spare/  the first standby tree, a copy of what is live;
                                               there may be more of them, `.spare.<n>`
    <site root>/<node>/<app>/current           symlink to the release that visitors see
    <site root>/<node>/<app>/previous          symlink to the one before
    <site root>/<node>/<app>/pinned            where it exists, what a person holds live, and why
    <site root>/<node>/<app>/held.json         where it exists, the pages that a person holds
    <site root>/<node>/<app>/audit.jsonl       who pinned, held and went back, and ended that

Of a large app, `manifest.json` says what is another than in `.base`, a whole manifest of an earlier
release, which releases share by a hard link. A release also has `.seal`, the stat index (size and
time of each file, so that damage is found without reading), and, once it was live and passed its
smoke check, `.verified`. Whoever changes an app's folder holds its lock; readers need none.

Read `write` first, then `swap`: together they publish. What they and the others rest on:

    names, places, files     names with a meaning, where all is, who may change it, safe calls
    manifest, reading        what a release says of itself, and reading what is live
    manifest_writer, on_disk how that is written
    mending                  damage, while newer content may not go out
    standby, recycle         folders that are made ready, of which the next release is made
    checking, proof          is it whole on the disk, and do visitors get it
    audit                    who did what to what is live, and when
    pinning                  pins, holds, freezes, going back
    retention                what stays, what takes the disk, what goes
    assets, compression      files that releases share, and their compressed copies
    routing                  which route a file answers
"""

from robbieblocks.release.audit.entries import Entry
from robbieblocks.release.checking.drift import edited_on_disk, not_served
from robbieblocks.release.checking.verify import verify
from robbieblocks.release.compression import (
    COMPRESSED,
    COMPRESSED_MIN_BYTES,
    SUFFIXES,
    compress_assets,
    is_compressible,
)
from robbieblocks.release.mending import mend_live
from robbieblocks.release.names import BUILD_HEADER, hash_in_name, is_asset_name
from robbieblocks.release.pinning.freeze_log import note_windows
from robbieblocks.release.pinning.freezes import (
    ALL_NODES,
    Freeze,
    freezes,
    freezes_over,
    frozen,
    window_freezes,
)
from robbieblocks.release.pinning.freezing import end_freezes, forget_freezes_over, freeze
from robbieblocks.release.pinning.history import audit
from robbieblocks.release.pinning.holding import end_holds, hold_page
from robbieblocks.release.pinning.holds import Hold, holds
from robbieblocks.release.pinning.in_force import settle_audit
from robbieblocks.release.pinning.kept_releases import KeptRelease, kept_releases
from robbieblocks.release.pinning.live_pins import pin_live, unpin
from robbieblocks.release.pinning.page_rollback import RolledBackPage, roll_back_page
from robbieblocks.release.pinning.pins import Pin, pinned
from robbieblocks.release.pinning.rollback import RolledBack, roll_back
from robbieblocks.release.pinning.standing import pages_between, standing
from robbieblocks.release.places.claim import claim
from robbieblocks.release.places.layout import (
    AppFolder,
    apps,
    apps_with_releases,
    has_folder,
    has_place,
    node_folders,
    nodes,
)
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.node_removal import (
    finish_removals,
    remove_node,
    removed_nodes,
    worker_lock,
)
from robbieblocks.release.places.readability import Reader, closed_to
from robbieblocks.release.places.removal_limit import RemovalLimit
from robbieblocks.release.places.site_root import Retention, SiteRoot
from robbieblocks.release.places.writability import Room, mounted_inside, room, try_writing
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.reading import (
    has_assets,
    live,
    live_folder,
    live_size,
    manifest_of,
    read_asset,
    read_live,
)
from robbieblocks.release.retention.pruning import Pruned, collect, prune
from robbieblocks.release.retention.rule import kept_hashes
from robbieblocks.release.retention.usage import (
    AppUsage,
    AssetsUsage,
    size_of,
    usage_of_app,
    usage_of_assets,
)
from robbieblocks.release.routing import not_found_files, routes_of
from robbieblocks.release.standby import prepare_standby_trees
from robbieblocks.release.swap import Published, make_live
from robbieblocks.release.write import WrittenRelease, write_release

__all__ = [
    "ALL_NODES",
    "BUILD_HEADER",
    "COMPRESSED",
    "COMPRESSED_MIN_BYTES",
    "SUFFIXES",
    "AppFolder",
    "AppUsage",
    "AssetsUsage",
    "Entry",
    "Freeze",
    "Hold",
    "KeptRelease",
    "NotServed",
    "Pin",
    "Pruned",
    "Published",
    "Reader",
    "RemovalLimit",
    "Retention",
    "RolledBack",
    "RolledBackPage",
    "Room",
    "SiteRoot",
    "WrittenRelease",
    "apps",
    "apps_with_releases",
    "audit",
    "claim",
    "closed_to",
    "collect",
    "compress_assets",
    "edited_on_disk",
    "end_freezes",
    "end_holds",
    "finish_removals",
    "forget_freezes_over",
    "freeze",
    "freezes",
    "freezes_over",
    "frozen",
    "has_assets",
    "has_folder",
    "has_place",
    "hash_in_name",
    "hold_page",
    "holds",
    "is_asset_name",
    "is_compressible",
    "kept_hashes",
    "kept_releases",
    "live",
    "live_folder",
    "live_size",
    "lock",
    "make_live",
    "manifest_of",
    "mend_live",
    "mounted_inside",
    "node_folders",
    "nodes",
    "not_found_files",
    "not_served",
    "note_windows",
    "pages_between",
    "pin_live",
    "pinned",
    "prepare_standby_trees",
    "prune",
    "read_asset",
    "read_live",
    "remove_node",
    "removed_nodes",
    "roll_back",
    "roll_back_page",
    "room",
    "routes_of",
    "settle_audit",
    "size_of",
    "standing",
    "try_writing",
    "unpin",
    "usage_of_app",
    "usage_of_assets",
    "verify",
    "window_freezes",
    "worker_lock",
    "write_release",
]
