"""Rendered blocks, kept in the cache, and hundreds at a time in the one that nodes share."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from robbieblocks import failpoints
from robbieblocks.cache import Cache
from robbieblocks.model import RenderedBlock, RenderJob, sha256

_BLOCK_KIND: Final = "block"
_PACK_KIND: Final = "blocks 1"
# A killed process renders at most so many blocks again.
_WRITE_AFTER_BLOCKS: Final = 10_000
# What rendering takes until it was measured, and from how many blocks on it is.
_USUAL_MS_EACH: Final = 0.5
_LEARNED_MIN: Final = 50
_PACK_BLOCKS: Final = 500
_KEY_BYTES: Final = 32
_LENGTH: Final = struct.Struct(">I")


class BlockCache:
    """Blocks by their job's key. New ones are held in memory until `flush`.

    A block with a problem is not kept: it is rendered, and its problem reported, each time.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._unwritten: dict[str, bytes] = {}
        self._ms_each = _USUAL_MS_EACH

    def get_many(self, keys: Iterable[str]) -> dict[str, RenderedBlock]:
        """The blocks that are cached, here or by another node, by key."""
        wanted = list(keys)
        found = self._cache.get_many(_BLOCK_KIND, wanted)
        missing = len(wanted) - len(found)
        if missing and self._is_shared(missing):
            fetched = self._fetched({*wanted} - found.keys())
            self._unwritten.update(fetched)
            found |= fetched
        return {key: _decode_block(entry) for key, entry in found.items()}

    def remember(
        self,
        keys: Mapping[RenderJob, str],
        stream: Iterator[Mapping[RenderJob, RenderedBlock]],
    ) -> Iterator[Mapping[RenderJob, RenderedBlock]]:
        """The same batches of rendered blocks; what is taken from them is remembered."""
        names = {*keys.values()}
        packs = _Packs(names if self._is_shared(len(names)) else set())
        began = time.perf_counter()
        for batch in stream:
            failpoints.reached("rendered")
            made = {
                keys[job]: _encode_block(block) for job, block in batch.items() if not block.problem
            }
            self._unwritten |= made
            self._cache.share(_PACK_KIND, packs.completed([keys[job] for job in batch], made))
            if len(self._unwritten) >= _WRITE_AFTER_BLOCKS:
                self.flush()
            yield batch
        if len(names) >= _LEARNED_MIN:
            took_ms = (time.perf_counter() - began) * 1_000
            self._ms_each += (took_ms / len(names) - self._ms_each) / 2

    def flush(self) -> None:
        """Write what was remembered.

        One write of many blocks is cheaper than many writes, and costs no time at all while the
        disk is being synced.
        """
        unwritten, self._unwritten = self._unwritten, {}
        self._cache.put_many(_BLOCK_KIND, unwritten)

    def _is_shared(self, blocks: int) -> bool:
        """Whether nodes ask each other for so many blocks."""
        return self._cache.is_shared(self._ms_each * blocks, _pack_count(blocks))

    def _fetched(self, keys: set[str]) -> dict[str, bytes]:
        """What another node rendered of many blocks."""
        found: dict[str, bytes] = {}
        expected_ms = self._ms_each * len(keys)
        for pack in self._cache.fetch(_PACK_KIND, _packs_of(keys), expected_ms).values():
            found |= {key: entry for key, entry in _unpacked(pack) if key in keys}
        return found


class _Packs:
    """The packs of blocks that are rendered together."""

    def __init__(self, keys: set[str]) -> None:
        packs = _packs_of(keys)
        self._names = {key: name for name, part in packs.items() for key in part}
        self._left = {name: len(part) for name, part in packs.items()}
        self._made: dict[str, dict[str, bytes]] = {name: {} for name in packs}

    def completed(self, keys: Iterable[str], made: Mapping[str, bytes]) -> dict[str, bytes]:
        """The packs whose last blocks these are, without those that are not in `made`."""
        done: dict[str, bytes] = {}
        for key in keys:
            name = self._names.pop(key, None)
            if name is None:
                continue
            self._left[name] -= 1
            if key in made:
                self._made[name][key] = made[key]
            if not self._left[name]:
                done[name] = _packed(self._made.pop(name))
        return done


def _packs_of(keys: set[str]) -> dict[str, list[str]]:
    """The blocks of each pack, by its name: of equal blocks, all nodes make equal packs.

    A block's own key says in which pack it is, and a pack's name is a hash of all keys in it. So
    where nodes differ in a few blocks, most packs are equal.
    """
    bits = _pack_count(len(keys)).bit_length() - 1
    parts: dict[int, list[str]] = {}
    for key in sorted(keys):
        parts.setdefault(int(key[:8], 16) >> 32 - bits, []).append(key)
    return {sha256("".join(part)): part for part in parts.values()}


def _pack_count(blocks: int) -> int:
    """How many packs so many blocks make: a power of two."""
    return 1 << max(0, (blocks // _PACK_BLOCKS).bit_length() - 1)


def _packed(blocks: Mapping[str, bytes]) -> bytes:
    parts = (bytes.fromhex(key) + _LENGTH.pack(len(each)) + each for key, each in blocks.items())
    return zlib.compress(b"".join(parts), 1)


def _unpacked(pack: bytes) -> Iterator[tuple[str, bytes]]:
    data = zlib.decompress(pack)
    at = 0
    while at < len(data):
        key = data[at : at + _KEY_BYTES].hex()
        (size,) = _LENGTH.unpack_from(data, at + _KEY_BYTES)
        at += _KEY_BYTES + _LENGTH.size + size
        yield key, data[at - size : at]


def _encode_block(block: RenderedBlock) -> bytes:
    """One byte of flags, five lines, then the HTML: ten times as quick as JSON."""
    flags = block.interactive | block.rerender << 1 | block.left_out << 2
    hints = block.hints.replace("\n", "&#10;")
    nested = (block.misnested, block.nested_controls)
    lines = (block.classes, block.later_classes, *nested, hints, block.html)
    return bytes([flags]) + "\n".join(lines).encode()


def _decode_block(entry: bytes) -> RenderedBlock:
    flags = entry[0]
    classes, later, misnested, controls, hints, html = entry[1:].decode().split("\n", 5)
    return RenderedBlock(
        html=html,
        interactive=bool(flags & 1),
        rerender=bool(flags & 2),
        classes=classes,
        later_classes=later,
        left_out=bool(flags & 4),
        hints=hints,
        misnested=misnested,
        nested_controls=controls,
    )
