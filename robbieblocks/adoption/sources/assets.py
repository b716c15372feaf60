"""Files that code imports and that are no code: small images are inlined, others are told."""

from __future__ import annotations

import base64
import posixpath
from typing import Final

MOST_JSON: Final = 256 * 1024
_MOST_INLINE: Final = 16 * 1024
_IMAGES: Final = {
    ".svg": "svg+xml",
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".gif": "gif",
    ".webp": "webp",
    ".avif": "avif",
}


def data_url(path: str, content: bytes) -> str:
    """A small image as a data: URL; empty for what is none, and where there is no content."""
    kind = _IMAGES.get(posixpath.splitext(path)[1].lower())
    if kind is None or not content or len(content) > _MOST_INLINE:
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def why_not_inlined(path: str, *, whole: bool) -> tuple[str, str]:
    """What is wrong with the import of a file, and what to do; `whole` is `import x from`."""
    ending = posixpath.splitext(path)[1].lower()
    if ending == ".json":
        what = f"has more than {MOST_JSON // 1024} KiB, or is no JSON"
        return what, "give what is shown as props"
    if ending in _IMAGES and not whole:
        remedy = "import its address (`import url from ...`), or write the SVG as a component"
        return "can't be imported in this way", remedy
    return (
        "is a file, and a component's row holds none",
        "serve it beside the site, and write its path (or take it as a prop); images of up to "
        f"{_MOST_INLINE // 1024} KiB are inlined",
    )
