"""The languages of an app: `settings.languages` of its frames."""

from __future__ import annotations

from typing import Final

from robbieblocks.messages import printable
from robbieblocks.model import DEFAULT_LANGUAGES, Languages
from robbieblocks.names import is_language
from robbieblocks.site_settings.stated import Stated

_MAX_LANGUAGES: Final = 100
_REMEDY: Final = "write a tag such as de or pt-BR (BCP 47)"


def read_languages(stated: Stated) -> Languages:
    """The languages that an object states: `default`, `offered` and `fallback`."""
    given = stated.members(("default", "offered", "fallback"))
    offered = given["offered"].items(_MAX_LANGUAGES) if "offered" in given else []
    tags = [_tag(each) for each in offered]
    for number, tag in enumerate(tags):
        if tag.lower() in [before.lower() for before in tags[:number]]:
            offered[number].report(f"`{tag}` stands twice", "take one away")
    return Languages(
        default=_tag(given["default"]) if "default" in given else DEFAULT_LANGUAGES.default,
        offered=tuple(tags),
        fallback=_tag(given["fallback"]) if "fallback" in given else "",
    )


def _tag(stated: Stated) -> str:
    """A language's tag; "" where it is none."""
    said = stated.text()
    if said and not is_language(said):
        stated.report(f"`{printable(said)}` is no language", _REMEDY)
    return said if is_language(said) else ""
