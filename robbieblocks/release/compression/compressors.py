"""Compresses, and compares. Imported by the child process alone: loading these takes 30 ms."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import brotli
import zstandard

# Brotli's best takes a second for 100 kB, and its ninth a fiftieth of that for a tenth more bytes.
_BROTLI_BEST: Final = 11
_BROTLI_QUICK: Final = 9
_QUICK_FROM_BYTES: Final = 512 * 1024
# From level 20 on the window is larger than the 8 MiB that browsers accept (RFC 9659).
_ZSTD_LEVEL: Final = 19
_GZIP_LEVEL: Final = 9


def compress(coding: str, content: bytes) -> bytes:
    """The content in a coding, as small as can be had; equal bytes for equal content."""
    return _COMPRESS[coding](content)


def is_copy(coding: str, copy: bytes, content: bytes) -> bool:
    """Whether a copy is whole: what a browser makes of it is the content."""
    try:
        return _DECOMPRESS[coding](copy) == content
    except (OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError):
        return False


def _brotli(content: bytes) -> bytes:
    quality = _BROTLI_BEST if len(content) < _QUICK_FROM_BYTES else _BROTLI_QUICK
    return brotli.compress(content, quality=quality)


def _zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(content)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=_GZIP_LEVEL, mtime=0)


def _unzstd(copy: bytes) -> bytes:
    # A browser refuses what follows the frame; the library ignores it unless told otherwise.
    return zstandard.ZstdDecompressor().decompress(copy, allow_extra_data=False)


_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "br": _brotli,
    "zstd": _zstd,
    "gzip": _gzip,
}
_DECOMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "br": brotli.decompress,
    "zstd": _unzstd,
    "gzip": gzip.decompress,
}
