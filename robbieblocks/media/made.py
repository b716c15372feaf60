"""What was made of a picture or file, and the bytes by which caches keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from robbieblocks.model import FontMeasure, Media, MediaForm, MediaRow


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a row, and the bytes of its forms by their names."""

    media: Media
    files: Mapping[str, bytes]


def entry_of(media: Media) -> bytes:
    """What the cache keeps beside the files."""
    font = media.font_kind, media.measures
    return json.dumps([media.width, media.height, media.placeholder, font, *media.forms]).encode()


def packed(made: Made) -> bytes:
    """All of it as one: the entry, the sizes of the files by name, and their bytes."""
    sizes = json.dumps({name: len(data) for name, data in made.files.items()}).encode()
    return b"".join((entry_of(made.media), b"\n", sizes, b"\n", *made.files.values()))


def unpacked(row: MediaRow, content: bytes) -> Made:
    """What was packed of such a row."""
    entry, sizes, body = content.split(b"\n", 2)
    files: dict[str, bytes] = {}
    at = 0
    for name, size in json.loads(sizes).items():
        files[name] = body[at : at + size]
        at += size
    return Made(from_entry(row, entry), files)


def from_entry(row: MediaRow, entry: bytes) -> Media:
    """What pages show of a row."""
    width, height, placeholder, (kind, measures), *forms = json.loads(entry)
    return Media(
        row=row,
        forms=tuple(MediaForm(*form) for form in forms),
        width=width,
        height=height,
        placeholder=placeholder,
        font_kind=kind,
        measures=tuple(FontMeasure(*each) for each in measures),
    )
