"""Releases: written aside, made durable, swapped in with one rename, checked, or swapped back.

    <site root>/<node>/assets/                 immutable files named by their hash, for all apps
    <site root>/<node>/<app>/releases/<hash>/  pages, tokens, manifest.json
    <site root>/<node>/<app>/releases/.spare/  what is live once more, for the next to be made of;
                                               there may be more of them, `.spare.<n>`
    <site root>/<node>/<app>/current           symlink to the release that visitors see
    <site root>/<node>/<app>/previous          symlink to the one before
    <site root>/<node>/<app>/pinned            where it exists, the hash that a person holds live

A release also has `.seal` (size and time of each file, so that drift is found without reading)
and, once it was live and passed its smoke check, `.verified`. Whoever changes an app's folder
holds its lock; readers need none.
"""

from robbieblocks.release.disk import target_of
from robbieblocks.release.layout import Place, apps, check_asset_name, check_path
from robbieblocks.release.lock import lock
from robbieblocks.release.making import BESIDE
from robbieblocks.release.manifest import dump, load
from robbieblocks.release.prune import Pruned, prune
from robbieblocks.release.publish import Published, publish
from robbieblocks.release.smoke import BUILD_HEADER
from robbieblocks.release.spare import add_spare, look_through, make_spare
from robbieblocks.release.verify import live, manifest_of, pinned, verify

__all__ = [
    "BESIDE",
    "BUILD_HEADER",
    "Place",
    "Pruned",
    "Published",
    "add_spare",
    "apps",
    "check_asset_name",
    "check_path",
    "dump",
    "live",
    "load",
    "lock",
    "look_through",
    "make_spare",
    "manifest_of",
    "pinned",
    "prune",
    "publish",
    "target_of",
    "verify",
]
