"""Texts of a node that are no tokens: how titles are made, and the picture for those who share."""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.media_names import REFERENCE
from robbieblocks.messages import printable
from robbieblocks.model import Json
from robbieblocks.names import text_problem

_LONGEST: Final = 300
_SPACE: Final = re.compile(r"\s")


def node_text_problem(key: str, value: Json) -> tuple[str, str] | None:
    """What is wrong with `title_pattern` or `og_image`, and the remedy; or None."""
    if not isinstance(value, str):
        return "expected a text", "put the value in quotes"
    if wrong := text_problem(value):
        return f"the text {wrong}", "remove it"
    if len(value) > _LONGEST:
        return f"the text has {len(value)} characters", f"use at most {_LONGEST}"
    if not value.strip():
        return None
    return _pattern_problem(value) if key == "title_pattern" else _address_problem(value.strip())


def _pattern_problem(pattern: str) -> tuple[str, str] | None:
    remedy = 'such as "{title} \u00b7 {site}"'
    if pattern.count("{title}") != 1:
        return f"{printable(pattern)} does not hold {{title}} once", remedy
    rest = pattern.replace("{title}", "").replace("{site}", "")
    if "{" in rest or "}" in rest:
        return f"{printable(pattern)} holds other braces than {{title}} and {{site}}", remedy
    return None


def _address_problem(address: str) -> tuple[str, str] | None:
    is_path = address.startswith("/") and not address.startswith("//")
    if (is_path or address.startswith("https://")) and not _SPACE.search(address):
        return None
    if REFERENCE.fullmatch(address):
        return None
    return f"{printable(address)} is no address of a picture", "such as /images/share.png"


def image_problem(address: str) -> str | None:
    """What is wrong with the picture of a node whose media have their addresses."""
    if not REFERENCE.fullmatch(address):
        return None
    return f"there is no photo {printable(address)}"
