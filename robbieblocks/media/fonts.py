"""Fonts of media: as they are, with a file of their common letters beside, made in the child."""

from __future__ import annotations

import importlib.util
import json
from typing import Final

from robbieblocks.media.child import PictureChild
from robbieblocks.media.kinds import MediaKind
from robbieblocks.media.made import Made
from robbieblocks.model import Asset, FontMeasure, Media, MediaForm, MediaRow
from robbieblocks.toolchain import COMMON_RANGE

_TIMEOUT_S: Final = 60.0


def can_be_cut() -> bool:
    """Whether the library that reads fonts is there; without it they are published as they are."""
    return importlib.util.find_spec("fontTools") is not None


def as_given(row: MediaRow, kind: MediaKind, given: bytes) -> Made:
    """A file as it is."""
    asset = Asset.of(row.key, kind.extension, given)
    form = MediaForm(asset.name, kind.type)
    return Made(Media(row=row, forms=(form,)), {asset.name: given})


def made_font(row: MediaRow, kind: MediaKind, given: bytes, child: PictureChild) -> Made | str:
    """A font with what the child makes of it, or what is wrong with the file.

    Raises ProcessFailed.
    """
    request = json.dumps({"type": "font", "common_range": COMMON_RANGE}).encode()
    head, _, body = child.call(request + b"\n" + given, _TIMEOUT_S).partition(b"\n")
    told = json.loads(head)
    if "error" in told:
        return str(told["error"])
    whole = as_given(row, kind, given)
    files, forms = dict(whole.files), whole.media.forms
    if told["size"]:
        asset = Asset.of(row.key, "woff2", body[: told["size"]])
        files[asset.name] = asset.content
        forms = (MediaForm(asset.name, "font/woff2"), *forms)
    media = Media(
        row=row,
        forms=forms,
        font_kind=told["kind"] or None,
        measures=tuple(FontMeasure(*each) for each in told["measures"]),
    )
    return Made(media, files)
