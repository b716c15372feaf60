"""What of a page is indexed: the text of its main element, in the page's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final, NamedTuple
from urllib.parse import quote

from selectolax.lexbor import LexborHTMLParser

from robbieblocks.model import Json

Tags = tuple[str, ...]
"""The tags of a page, each once, sorted."""

# Leads elsewhere, does something, or is not there to be read.
_LEFT_OUT: Final = (
    "nav,form,search,script,style,template,noscript,svg,iframe,object,audio,video,canvas,"
    "button,select,textarea,dialog,"
    '[role="navigation"],[role="search"],[role="form"],[role="button"],[role="dialog"],'
    '[hidden],[aria-hidden="true"],[data-pagefind-ignore]'
)
# Elements stand apart on a page, though React writes nothing between them.
_BETWEEN: Final = re.compile(r"(?<=>)(?=<[A-Za-z])")
# What Pagefind would take for a setting of ours.
_OURS: Final = ("body", "meta", "filter", "sort", "default-meta")


def tags_of(metadata: Json) -> Tags:
    """The tags in a page's metadata: the texts of its list `tags`."""
    given = metadata.get("tags") if isinstance(metadata, dict) else None
    if not isinstance(given, list):
        return ()
    return tuple(
        sorted({text for each in given if isinstance(each, str) and (text := each.strip())})
    )


class Document(NamedTuple):
    """A page as Pagefind reads it, and what a result shows of it."""

    html: str
    title: str
    description: str
    image: str


def document(html: str, tags: Iterable[str] = ()) -> Document | None:
    """What is indexed of a page's HTML, with its tags as values of Pagefind's filter `tag`; None
    where it has no main element, or no title.
    """
    tree = LexborHTMLParser(html)
    main = tree.css_first("main")
    title = _meta(tree, 'meta[property="og:title"]')
    if main is None or not title:
        return None
    for each in main.css(_LEFT_OUT):
        each.decompose()
    for name in _OURS:
        for each in main.css(f"[data-pagefind-{name}]"):
            del each.attrs[f"data-pagefind-{name}"]
    root = tree.root
    language = (root.attributes.get("lang") if root is not None else "") or ""
    return Document(
        f'<!DOCTYPE html><html lang="{escape(language)}"><body><div data-pagefind-body>'
        f'<h1 data-pagefind-ignore data-pagefind-meta="title">{escape(title)}</h1>'
        f"{''.join(map(_filter, tags))}"
        f"{_BETWEEN.sub(' ', main.html or '')}</div></body></html>",
        title,
        _meta(tree, 'meta[name="description"]'),
        _meta(tree, 'meta[property="og:image"]'),
    )


def _filter(tag: str) -> str:
    # Pagefind's program takes no escaped characters: `@robbieblocks/search-index` decodes these.
    value = quote(tag, safe="!'()*", errors="replace")
    return f'<i data-pagefind-ignore data-pagefind-filter="tag[title]" title="{escape(value)}"></i>'


def _meta(tree: LexborHTMLParser, selector: str) -> str:
    found = tree.css_first(selector)
    return "" if found is None else (found.attributes.get("content") or "")
