"""The releases that one can go back to, how one of them is chosen, and whether it is whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.model import Manifest
from robbieblocks.release.checking.verify import damaged_assets
from robbieblocks.release.files import disk
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import manifest_of
from robbieblocks.release.retention.rule import live_times

_LISTED_AT_MOST: Final = 10
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRelease:
    """A release that is on the disk and was live: its hash, and when it was made live last."""

    build_hash: str
    live_at: datetime
    is_live: bool

    def __str__(self) -> str:
        live = " (live)" if self.is_live else ""
        return f"{self.build_hash[:12]} of {self.live_at:%Y-%m-%d %H:%M:%S}Z{live}"


def kept_releases(site_root: SiteRoot, node: str, app: str) -> tuple[KeptRelease, ...]:
    """The releases of an app that one can go back to, the one made live last first.

    One that never was live, or failed its check, is none of them. Raises SiteUnavailable.
    """
    app_folder = AppFolder.of(site_root, node, app)
    live = app_folder.live_name
    with disk.attempt("read the releases", app_folder.releases):
        if not app_folder.releases.is_dir():
            return ()
        found = [(live_at, name) for name, live_at in live_times(app_folder).items()]
    return tuple(
        KeptRelease(
            build_hash=name,
            live_at=datetime.fromtimestamp(live_at, UTC),
            is_live=name == live,
        )
        for live_at, name in sorted(found, reverse=True)
        if live_at
    )


def choose(
    kept: Sequence[KeptRelease],
    to: str,
    place: str,
    is_no_step: Callable[[str], bool] = lambda _: False,
) -> str:
    """The release to go to; without `to` none that is no step back. Raises UsageError that lists
    those there are.
    """
    if not to:
        older = (each.build_hash for each in before_live(kept))
        name = next((each for each in older if not is_no_step(each)), None)
        if name is None:
            raise UsageError(
                f"no release of {place} that was live before the live one is kept\n"
                f"  -> name one with --to; there are:{listed(kept)}"
            )
        return name
    found = [each.build_hash for each in kept if each.build_hash.startswith(to.lower())]
    if len(found) != 1:
        what = "several releases" if found else "no release that was live"
        raise UsageError(f"{what} of {place} begins with {printable(to)}; there are:{listed(kept)}")
    return found[0]


def before_live(kept: Sequence[KeptRelease]) -> list[KeptRelease]:
    """Those that were live before the live one, the last first; all where none is live."""
    live_at = next((each.live_at for each in kept if each.is_live), None)
    return [e for e in kept if not e.is_live and (live_at is None or e.live_at < live_at)]


def listed(kept: Sequence[KeptRelease]) -> str:
    """Releases as lines below an error, the last ones alone."""
    return "".join(f"\n  {each}" for each in kept[:_LISTED_AT_MOST]) or " none"


def whole_manifest(app_folder: AppFolder, name: str) -> Manifest:
    """The manifest of a release that is whole. Raises UsageError that names what is damaged.

    Pages are compared by size and time: of ten thousand, reading all takes seconds.
    """
    manifest = manifest_of(app_folder, name)
    damaged: list[str] = []
    if manifest is not None:
        folder = app_folder.releases / name
        with disk.attempt("read the release", folder):
            whole = whole_files(folder, manifest, manifest.files)
            damaged = [path for path in manifest.files if path not in whole]
        with disk.attempt("read the assets", app_folder.assets):
            damaged += damaged_assets(app_folder.assets, manifest.assets, quick=False)
    if manifest is None or damaged:
        what = ", ".join(map(printable, damaged[:_NAMED_AT_MOST])) or "its manifest"
        raise UsageError(
            f"release {name[:12]} of {app_folder.app} on {app_folder.node} is damaged: {what}\n"
            "  -> name another one with --to"
        )
    return manifest
