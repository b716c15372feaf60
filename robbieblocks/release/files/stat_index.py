"""The stat index, `.seal`: size and time of each file, so that damage is found without reading."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.names import STAT_INDEX


def dump(manifest: Manifest, stats: Mapping[str, FileStat]) -> bytes:
    """The bytes of a stat index: the build hash, then size and time of each file by sorted path."""
    numbers = array("q", [number for path in sorted(manifest.files) for number in stats[path]])
    return bytes.fromhex(manifest.build_hash) + numbers.tobytes()


def read(folder: Path, manifest: Manifest) -> dict[str, FileStat]:
    """The recorded stats by path; empty where the index is missing or another manifest's."""
    try:
        with disk.folder(folder) as fd:
            content = disk.read_file(STAT_INDEX, dir_fd=fd)
    except OSError:
        return {}
    hash_size = hashlib.sha256().digest_size
    numbers = array("q")
    size = 2 * numbers.itemsize * len(manifest.files)
    if content[:hash_size] != bytes.fromhex(manifest.build_hash):
        return {}
    if len(content) != hash_size + size:
        return {}
    numbers.frombytes(content[hash_size:])
    return dict(
        zip(sorted(manifest.files), zip(numbers[::2], numbers[1::2], strict=True), strict=True)
    )
