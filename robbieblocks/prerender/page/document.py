"""A page for all nodes, with slots for what is a node's own: theme, address, styles, script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from types import SimpleNamespace
from typing import Final, NamedTuple, Self
from urllib.parse import quote

from markupsafe import Markup

from robbieblocks.errors import Problem
from robbieblocks.model import Asset, BrandedNode, IconLink, StyleForm
from robbieblocks.prerender.page import head

_NAMES: Final = (
    "theme",
    "theme_color",
    "theme_script",
    "color_scheme",
    "canonical",
    "fonts",
    "icons",
    "tokens",
    "custom_css",
    "custom_script",
    "style_sources",
    "script_sources",
    "title_before",
    "title_after",
    "title_at",
    "trusted_types",
    "trusted_types_forced",
)
# What templates write for each slot. No text of a page can hold NUL, so none can pass for a slot.
SLOTS: Final = SimpleNamespace(**{name: Markup("\0{}\0").format(name) for name in _NAMES})


@dataclass(frozen=True, slots=True)
class NodeSlots:
    """What one node writes into the slots of every page. Make it once for all pages of a node.

    `assets` are what it refers to, and the node's fonts.
    """

    node: BrandedNode
    values: Mapping[bytes, bytes] = field(repr=False)
    assets: tuple[Asset, ...]

    @classmethod
    def of(
        cls,
        node: BrandedNode,
        styles: StyleForm = "inline",
        *,
        base: Asset | None = None,
        favicon: Asset | None = None,
    ) -> Self:
        """The slots' HTML, as UTF-8; `styles` is the form of the pages that they are for.

        `base` is the bundle's base stylesheet, which `linked` pages share with the node's.
        `favicon` is one of the templates, which takes the place of the node's.
        """
        favicon = favicon or node.favicon
        manifest = (node.manifest,) if node.manifest else ()
        if styles == "linked":
            tokens, custom_css = _Sheet.of(_joint(node, base), styles), _Sheet()
        else:
            tokens = _Sheet.of(node.stylesheet, styles)
            custom_css = _Sheet.of(node.custom_css, styles)
        texts = {
            "theme": escape(node.theme),
            "theme_color": _theme_colors(node),
            "theme_script": f"<script>{head.THEME_SCRIPT}</script>" if node.scheme else "",
            "color_scheme": "light dark" if node.scheme else node.theme,
            "icons": _icons(node, favicon),
            "fonts": head.preload_fonts(node.preload_fonts),
            "tokens": tokens.html,
            "custom_css": custom_css.html,
            "custom_script": head.script(node.custom_scripts) if node.custom_scripts else "",
            "script_sources": f" {head.csp_hash(head.THEME_SCRIPT)}" if node.scheme else "",
            "style_sources": tokens.source + custom_css.source,
            "trusted_types": _trusted_types(node),
            "trusted_types_forced": (
                head.NO_HTML_FROM_TEXT if node.settings.trusted_types == "on" else ""
            ),
        }
        scripts = (node.custom_scripts,) if node.custom_scripts else ()
        return cls(
            node,
            {name.encode(): text.encode("utf-8", "replace") for name, text in texts.items()},
            (*tokens.assets, *custom_css.assets, *scripts, *node.fonts, favicon, *manifest),
        )


def _icons(node: BrandedNode, favicon: Asset) -> str:
    links = list(node.icons)
    if all(icon.rel != "icon" for icon in links):
        links.insert(0, IconLink("icon", favicon.url, "image/svg+xml", "any"))
    lines = [
        f'<link rel="{icon.rel}" href="{icon.url}" type="{icon.type}" sizes="{icon.sizes}">'
        for icon in links
    ]
    lines += [f'<link rel="manifest" href="{node.manifest.url}">'] if node.manifest else []
    return "\n".join(lines)


def _theme_colors(node: BrandedNode) -> str:
    """What browsers colour their own parts with; in each theme, where the node has both."""
    if not node.scheme:
        return _theme_color(node.tokens)
    dark, light = node.tokens, node.scheme
    if node.theme == "light":
        dark, light = light, dark
    return _theme_color(light, "light") + _theme_color(dark, "dark")


def _theme_color(tokens: Mapping[str, str], preferred: str = "") -> str:
    color = escape(head.sendable(tokens.get("color.background", "")))
    media = f' media="(prefers-color-scheme: {preferred})"' if preferred else ""
    return f'<meta name="theme-color"{media} content="{color}">' if color else ""


def _trusted_types(node: BrandedNode) -> str:
    """The directive of pages whose own scripts make no HTML of texts."""
    wanted = node.settings.trusted_types
    if wanted == "auto":
        # A node's own script may do what it likes.
        wanted = "off" if node.custom_scripts else "on"
    return head.NO_HTML_FROM_TEXT if wanted == "on" else ""


class _Sheet(NamedTuple):
    """A node's stylesheet in a page, its source in the page's policy, and the file it needs."""

    html: str = ""
    source: str = ""
    assets: tuple[Asset, ...] = ()

    @classmethod
    def of(cls, sheet: Asset | None, styles: StyleForm) -> Self:
        if sheet is None:
            return cls()
        if styles != "inline" or head.too_large([sheet]):
            return cls(head.stylesheet(sheet), assets=(sheet,))
        text = head.style_text([sheet])
        return cls(head.style(text), f" {head.csp_hash(text)}")


def _joint(node: BrandedNode, base: Asset | None) -> Asset:
    """One stylesheet of all that a node's pages share; its layers decide, not the order in it."""
    sheets = filter(None, (node.stylesheet, base, node.custom_css))
    return Asset.of("styles", "css", b"\n".join([sheet.content for sheet in sheets]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDocument:
    """A page's bytes without what is a node's own.

    `parts` alternates bytes with names of slots. `assets` is what the page refers to, without the
    node's own stylesheets, fonts and script. `problems` are warnings. `address` is the page's path,
    `image` its picture for social networks, `feeds` are the type and path of each of its feeds,
    `alternates` the `hreflang` and path of each of its translations, `title` is its title without
    the node's part.
    """

    parts: tuple[bytes, ...] = field(repr=False)
    assets: tuple[Asset, ...]
    problems: tuple[Problem, ...] = ()
    address: str = ""
    image: str = ""
    feeds: tuple[tuple[str, str], ...] = ()
    alternates: tuple[tuple[str, str], ...] = ()
    title: str = ""

    def fill(self, slots: NodeSlots) -> bytes:
        """The page's HTML on a node, as UTF-8."""
        before, after = self._around_title(slots.node)
        own = {
            b"canonical": self._addresses(slots.node),
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

    def _addresses(self, node: BrandedNode) -> bytes:
        """The elements that name absolute URLs, which a node without an address has not got."""
        base = node.base_url.rstrip("/")
        lines = [f'<meta property="og:site_name" content="{escape(head.sendable(node.name))}">']
        if base and self.address:
            url = escape(base + self.address)
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
        image = self.image or node.og_image
        image = base + image if base and image.startswith("/") else image
        if image.startswith("https://"):
            url = escape(quote(image, safe=head.SAFE_IN_ADDRESSES))
            lines.append(f'<meta property="og:image" content="{url}">')
        return "\n".join(lines).encode("utf-8", "replace")


def _html(text: str) -> bytes:
    return escape(head.sendable(text)).encode("utf-8", "replace")
