"""What is noted of a release that was live: an empty note says nothing against it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

from robbieblocks.release.names import VERIFIED
from robbieblocks.release.places.layout import AppFolder

LEFT: Final = b"rolled back from\n"
REPLACED: Final = b"index replaced\n"
"""Its pages are in a later release, with an index for search that was made of them since."""


def remark(app_folder: AppFolder, name: str, text: bytes) -> None:
    """Note it of a release; when that was live stays noted. What the disk refuses leaves it."""
    path = app_folder.releases / name / VERIFIED
    with suppress(OSError):
        status = path.stat()
        path.write_bytes(text)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
