"""What a page's metadata may say of the whole page: its language, and where its forms send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json, JsonObject, PageRow, SiteSettings
from robbieblocks.names import DIRECTIONS, as_language, is_https_origin, is_language, robots_meant
from robbieblocks.site_settings import read_settings

_UNSET: Final = (None, "")
# What says how a page shows where it is shared, and what shows where it says nothing.
_SHARED: Final = {
    "og_title": "the page's title shows",
    "og_description": "the page's description shows",
    "og_type": "it is a website",
    "og_image": "the node's picture shows",
    "og_image_alt": "the picture's own alt is told",
}
# What is said of a page that visitors look for.
_NOT_OF_404_PAGES: Final = ("frame", "feed", "redirect_from", "translation_of")


def language_of(metadata: Json, default: str) -> str:
    """The language that a page's metadata states, as a BCP 47 tag, or this default."""
    said = metadata.get("lang") if isinstance(metadata, dict) else None
    return said if isinstance(said, str) and is_language(said) else default


def settings_of(row: PageRow) -> tuple[SiteSettings, list[ValueProblem]]:
    """The settings of the app's frames with the page's own `head`, and what is wrong with this."""
    metadata = row.metadata
    if not isinstance(metadata, dict) or metadata.get("head") is None:
        return row.settings, []
    own, wrong = read_settings({"head": metadata["head"]})
    return own.over(row.settings), [
        ValueProblem(each.pointer, each.what, each.remedy) for each in wrong
    ]


def settings_problems(metadata: JsonObject) -> Iterator[ValueProblem]:
    """What is wrong with `lang`, `dir`, `robots`, `translation_of`, `frame`, `not_found`,
    `settings` and `form_action`.
    """
    direction = metadata.get("dir")
    yield from language_problems(metadata)
    if direction not in (*_UNSET, *DIRECTIONS):
        what = f"{printable(str(direction))} is no direction of text"
        yield ValueProblem("/dir", what, f"write {', '.join(DIRECTIONS[:-1])} or {DIRECTIONS[-1]}")
    if meant := robots_meant(metadata.get("robots")):
        what = f"search engines know no {printable(meant[0])}, and list the page"
        yield ValueProblem("/robots", what, f"write {meant[1]}")
    elif not isinstance(metadata.get("robots"), str | None):
        what = "robots is no text, and search engines list the page"
        yield ValueProblem("/robots", what, 'write a text, such as "noindex"')
    original = metadata.get("translation_of")
    if not (original is None or isinstance(original, str)):
        what = "translation_of is no text"
        yield ValueProblem("/translation_of", what, "write the key of a page of the app")
    frame = metadata.get("frame")
    if not (frame is None or isinstance(frame, bool)):
        remedy = "true makes the page a frame; false keeps frames from it"
        yield ValueProblem("/frame", "frame is neither true nor false", remedy)
    yield from not_found_problems(metadata)
    if "settings" in metadata and frame is not True:
        what = "the page is no frame, and settings belong to a whole app or node"
        remedy = "write them into a frame's metadata, or into `settings` of the node's branding"
        yield ValueProblem("/settings", what, remedy)
    origins = metadata.get("form_action", [])
    if not isinstance(origins, list):
        remedy = 'such as ["https://forms.example"]'
        yield ValueProblem("/form_action", "expected a list of origins", remedy)
        return
    for index, origin in enumerate(origins):
        if not is_https_origin(origin):
            what = f"{printable(str(origin))} is no https origin"
            remedy = "write scheme, host and port alone, such as https://forms.example"
            yield ValueProblem(json_pointer("form_action", index), what, remedy)


def doubts(metadata: JsonObject) -> Iterator[ValueProblem]:
    """What of `og_...` and `json_ld` has a wrong type, so that the page goes out without it."""
    for name, instead in _SHARED.items():
        if not isinstance(metadata.get(name), str | None):
            what = f"{name} is no text: {instead}"
            yield ValueProblem(json_pointer(name), what, "write a text")
    stated = metadata.get("json_ld")
    for index, each in enumerate(stated if isinstance(stated, list) else [stated]):
        if not isinstance(each, dict | None):
            at = json_pointer("json_ld", index) if isinstance(stated, list) else "/json_ld"
            remedy = "write an object, or a list of them; a text of JSON is none"
            yield ValueProblem(at, "linked data is no object, and is left out", remedy)


def language_problems(metadata: JsonObject) -> Iterator[ValueProblem]:
    """What is wrong with `lang`."""
    lang = metadata.get("lang")
    if lang not in _UNSET and not is_language(lang):
        meant = as_language(str(lang).replace("_", "-").partition(".")[0])
        remedy = f"write {meant if is_language(meant) else 'de or pt-BR'} (BCP 47)"
        yield ValueProblem("/lang", f"{printable(str(lang))} is no language", remedy)


def not_found_problems(metadata: JsonObject) -> Iterator[ValueProblem]:
    """What is wrong with `not_found`, and with what a 404 page says besides."""
    stated = metadata.get("not_found")
    if not (stated is None or isinstance(stated, bool)):
        remedy = "true makes the page the 404 page of its app"
        yield ValueProblem("/not_found", "not_found is neither true nor false", remedy)
    if stated is not True:
        return
    for name in _NOT_OF_404_PAGES:
        if metadata.get(name) not in (*_UNSET, False):
            what = f"a 404 page has no {name}: no visitor looks for it"
            yield ValueProblem(json_pointer(name), what, f"take out {name}, or not_found")
