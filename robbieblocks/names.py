"""What names, keys and texts from rows may hold: one place for every stage.

A name is lower-case ASCII letters and digits, in parts joined by a single `.`, `_` or `-`. So it is
safe as a file name, a URL segment, an HTML attribute and a CSS string, never starts with a dot,
can't climb out of a folder, and looks like no other name.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_LENGTH = 255
NODE_LENGTH = 100
APP_LENGTH = 50

# An app's folder stands beside the node's `assets` folder.
RESERVED_APPS = frozenset({"assets"})

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_SHOWN = 80


def name_fault(name: str, *, longest: int) -> str | None:
    """What keeps a key, node id or app name from being used, or None where it is fine."""
    if not name:
        return "is empty"
    if len(name) > longest:
        return f"has {len(name)} characters, at most {longest} are allowed"
    if _NAME.fullmatch(name):
        return None
    for character in name:
        if not character.isascii() or ord(character) < 0x20 or character == "\x7f":
            return f"holds {describe(character)}"
    if name != name.lower() and _NAME.fullmatch(name.lower()):
        return "holds capital letters"
    return "holds characters, or an order of them, that names don't have"


NAME_REMEDY = "use lower-case letters a-z and digits, joined by single dots, dashes or underscores"


def app_fault(app: str) -> str | None:
    """As `name_fault`, for app namespaces."""
    if app in RESERVED_APPS:
        return "is reserved for the folder that holds a node's assets"
    return name_fault(app, longest=APP_LENGTH)


def text_fault(text: str) -> str | None:
    """What keeps a text from being written as UTF-8 HTML, or None: NUL and lone surrogates."""
    if "\0" in text:
        return f"holds {describe(chr(0))}"
    if text.isascii():
        return None
    for character in text:
        if "\ud800" <= character <= "\udfff":
            return f"holds {describe(character)}"
    return None


def describe(character: str) -> str:
    """A character by code point and name, safe to print: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return f"U+{code:04X}, half of a surrogate pair"
    name = "NULL" if code == 0 else unicodedata.name(character, "a control or unassigned character")
    return f"U+{code:04X} {name}"


def shown(text: str) -> str:
    """A text from a row as messages may print it: no control or bidi characters, not too long."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    if cut.isprintable():
        return cut or "''"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy that lists the known names, the likeliest first: `did you mean ...`."""
    names = sorted(known)
    close = get_close_matches(name[:KEY_LENGTH], names[:5000], n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"known: {listed}" if names else "there are none yet"


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) from its unescaped parts."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
