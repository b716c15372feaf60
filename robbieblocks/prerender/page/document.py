"""A page for all nodes, with slots for what is a node's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import quote

from robbieblocks.errors import Problem
from robbieblocks.model import (
    ASSET_PREFIX,
    NO_SETTINGS,
    Asset,
    BrandedNode,
    SiteSettings,
)
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.granted import Granted
from robbieblocks.prerender.page.node_slots import NodeSlots

# That a card is shown at its full width; readers need not fetch it for its size.
_CARD_FORM: Final = (
    '<meta property="og:image:width" content="1200">\n'
    '<meta property="og:image:height" content="630">\n'
    '<meta name="twitter:card" content="summary_large_image">'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDocument:
    """A page's bytes without what is a node's own.

    `parts` alternates bytes with names of slots. `assets` is what the page refers to, without the
    node's own stylesheets, fonts and script. `problems` are warnings. `address` is the page's path,
    `image` its picture for social networks, `feeds` are the type and path of each of its feeds,
    `alternates` the `hreflang` and path of each of its translations, `title` is its title without
    the node's part, `settings` are those of the app's frames and of the page.
    """

    parts: tuple[bytes, ...] = field(repr=False)
    assets: tuple[Asset, ...]
    problems: tuple[Problem, ...] = ()
    address: str = ""
    image: str = ""
    feeds: tuple[tuple[str, str], ...] = ()
    alternates: tuple[tuple[str, str], ...] = ()
    title: str = ""
    settings: SiteSettings = NO_SETTINGS

    def fill(self, slots: NodeSlots, card: str = "") -> bytes:
        """The page's HTML on a node, as UTF-8. An asset `card` is its picture where it has none."""
        before, after = self._around_title(slots.node)
        granted = Granted.of(slots.node.settings, self.settings)
        scripts = (granted.scripts, _own_script(slots.node))
        own = {
            b"canonical": self._addresses(slots.node, granted.elements, card),
            b"custom_script": "\n".join(filter(None, scripts)).encode(),
            b"style_sources": granted.styles_from.encode() + slots.values[b"style_sources"],
            b"script_sources": granted.scripts_from.encode() + slots.values[b"script_sources"],
            b"other_sources": granted.others.encode(),
            b"title_before": _html(before),
            b"title_after": _html(after),
            # In units of JavaScript: visitor.js fills the title there.
            b"title_at": str(len(head.sendable(before).encode("utf-16-le")) // 2).encode(),
        }
        parts = list(self.parts)
        parts[1::2] = [own[name] if name in own else slots.values[name] for name in parts[1::2]]
        return b"".join(parts)

    def _around_title(self, node: BrandedNode) -> tuple[str, str]:
        """What the node writes before and after the title; nothing where it names the site."""
        if not node.title_pattern or node.name.casefold() in self.title.casefold():
            return "", ""
        before, _, after = node.title_pattern.partition("{title}")
        return before.replace("{site}", node.name), after.replace("{site}", node.name)

    def _addresses(self, node: BrandedNode, elements: str, card: str) -> bytes:
        """The elements that name absolute URLs, which a node without an address has not got; and
        those that settings ask for.
        """
        base = node.base_url.rstrip("/")
        lines = [f'<meta property="og:site_name" content="{escape(head.sendable(node.name))}">']
        if base and self.address:
            url = escape(base + self.address)
            if '<link rel="canonical"' not in elements:
                lines.append(f'<link rel="canonical" href="{url}">')
            lines.append(f'<meta property="og:url" content="{url}">')
            for lang, path in self.alternates:
                href = escape(base + path)
                lines.append(f'<link rel="alternate" hreflang="{escape(lang)}" href="{href}">')
            for kind, path in self.feeds:
                lines.append(
                    f'<link rel="alternate" type="{kind}" href="{escape(base + path)}"'
                    f' title="{escape(head.sendable(self.title))}">'
                )
        image = self.image or (ASSET_PREFIX + card if card else node.og_image)
        image = base + image if base and image.startswith("/") else image
        if image.startswith("https://"):
            url = escape(quote(image, safe=head.SAFE_IN_ADDRESSES))
            lines.append(f'<meta property="og:image" content="{url}">')
            if card and not self.image:
                lines.append(_CARD_FORM)
        lines += [elements] if elements else []
        return "\n".join(lines).encode("utf-8", "replace")


def _own_script(node: BrandedNode) -> str:
    return head.script(node.custom_scripts) if node.custom_scripts else ""


def _html(text: str) -> bytes:
    return escape(head.sendable(text)).encode("utf-8", "replace")
