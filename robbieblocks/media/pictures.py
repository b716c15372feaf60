"""Pictures of media: the forms that the child makes of one."""

from __future__ import annotations

import json
from typing import Final

from robbieblocks.media.child import PictureChild
from robbieblocks.media.kinds import MediaKind
from robbieblocks.media.made import Made
from robbieblocks.model import Asset, Media, MediaForm, MediaRow

_TIMEOUT_S: Final = 60.0
_PIXELS_MAX: Final = 100_000_000
_EXTENSIONS: Final = {
    "image/avif": "avif",
    "image/webp": "webp",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/svg+xml": "svg",
}


def made_picture(row: MediaRow, kind: MediaKind, given: bytes, child: PictureChild) -> Made | str:
    """What the child makes of a picture or drawing, or what is wrong with the file.

    Raises ProcessFailed.
    """
    request = json.dumps({"type": kind.type, "pixels_max": _PIXELS_MAX}).encode()
    head, _, body = child.call(request + b"\n" + given, _TIMEOUT_S).partition(b"\n")
    told = json.loads(head)
    if "error" in told:
        return str(told["error"])
    files: dict[str, bytes] = {}
    forms: list[MediaForm] = []
    at = 0
    for each in told["made"]:
        data = body[at : at + each["size"]]
        at += each["size"]
        asset = Asset.of(row.key, _EXTENSIONS[each["type"]], data)
        files[asset.name] = data
        forms.append(MediaForm(asset.name, each["type"], each["width"], each["height"]))
    media = Media(
        row=row,
        forms=tuple(forms),
        width=told["width"],
        height=told["height"],
        placeholder=told["placeholder"],
    )
    return Made(media, files)
