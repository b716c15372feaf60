"""Reads `icons` and `manifest`: what browsers and phones show of a node beside its pages."""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.media_names import REFERENCE
from robbieblocks.messages import printable
from robbieblocks.model import Icons, WebManifest
from robbieblocks.site_settings.stated import Stated

_ICONS: Final = ("app", "favicon", "maskable", "source", "touch")
_MANIFEST: Final = ("display", "short_name", "start_url")
_DISPLAYS: Final = ("browser", "fullscreen", "minimal-ui", "standalone")
_SHORT_NAME: Final = 45
_APP_ICONS: Final = 10
_PATH: Final = re.compile(r"/(?![/\\])[^\s\\]{0,300}")


def icons(stated: Stated) -> Icons:
    """The keys of media for each use."""
    found = stated.members(_ICONS)
    single = {name: _key(inner) for name, inner in found.items() if name != "app"}
    app = tuple(map(_key, found["app"].items(_APP_ICONS))) if "app" in found else ()
    return Icons(**single, app=app)


def manifest(stated: Stated) -> WebManifest:
    """What an installed site is called, how it is shown and where it begins."""
    found = stated.members(_MANIFEST)
    made = WebManifest()
    if "short_name" in found:
        made = made._replace(short_name=found["short_name"].text(_SHORT_NAME))
    if "display" in found:
        made = made._replace(display=found["display"].choice(_DISPLAYS))
    if "start_url" in found:
        path = found["start_url"].text()
        if path and not _PATH.fullmatch(path):
            found["start_url"].report(f"{printable(path)} is no path", "write one such as /play/")
        made = made._replace(start_url=path)
    return made


def _key(stated: Stated) -> str:
    """The key in `media:<key>`; "" where there is none."""
    text = stated.text()
    named = REFERENCE.fullmatch(text)
    if text and named is None:
        stated.report(f"{printable(text)} names no media", "write media: and a key")
    return named[1] if named else ""
