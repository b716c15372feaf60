"""The child process that reads pictures: whatever a file does, only this process is harmed.

Started as `python -P robbieblocks/media/picture_process.py`. A frame is a line of JSON and the
file's bytes; so is an answer, with what was made one after the other:

    {"type": "image/jpeg", "pixels_max": 100000000}
    -> {"width": 4000, "height": 3000, "placeholder": "data:...",
        "made": [{"type": "image/avif", "width": 320, "height": 240, "size": 5000}, ...]}
    -> {"error": what is wrong with the file}

For icons `form` is the type of the file, `ground` a colour; the forms are in the order of
`icon_drawing.py`. Of a font the answer has the size of the file of its common letters, 0 where
there is none, and its measures. For a social card the bytes are those of fonts, one after the other
(`cards.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
from typing import Any

from robbieblocks.media.forms import Forms, Made, Refused
from robbieblocks.media.svg import SvgProblem, cleaned
from robbieblocks.process import answer


def main() -> None:
    """Answer frames until the end of input."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer(_handle)
    os._exit(0)  # skips the teardown of libraries that have nothing to save


def _handle(payload: bytes) -> bytes:
    head, _, content = payload.partition(b"\n")
    request = json.loads(head)
    try:
        if request["type"] == "card":
            return _answer(_card(content, request))
        if request["type"] == "font":
            return _font(content, request["common_range"])
        if request["type"] == "icons":
            return _answer(_icons(content, request["form"], request["ground"]))
        return _answer(_forms(content, request["type"], request["pixels_max"]))
    except Refused as error:
        return json.dumps({"error": str(error)}).encode() + b"\n"


def _forms(content: bytes, kind: str, pixels_max: int) -> Forms:
    if kind != "image/svg+xml":
        # A machine without Pillow cleans drawings all the same.
        from robbieblocks.media.pixels import forms_of

        return forms_of(content, kind, pixels_max)
    found = cleaned(content)
    if isinstance(found, SvgProblem):
        raise Refused(found.what)
    made = Made(kind, found.width, found.height, found.content)
    return Forms(found.width, found.height, (made,))


def _icons(content: bytes, form: str, ground: str) -> Forms:
    from robbieblocks.media.icon_drawing import icons_of

    return icons_of(content, form, ground)


def _card(content: bytes, request: dict[str, Any]) -> Forms:
    from robbieblocks.media.card_drawing import card_of

    fonts: dict[str, bytes] = {}
    at = 0
    for name, size in request["fonts"].items():
        fonts[name] = content[at : at + size]
        at += size
    titles, texts = ([fonts[name] for name in request[f"{use}_fonts"]] for use in ("title", "text"))
    return card_of(request["card"], titles, texts)


def _font(content: bytes, common_range: str) -> bytes:
    from robbieblocks.media.font_making import font_of

    found = font_of(content, common_range)
    common = found.common or b""
    told = {"size": len(common), "kind": found.kind, "measures": found.measures}
    return json.dumps(told).encode() + b"\n" + common


def _answer(forms: Forms) -> bytes:
    listed = [
        {"type": each.type, "width": each.width, "height": each.height, "size": len(each.content)}
        for each in forms.made
    ]
    told = {
        "width": forms.width,
        "height": forms.height,
        "placeholder": forms.placeholder,
        "made": listed,
    }
    return b"\n".join([json.dumps(told).encode(), b"".join(each.content for each in forms.made)])


if __name__ == "__main__":
    main()
