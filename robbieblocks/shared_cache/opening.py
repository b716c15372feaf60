"""Opens a shared cache by its settings, tries its bucket out, and removes what is old there."""

from __future__ import annotations

import os
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from robbieblocks.errors import BucketUnavailable
from robbieblocks.objectstore import Address, Bucket, Patience, Stored
from robbieblocks.settings import SHARED_CACHE_KEY, SharedCacheSettings
from robbieblocks.shared_cache.sealing import Sealing, sealing_with
from robbieblocks.shared_cache.shared import ASK_S, SharedCache
from robbieblocks.shared_cache.signing import Signing

_TRIAL_BYTES_MAX: Final = 1_000
_AGE_MAX: Final = timedelta(days=30)
# Nothing else below the prefix is ever removed.
_OWN_KEY: Final = re.compile(r"[0-9a-f]{16}/(?:[0-9a-f]{2}/[0-9a-f]{62}|trial/[0-9a-f]{64})")


def open_shared_cache(
    settings: SharedCacheSettings, folder: Path, *, stopped: threading.Event | None = None
) -> SharedCache:
    """The shared cache that settings name, behind the cache in a folder.

    Once `stopped` is set it waits for no other node. Raises UsageError for an address, a key or a
    package that is wrong or missing.
    """
    address, sealing = _read(settings, folder)
    return SharedCache(Bucket(address, _hasty()), Bucket(address), sealing, folder, stopped=stopped)


def try_out(settings: SharedCacheSettings, folder: Path) -> None:
    """Write, read and remove an entry. Raises BucketUnavailable, and UsageError as opening does."""
    address, sealing = _read(settings, folder)
    bucket = Bucket(address, _hasty())
    name = sealing.name("trial", f"{os.getpid()} {time.time()}")
    key = f"{sealing.folder}/trial/{name}"
    data = sealing.sealed(name, b"")
    stored = Stored(key=key, data=data, content_type="text/plain", cache_control="no-store")
    bucket.put_bound(stored, None)
    read = bucket.get(key, bytes_max=_TRIAL_BYTES_MAX)
    if read is None or sealing.opened(name, read.data) is None:
        raise BucketUnavailable(
            f"{bucket.address} gives other bytes than were written\n"
            "  -> name another bucket in cache.shared"
        )
    bucket.delete([key])


def remove_old(settings: SharedCacheSettings) -> int:
    """Remove the entries that were written over 30 days ago, under any key; how many went.

    What is needed on is written again by whoever makes it. Raises BucketUnavailable, and UsageError
    as opening does.
    """
    bucket = Bucket(_address(settings))
    before = datetime.now(UTC) - _AGE_MAX
    old = [
        each.key
        for each in bucket.list()
        if each.modified < before and _OWN_KEY.fullmatch(each.key)
    ]
    bucket.delete(old)
    return len(old)


def _read(settings: SharedCacheSettings, folder: Path) -> tuple[Address, Sealing]:
    return _address(settings), sealing_with(
        os.environ.get(SHARED_CACHE_KEY), Signing(folder, has_master=settings.has_master)
    )


def _address(settings: SharedCacheSettings) -> Address:
    return Address.parse(settings.url, endpoint=settings.endpoint, region=settings.region)


def _hasty() -> Patience:
    bound = timedelta(seconds=ASK_S)
    connect = min(bound, timedelta(seconds=1))
    return Patience(timeout=bound, connect_timeout=connect, retries=0, retry_timeout=bound)
