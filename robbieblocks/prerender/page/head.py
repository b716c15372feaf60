"""The content of a page's head: styles and scripts, Open Graph, linked data."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from robbieblocks.model import (
    AssembledPage,
    Asset,
    Bundle,
    CardText,
    JsonObject,
    Translation,
    search_file,
)
from robbieblocks.names import DIRECTIONS, is_https_origin, is_right_to_left

# The name of the element that says where the list of an app's index for search is.
SEARCH_INDEX: Final = "rb-search"
# Has the browser prefetch pages (speculation rules); browsers without them ignore the element.
SPECULATION: Final = (
    '{"prefetch":[{"where":{"and":[{"href_matches":"/*"},{"not":{"href_matches":"/_rb/*"}}]},'
    '"eagerness":"moderate"}]}'
)
SPECULATION_SCRIPT: Final = f'<script type="speculationrules">{SPECULATION}</script>'
# What exchanges styles at a fixed address, and what has it do so: few visits need more than the
# question whether this is a reload, which stands in each page that has such styles, behind its
# import map: Firefox takes none once a module was asked for.
RELOADER: Final = Asset.of("reload", "js", Path(__file__).with_name("reload.js").read_bytes())
RELOAD_SCRIPT: Final = (
    f'performance.getEntriesByType("navigation")[0]?.type=="reload"&&import("{RELOADER.url}")'
)
# Keeps what visitors press before blocks live, which is done again then: on a slow line the modules
# take seconds. A hundred at most: it hears what is pressed in living blocks, too, and forgets none.
KEEP_PRESSES: Final = (
    'rbPressed=[];addEventListener("click",e=>rbPressed[99]||rbPressed.push(e),!0);'
)
# Asks for the modules of `waiting` in the frame after the first, before islands.js is there. In a
# tab that nobody sees there is no frame: then islands.js does it. It stands behind the import map,
# among the blocks: both move to the head, since styles may count what stands there.
ASK_ONCE_PAINTED: Final = (
    KEEP_PRESSES + "{const t=document.currentScript;document.head.append(t.previousSibling,t);"
    "requestAnimationFrame(()=>requestAnimationFrame(()=>"
    'document.head.append(document.getElementById("rb-preloads").content)))}'
)
# Scripts of the page can make no HTML and no scripts of texts (W3C Trusted Types).
NO_HTML_FROM_TEXT: Final = "; require-trusted-types-for 'script'"
# One that nothing ends goes to the end of the text, as in a browser.
# The reserved characters of RFC 3986, which stay as they are in an address.
SAFE_IN_ADDRESSES: Final = "%:/?#[]@!$&'()*+,;=~"
_INLINE_STYLE: Final = re.compile(
    r"<style\b[^>]*+(?:>(.*?)(?:</style\s*+>|\Z)|\Z)", re.DOTALL | re.IGNORECASE
)
_SCRIPT_TEXT: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0: ""}
_LINK: Final = re.compile(r"<link [^<>]*>")
_UNSENDABLE: Final = re.compile("[\0\ud800-\udfff]")
_STYLE_END: Final = re.compile("</(?=style)", re.IGNORECASE)
_LINE_END: Final = re.compile("\r\n?")
# What is larger is linked: the browser is to keep it, and a thousand pages are not to repeat it.
_INLINE_MAX_BYTES: Final = 64 * 1024


def inert(json_text: str) -> str:
    """JSON that can stand in a script element: nothing in it ends the element (HTML 4.12.1.3)."""
    return json_text.translate(_SCRIPT_TEXT)


# Has `data-theme` say what the visitor prefers, on nodes with both themes.
THEME_SCRIPT: Final = (
    '(()=>{const m=matchMedia("(prefers-color-scheme:dark)"),'
    'f=()=>{document.documentElement.dataset.theme=m.matches?"dark":"light"};'
    'f();m.addEventListener("change",f)})()'
)


def sendable(text: str) -> str:
    """Text without NUL, which HTML does not allow, and lone surrogates, which UTF-8 does not."""
    return _UNSENDABLE.sub("\ufffd", text)


@functools.lru_cache(maxsize=256)
def csp_hash(text: str) -> str:
    """The CSP source that allows exactly this inline text (W3C CSP 3, hash-source)."""
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8", "replace")).digest()).decode()
    return f"'sha256-{digest}'"


def inline_styles(html: str) -> list[str]:
    """The texts of the style elements that components rendered."""
    return _INLINE_STYLE.findall(html) if "<style" in html else []


@dataclass(frozen=True, slots=True)
class About:
    """What templates get of a page: texts that UTF-8 can hold, and nothing of the node."""

    key: str
    app: str
    route: str
    layout: str
    title: str
    description: str
    lang: str
    dir: str
    robots: str
    metadata: JsonObject
    image: str
    image_alt: str

    @classmethod
    def of(cls, page: AssembledPage) -> About:
        """From a page and its metadata: `dir`, `robots`. A page that states no direction has that
        of its language.
        """
        direction = text_of(page.metadata, "dir")
        if direction not in DIRECTIONS:
            direction = "rtl" if is_right_to_left(page.lang) else ""
        return cls(
            key=page.key,
            app=page.app,
            route=sendable(page.route),
            layout=page.layout,
            title=sendable(page.title),
            description=sendable(page.description),
            lang=page.lang,
            dir=direction,
            robots=text_of(page.metadata, "robots"),
            metadata=page.metadata,
            image=page.image.url if page.image else text_of(page.metadata, "og_image"),
            image_alt=text_of(page.metadata, "og_image_alt")
            or (sendable(page.image.row.alt) if page.image else ""),
        )


def text_of(metadata: JsonObject, name: str) -> str:
    """A text in the metadata; "" where there is none of this name."""
    value = metadata.get(name)
    return sendable(value) if isinstance(value, str) else ""


def form_origins(metadata: JsonObject) -> list[str]:
    """The origins of `form_action`, to which the page's forms may send."""
    given = metadata.get("form_action")
    listed = given if isinstance(given, list) else []
    return [origin for origin in listed if isinstance(origin, str) and is_https_origin(origin)]


def card_text(page: AssembledPage) -> CardText | None:
    """What a social card says of a page; None for one with a picture of its own."""
    about = About.of(page)
    if about.image:
        return None
    return CardText(
        text_of(about.metadata, "og_title") or about.title,
        text_of(about.metadata, "og_description") or about.description,
    )


def open_graph(about: About) -> list[tuple[str, str]]:
    """Open Graph properties that are the same on every node (ogp.me)."""
    described = text_of(about.metadata, "og_description") or about.description
    listed = [
        ("og:title", text_of(about.metadata, "og_title") or about.title),
        ("og:type", text_of(about.metadata, "og_type") or "website"),
        ("og:description", described),
        ("og:image:alt", about.image_alt),
        ("og:locale", about.lang.replace("-", "_")),
    ]
    return [(name, value) for name, value in listed if value]


def search_index(app: str) -> str:
    """The element that names the list of the app's index, for the component that reads it."""
    return f'<meta name="{SEARCH_INDEX}" content="{escape(quote("/" + search_file(app)))}">'


def alternates(translations: Iterable[Translation]) -> tuple[tuple[str, str], ...]:
    """The `hreflang` and path of each page that search engines may show in place of another; none
    where only one is left. The one for all other languages is `x-default`.
    """
    found = [each for each in translations if each.listed]
    if len(found) < 2:
        return ()
    paths = [(each.lang, quote(sendable(each.route))) for each in found]
    others = [("x-default", quote(sendable(each.route))) for each in found if each.default]
    return (*paths, *others)


def linked_data(metadata: JsonObject) -> list[str]:
    """Each JSON-LD object of `json_ld`, as inert script text."""
    given = metadata.get("json_ld")
    graphs = given if isinstance(given, list) else [given]
    return [
        inert(json.dumps(graph, sort_keys=True, separators=(",", ":")))
        for graph in graphs
        if isinstance(graph, dict) and graph
    ]


def hints(of_blocks: Iterable[str]) -> list[str]:
    """The elements that blocks want in the head, each once."""
    return list(dict.fromkeys(link for text in of_blocks for link in _LINK.findall(text)))


def import_map_entry(bundle: Bundle, specifier: str) -> tuple[str, str]:
    """A module's members of `imports` and `integrity` in an import map."""
    asset = bundle.modules[specifier].asset
    url, integrity = json.dumps(asset.url), json.dumps(asset.integrity)
    return inert(f"{json.dumps(specifier)}:{url}"), inert(f"{url}:{integrity}")


def script(asset: Asset) -> str:
    """A script that runs once the page is parsed."""
    return f'<script src="{asset.url}" integrity="{asset.integrity}" defer></script>'


def module_script(asset: Asset) -> str:
    """A module that runs once the page is parsed; fonts and pictures are fetched before it."""
    return (
        f'<script type="module" src="{asset.url}" integrity="{asset.integrity}"'
        ' fetchpriority="low"></script>'
    )


def module_preload(asset: Asset) -> str:
    """A link that fetches a module before it is imported."""
    return f'<link rel="modulepreload" href="{asset.url}" integrity="{asset.integrity}">'


def waiting(elements: Iterable[str]) -> str:
    """What browsers see only later: before, it would delay what shows first."""
    return f'<template id="rb-preloads">{"".join(elements)}</template>'


def too_large(sheets: Sequence[Asset]) -> tuple[Asset, ...]:
    """The stylesheets that are linked so that the others are small enough to stand in the page."""
    found: list[Asset] = []
    left = sum(len(sheet.content) for sheet in sheets)
    for sheet in sorted(sheets, key=lambda sheet: len(sheet.content), reverse=True):
        if left <= _INLINE_MAX_BYTES:
            break
        found.append(sheet)
        left -= len(sheet.content)
    return tuple([sheet for sheet in sheets if sheet in found])


def style_text(sheets: Iterable[Asset]) -> str:
    """The sheets as the text of one <style> element: nothing in it ends the element.

    Line ends are those that an HTML parser makes of them, so that the text's hash is the browser's.
    """
    return _STYLE_END.sub(r"<\/", "".join([_sheet_text(sheet) for sheet in sheets]))


@functools.lru_cache(maxsize=2048)
def _sheet_text(sheet: Asset) -> str:
    """A sheet as HTML can hold it. An edit leaves most sheets as they are."""
    return _LINE_END.sub("\n", sendable(sheet.content.decode()))


def style(text: str) -> str:
    """A style element."""
    return f"<style>{text}</style>" if text else ""


def stylesheet(sheet: Asset) -> str:
    """A link to a stylesheet."""
    return f'<link rel="stylesheet" href="{sheet.url}" integrity="{sheet.integrity}">'
