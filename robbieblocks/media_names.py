"""Which keys, focal points and fixed addresses media may have; pages refer to `media:<key>`."""

from __future__ import annotations

import re
from typing import Final

KEY_REMEDY: Final = "use letters, digits, dots, dashes and underscores, the first a letter or digit"
# In props, Markdown and CSS. A key ends where another character stands.
REFERENCE: Final = re.compile(r"media:([A-Za-z0-9][A-Za-z0-9._-]{0,254})")
# In stylesheets and style attributes; the key is the second group.
URL_IN_CSS: Final = re.compile(
    r"""url\([ \t\r\n]{0,9}(["']?)media:([A-Za-z0-9][A-Za-z0-9._-]{0,254})\1[ \t\r\n]{0,9}\)""",
    re.IGNORECASE,
)

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_FOCAL_POINT: Final = re.compile(r"(?:100|[0-9]{1,2})% (?:100|[0-9]{1,2})%")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_PATH_MAX: Final = 500
# What a release or the server has there itself.
_TAKEN: Final = re.compile(
    r"/(?:(?:headers|manifest|redirects|tokens)\.json|sitemap[^/]*\.xml|styles-[^/]*\.(?:css|svg)"
    r"|search-[^/]*\.json|(?:[^/]*/)*404\.html)"
)


def key_problem(key: str) -> str | None:
    """What is wrong with a key, or None. The text continues a sentence."""
    if _KEY.fullmatch(key):
        return None
    if not key:
        return "is empty"
    return "is too long" if len(key) > 255 else "has a character that keys don't have"


def focal_point_problem(point: str) -> str | None:
    """What is wrong with a focal point, or None."""
    return None if _FOCAL_POINT.fullmatch(point) else "is no pair of percentages"


def path_problem(path: str) -> str | None:
    """What is wrong with a fixed address, or None. The text continues a sentence."""
    first, *others = path.split("/")
    if first or not others or len(path) > _PATH_MAX:
        return "is no path that begins with one slash"
    if any(not _SEGMENT.fullmatch(each) or each.strip(".") == "" for each in others):
        return "has a part that is empty, or a character that addresses of files don't have"
    if others[0].startswith("_rb") or others[-1] == "index.html" or _TAKEN.fullmatch(path):
        return "is taken by what RobbieBlocks makes"
    if any(each.startswith(".") for each in others) and (
        others[0] != ".well-known" or any(each.startswith(".") for each in others[1:])
    ):
        return "begins with a dot, which servers refuse"
    if "." not in others[-1] and others[0] != ".well-known":
        return "has no suffix, so that servers can't tell its type"
    return None
