"""The site root, opened once by a process, and what the process knows of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from robbieblocks.release.checking.verification_cache import VerificationCache
from robbieblocks.release.files.disk import FileStat, TemporaryPaths
from robbieblocks.release.manifest import ManifestCache
from robbieblocks.release.manifest_bases import ManifestBases
from robbieblocks.release.manifest_writer import ManifestWriter
from robbieblocks.release.names import ManifestChecks

if TYPE_CHECKING:
    from robbieblocks.errors import SiteUnavailable
    from robbieblocks.settings import Settings


class HeldLocks(threading.local):
    """The lock files that the calling thread has locked, so that it may lock them again."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What stays of an app's releases beside those that are needed, and for how long assets do.

    `releases` is how many of those that were live last; at least one. `days` is for how many past
    days the one stays that was live at the end of the day. An asset stays for `asset_days` after
    the last release that refers to it.
    """

    releases: int = 5
    days: int = 7
    asset_days: float = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class SiteRoot:
    """The folder of all nodes. A process opens one and passes it on; any thread may use it.

    Two objects for one folder share nothing: a thread can't take a lock again that it took by way
    of the other, and one removes the temporary files of the other as if a killed process had left
    them. `whole_assets` are the assets that the last publish of a node's app found whole, by node
    and app; `compressed_assets` those whose compressed copies were found right, with their stats.
    `clock` gives the time by which releases and assets get old, in seconds since 1970. `unnoted`
    are errors of the audit log, which keep nobody from an act.
    """

    path: Path
    retention: Retention = Retention()
    clock: Callable[[], float] = time.time
    manifests: ManifestCache = field(default_factory=ManifestCache)
    manifest_bases: ManifestBases = field(default_factory=ManifestBases)
    manifest_writer: ManifestWriter = field(default_factory=ManifestWriter)
    manifest_checks: ManifestChecks = field(default_factory=ManifestChecks)
    verifications: VerificationCache = field(default_factory=VerificationCache)
    whole_assets: dict[tuple[str, str], Mapping[str, FileStat]] = field(default_factory=dict)
    compressed_assets: dict[tuple[str, str], Mapping[str, tuple[FileStat, ...]]] = field(
        default_factory=dict
    )
    temporary_paths: TemporaryPaths = field(default_factory=TemporaryPaths)
    held_locks: HeldLocks = field(default_factory=HeldLocks)
    unnoted: list[SiteUnavailable] = field(default_factory=list["SiteUnavailable"])

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The site root of an installation, with its retention."""
        retention = Retention(
            releases=settings.keep_releases,
            days=settings.keep_days,
            asset_days=settings.keep_assets_days,
        )
        return cls(settings.site_root, retention=retention)
