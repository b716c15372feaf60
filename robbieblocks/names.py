"""Which names, keys and texts of rows are allowed: the same rules for every stage.

A name is lower-case ASCII letters and digits, in parts joined by a single `.`, `_` or `-`. So it is
safe as a file name, a URL segment, an HTML attribute and a CSS string, does not start with a dot,
can't lead out of a folder, and can't be mistaken for another name.
"""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.messages import described, nearest

KEY_LENGTH = 255
NODE_LENGTH = 100
APP_LENGTH = 50

# An app's folder stands beside the node's `assets` folder.
RESERVED_APPS = frozenset({"assets"})

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# No language has a tag that begins with more letters (RFC 5646, 2.2.1): `german` is none.
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,10}")
# Codes of countries that no language has, and the language that people mean by them.
_COUNTRIES: Final = {
    "by": "be",
    "cn": "zh",
    "cz": "cs",
    "dk": "da",
    "gr": "el",
    "il": "he",
    "in": "hi",
    "ir": "fa",
    "jp": "ja",
    "ua": "uk",
    "us": "en",
    "vn": "vi",
}
# What search engines read in `robots`, and some read no more.
_ROBOTS: Final = frozenset(
    re.findall(
        "[a-z_-]+",
        "all follow index indexifembedded max-image-preview max-snippet max-video-preview noai "
        "noarchive nocache nofollow noimageai noimageindex noindex nomediaindex none noodp "
        "nosnippet notranslate noydir unavailable_after",
    )
)
# The values of HTML's `dir`, as pages write them.
DIRECTIONS: Final = ("ltr", "rtl", "auto")
# Scripts that are written from right to left (Unicode), and the languages that use one where their
# tag names no script (CLDR, likely subtags).
_RTL_SCRIPTS: Final = frozenset(
    re.findall(
        "[a-z]+",
        "adlm arab aran hebr mand mend nkoo phlv rohg samr syrc syre syrj syrn thaa yezi",
    )
)
_RTL_LANGUAGES: Final = frozenset(
    re.findall(
        "[a-z]+",
        "ar arc arz ckb dv fa glk he iw khw ks lrc mzn nqo pnb ps sd skr syr ug ur yi",
    )
)
_HTTPS_ORIGIN = re.compile(rf"https://{_LABEL}(?:\.{_LABEL}){{0,30}}(?::[0-9]{{1,5}})?")


def name_problem(name: str, *, longest: int) -> str | None:
    """What is wrong with a key, node id or app name, or None.

    The text continues a sentence: `the page's key holds capital letters`.
    """
    if not name:
        return "is empty"
    if len(name) > longest:
        return f"has {len(name)} characters, at most {longest} are allowed"
    if _NAME.fullmatch(name):
        return None
    for character in name:
        if not character.isascii() or ord(character) < 0x20 or character == "\x7f":
            return f"holds {described(character)}"
    if name != name.lower() and _NAME.fullmatch(name.lower()):
        return "holds capital letters"
    return "holds characters, or an order of them, that names don't have"


NAME_REMEDY = "use lower-case letters a-z and digits, joined by single dots, dashes or underscores"


def app_problem(app: str) -> str | None:
    """As `name_problem`, for app namespaces."""
    if app in RESERVED_APPS:
        return "is reserved for the folder that holds a node's assets"
    return name_problem(app, longest=APP_LENGTH)


def is_language(value: object) -> bool:
    """Whether a value is a language tag, such as `de` or `pt-BR` (BCP 47), by its form; codes of
    countries (`jp`, `en-UK`) are none.
    """
    if not isinstance(value, str) or _LANGUAGE.fullmatch(value) is None:
        return False
    return as_language(value) == value


def as_language(tag: str) -> str:
    """The language tag that is meant by one with a country's code: `ja` for `jp`, `en-GB`."""
    first, *rest = tag.split("-")
    return "-".join(
        (_COUNTRIES.get(first.lower(), first), *("GB" if it.upper() == "UK" else it for it in rest))
    )


def is_right_to_left(language: str) -> bool:
    """Whether a language is written from right to left, by its tag: `ar`, `az-Arab`."""
    first, *rest = language.lower().split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), "")
    return script in _RTL_SCRIPTS if script else first in _RTL_LANGUAGES


def may_be_listed(robots: object) -> bool:
    """Whether search engines may list a page whose metadata has this `robots`: it says neither
    `noindex` nor `none`.
    """
    said = robots.lower() if isinstance(robots, str) else ""
    return not {"noindex", "none"}.intersection(re.split(r"[\s,]+", said))


def robots_meant(robots: object) -> tuple[str, str] | None:
    """The first word of a page's `robots` that is almost one which search engines know, and that
    one; they pass over what they don't know, and so list the page.
    """
    for part in robots.lower().split(",") if isinstance(robots, str) else ():
        for word in part.partition(":")[0].split():
            if word not in _ROBOTS and (near := nearest(word, _ROBOTS, most=1)):
                return word, near[0]
    return None


def is_https_origin(value: object) -> bool:
    """Whether a value is an origin such as `https://forms.example:8443`: safe in a CSP."""
    return isinstance(value, str) and _HTTPS_ORIGIN.fullmatch(value) is not None


def text_problem(text: str) -> str | None:
    """What is wrong with a text, or None. UTF-8 HTML has no NUL and no lone surrogates."""
    if "\0" in text:
        return f"holds {described(chr(0))}"
    if text.isascii():
        return None
    for character in text:
        if "\ud800" <= character <= "\udfff":
            return f"holds {described(character)}"
    return None
