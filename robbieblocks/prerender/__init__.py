"""Prerendering: blocks become HTML in V8 isolates, and rendered blocks become pages.

- `Prerenderer` renders blocks. `RenderedBatch` is what one batch of them gives.
- `html_problem` says what is wrong with a text as the HTML of a block.
- `readable_message` and `remedy_of` say what a component's error means, and what to do.
- `JobKeys` gives the cache key of a block that is to be rendered.
- `PageRenderer` makes a `PageDocument` from rendered blocks. `NodeSlots` fills in what is a node's
  own. `NodeSheet` is the file of a node's styles at a fixed address; `tokens_in_pages` is what
  pages that link it show of tokens themselves. `sent_headers` are what web servers send with pages.

Each name is imported when it is first used. The child process that runs components imports modules
of this package and must start quickly, and a command starts isolates before Jinja is loaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from robbieblocks.prerender.isolate.error_mapping import readable_message, remedy_of
    from robbieblocks.prerender.isolate.html_check import html_problem
    from robbieblocks.prerender.isolate.keys import JobKeys
    from robbieblocks.prerender.isolate.prerenderer import Prerenderer, RenderedBatch
    from robbieblocks.prerender.page.document import PageDocument
    from robbieblocks.prerender.page.head import card_text
    from robbieblocks.prerender.page.node_sheet import NodeSheet, tokens_in_pages
    from robbieblocks.prerender.page.node_slots import NodeSlots
    from robbieblocks.prerender.page.renderer import PageRenderer
    from robbieblocks.prerender.page.sent_headers import sent_headers
    from robbieblocks.prerender.page.site_files import (
        SitemapEntry,
        is_listed,
        sitemap,
        sitemap_line,
    )

__all__ = [
    "JobKeys",
    "NodeSheet",
    "NodeSlots",
    "PageDocument",
    "PageRenderer",
    "Prerenderer",
    "RenderedBatch",
    "SitemapEntry",
    "card_text",
    "html_problem",
    "is_listed",
    "readable_message",
    "remedy_of",
    "sent_headers",
    "sitemap",
    "sitemap_line",
    "tokens_in_pages",
]

_MODULES: Final = {
    "JobKeys": "isolate.keys",
    "NodeSheet": "page.node_sheet",
    "NodeSlots": "page.node_slots",
    "PageDocument": "page.document",
    "PageRenderer": "page.renderer",
    "Prerenderer": "isolate.prerenderer",
    "RenderedBatch": "isolate.prerenderer",
    "SitemapEntry": "page.site_files",
    "card_text": "page.head",
    "html_problem": "isolate.html_check",
    "is_listed": "page.site_files",
    "readable_message": "isolate.error_mapping",
    "remedy_of": "isolate.error_mapping",
    "sent_headers": "page.sent_headers",
    "sitemap": "page.site_files",
    "sitemap_line": "page.site_files",
    "tokens_in_pages": "page.node_sheet",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
