"""How messages name what rows hold: texts that are safe to print, JSON pointers, suggestions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_PRINTED_CHARACTERS = 80
_COMPARED_CHARACTERS = 255
_COMPARED_NAMES = 5_000


def described(character: str) -> str:
    """A character by code point and name, safe to print: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return f"U+{code:04X}, half of a surrogate pair"
    name = "NULL" if code == 0 else unicodedata.name(character, "a control or unassigned character")
    return f"U+{code:04X} {name}"


def visible_line(text: str) -> str:
    r"""A text on one line in which nothing acts on a terminal: ESC is written as `\x1b`.

    So is every other character that is no sign of its own: controls (C0, C1, line ends), those that
    change the direction of text, invisible ones, and lone surrogates, which no stream can encode.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def visible(text: str) -> str:
    """As `visible_line` for a text of several lines, whose newlines and tabs stay."""
    if text.isprintable():
        return text
    return "\n".join("\t".join(map(visible_line, line.split("\t"))) for line in text.split("\n"))


def printable(text: str) -> str:
    """A text from a row as a sentence may name it: as `visible_line`, not empty, not too long."""
    cut = text if len(text) <= _PRINTED_CHARACTERS else text[: _PRINTED_CHARACTERS - 1] + "…"
    return visible_line(cut) or "''"


def counted(count: int, noun: str) -> str:
    """A count and what is counted: `1 change`, `2,000 changes`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def size(count: int) -> str:
    """A number of bytes as people read it: `812 B`, `4.1 kB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def no_object(what: str, value: object) -> str:
    """That something `is` or `are` not an object; a text is quoted, since it may say why."""
    return f"{what} not an object" + (f": {printable(value)}" if isinstance(value, str) else "")


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The known names that are like a mistyped one, the likeliest first."""
    names = sorted(known)[:_COMPARED_NAMES]
    return get_close_matches(name[:_COMPARED_CHARACTERS], names, n=most, cutoff=0.6)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy that names the known names: `did you mean a or b?`, or else a list of them."""
    names = sorted(known)
    close = nearest(name, names)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return f"known: {listed(names)}" if names else "there are none yet"


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first names of a list, with commas; `…` stands for the others."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def json_pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) from its unescaped parts, each as `printable` says names."""
    if len(parts) == 1 and _is_plain(parts[0]):
        return f"/{parts[0]}"
    return "".join("/" + _step(str(part)).replace("~", "~0").replace("/", "~1") for part in parts)


def _is_plain(part: str | int) -> bool:
    """Whether a part is such a name as nearly all props have, which stays as it is."""
    return (
        isinstance(part, str)
        and len(part) <= _PRINTED_CHARACTERS
        and part.isascii()
        and part.isidentifier()
    )


def _step(name: str) -> str:
    return printable(name) if name else ""
