"""Makes the icons of a node out of one picture, once for each: they are kept in the cache."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.media.child import PictureChild
from robbieblocks.media.failures import Failures
from robbieblocks.media.judging import AGAIN
from robbieblocks.model import Asset, MediaForm, canonical_json, sha256
from robbieblocks.process import Killed, NotStarted
from robbieblocks.source_hash import source_hash

_CODE: Final = source_hash(Path(__file__).with_name("icon_drawing.py"))
_KIND: Final = "node-icons"
_SVG: Final = "image/svg+xml"
_TIMEOUT_S: Final = 20.0
_KEPT: Final = 64
_INSTALL: Final = "pip install 'robbieblocks[media]'"


class IconSet(NamedTuple):
    """The icons that were made of one picture; all but the ICO are PNGs."""

    ico: Asset
    tab: Asset
    touch: Asset
    small: Asset
    large: Asset
    maskable: Asset


class NoIcons(NamedTuple):
    """Why nothing could be made of a picture, and what to do. `what` continues a sentence.

    `passing` is as in errors.Problem.
    """

    what: str
    remedy: str
    passing: bool = False


@dataclass(slots=True)
class IconMaker:
    """Makes icons in a child process. What was made, or could not be, is known while it runs."""

    cache: Cache
    failures: Failures[NoIcons] = field(default_factory=Failures[NoIcons])
    _known: dict[str, IconSet] = field(default_factory=dict[str, IconSet])

    def make(self, form: MediaForm, content: Callable[[], bytes], ground: str) -> IconSet | NoIcons:
        """The icons of a square SVG or PNG, whose bytes `content` gives.

        `ground` is the `#rrggbb` behind those that devices show without transparency. Raises what
        `content` raises.
        """
        key = sha256(canonical_json([form.name, ground]))
        known = self._known.get(key) or self.failures.get(key)
        if known is not None:
            return known
        found = self._made(form, content, ground)
        if isinstance(found, NoIcons):
            self.failures.put(key, found, passing=found.passing)
            return found
        self.failures.made(key)
        while len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        self._known[key] = found
        return found

    def _made(
        self, form: MediaForm, content: Callable[[], bytes], ground: str
    ) -> IconSet | NoIcons:
        key = sha256(canonical_json([_CODE, form.name, ground]))
        kept = self.cache.get_many(_KIND, [key]).get(key)
        if kept is not None:
            return _unpacked(kept)
        if importlib.util.find_spec("PIL") is None:
            return NoIcons("needs Pillow, which is not installed", _INSTALL)
        if form.type == _SVG and importlib.util.find_spec("resvg_py") is None:
            return NoIcons("is an SVG, and resvg-py is not installed", _INSTALL)
        request = json.dumps({"type": "icons", "form": form.type, "ground": ground}).encode()
        child = PictureChild()
        try:
            answer = child.call(request + b"\n" + content(), _TIMEOUT_S)
        except (Killed, NotStarted) as error:
            why = str(error).splitlines()[0]
            return NoIcons(f"could not be drawn: {why}", AGAIN, passing=True)
        except ProcessFailed as error:
            why = str(error).splitlines()[0]
            return NoIcons(f"can't be drawn: {why}", "name a simpler picture")
        finally:
            child.close()
        told = json.loads(answer.partition(b"\n")[0])
        if "error" in told:
            return NoIcons(told["error"], "turn it into paths, or name a PNG of 512 pixels")
        self.cache.put_many(_KIND, {key: answer})
        return _unpacked(answer)


def _unpacked(answer: bytes) -> IconSet:
    head, _, body = answer.partition(b"\n")
    assets: list[Asset] = []
    at = 0
    for each in json.loads(head)["made"]:
        extension = "png" if each["type"] == "image/png" else "ico"
        assets.append(Asset.of("icon", extension, body[at : at + each["size"]]))
        at += each["size"]
    return IconSet(*assets)
