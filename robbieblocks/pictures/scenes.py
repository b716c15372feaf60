"""What a picture is taken of, and what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from robbieblocks.model import Sha256

# A name that no resolver knows (RFC 2606), so that nothing but the scene's own site can answer.
# Over HTTPS pages may do what browsers keep for secure ones.
ORIGIN: Final = "https://preview.invalid"
# Chromium draws no texture that is higher than 16,384 pixels.
HEIGHT_MAX: Final = 15_000

_Message = MutableMapping[str, Any]
App = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]


@dataclass(frozen=True, slots=True)
class Screen:
    """A window's inside, in CSS pixels; a picture has one pixel for each."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A page on a screen. Scenes that are equal look the same.

    `page` is the hash of the page's bytes, in which all that it loads is named by hashes. `app`
    is the ASGI app of its site.
    """

    page: Sha256
    route: str
    screen: Screen
    theme: Literal["light", "dark"]
    app: App = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A scene's picture as PNG, from the top of the page; None where `problem` says why.

    `height` is the page's, which may be more than the picture's. `notes` are what differs from what
    a visitor would see, sorted.
    """

    picture: bytes | None = field(default=None, repr=False)
    height: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()
