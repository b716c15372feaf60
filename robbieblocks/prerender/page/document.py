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
from robbieblocks.model import (
    NO_SETTINGS,
    Asset,
    BrandedNode,
    IconLink,
    SiteSettings,
    StyleForm,
    icon_file,
    sha256,
    sheet_file,
)
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.granted import Granted

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
    "other_sources",
    "title_before",
    "title_after",
    "title_at",
    "trusted_types",
    "trusted_types_forced",
)
_BACKGROUND: Final = "color.background"
# What templates write for each slot. No text of a page can hold NUL, so none can pass for a slot.
SLOTS: Final = SimpleNamespace(**{name: Markup("\0{}\0").format(name) for name in _NAMES})
# That a card is shown at its full width; readers need not fetch it for its size.
_CARD_FORM: Final = (
    '<meta property="og:image:width" content="1200">\n'
    '<meta property="og:image:height" content="630">\n'
    '<meta name="twitter:card" content="summary_large_image">'
)


@dataclass(frozen=True, slots=True)
class NodeSheet:
    """What all pages of an app on a node share of their styles, as a file at a fixed address.

    `path` is the file in the release. `address` ends with an edition that changes with what pages
    change with, too: a browser's older file never meets a page that needs more than it has. The
    node's icon, which has its colours, is beside it.
    """

    path: str
    address: str
    content: bytes = field(repr=False)
    icon_path: str
    icon: bytes = field(repr=False)

    @classmethod
    def of(cls, node: BrandedNode, app: str, base: Asset) -> Self:
        """`base` is the bundle's base stylesheet. By `--rb-styles` reload.js knows the file."""
        content = _joint(node, base)
        needed = "\0".join((base.name, node.theme, *sorted(node.tokens), "", *sorted(node.scheme)))
        path = sheet_file(app)
        mark = f"@layer tokens{{:root{{--rb-styles:{sha256(content)[:16]}}}}}\n"
        return cls(
            path=path,
            address=f"/{quote(path)}?v={sha256(needed)[:8]}",
            content=mark.encode() + content,
            icon_path=icon_file(app),
            icon=node.favicon.content,
        )

    @property
    def files(self) -> dict[str, bytes]:
        """Both by their paths in the release."""
        return {self.path: self.content, self.icon_path: self.icon}


def tokens_in_pages(tokens: Mapping[str, str]) -> dict[str, str]:
    """What pages whose styles are a file at a fixed address show of tokens: which there are, and
    the value of the one that their heads name.
    """
    return dict.fromkeys(tokens, "") | {key: tokens[key] for key in (_BACKGROUND,) if key in tokens}


@dataclass(frozen=True, slots=True)
class NodeSlots:
    """What one node writes into the slots of every page. Make it once for all pages of a node.

    `assets` are what pages refer to, and the node's fonts, where their styles are not `fixed`.
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
        sheet: NodeSheet | None = None,
    ) -> Self:
        """The slots' HTML, as UTF-8; `styles` is the form of the pages that they are for.

        `base` is the bundle's base stylesheet, which `linked` pages share with the node's; `sheet`
        is what `fixed` ones link. `favicon` is one of the templates, which takes the place of the
        node's.
        """
        icon = favicon or node.favicon
        icon_url, fonts = icon.url, node.fonts
        icons: tuple[Asset, ...] = (icon, *([node.manifest] if node.manifest else []))
        if styles == "fixed" and sheet is not None:
            tokens, custom_css, fonts = _Sheet(_fixed(sheet)), _Sheet(), node.preload_fonts
            if favicon is None:
                icon_url, icons = f"/{quote(sheet.icon_path)}", icons[1:]
        elif styles == "linked":
            joint = Asset.of("styles", "css", _joint(node, base))
            tokens, custom_css = _Sheet.of(joint, styles), _Sheet()
        else:
            tokens = _Sheet.of(node.stylesheet, styles)
            custom_css = _Sheet.of(node.custom_css, styles)
        texts = {
            "theme": escape(node.theme),
            "theme_color": _theme_colors(node),
            "theme_script": f"<script>{head.THEME_SCRIPT}</script>" if node.scheme else "",
            "color_scheme": "light dark" if node.scheme else node.theme,
            "icons": _icons(node, escape(icon_url)),
            "fonts": head.preload_fonts(node.preload_fonts),
            "tokens": tokens.html,
            "custom_css": custom_css.html,
            "script_sources": f" {head.csp_hash(head.THEME_SCRIPT)}" if node.scheme else "",
            "style_sources": tokens.source + custom_css.source,
            "trusted_types": _trusted_types(node),
            "trusted_types_forced": (
                head.NO_HTML_FROM_TEXT if node.settings.trusted_types == "on" else ""
            ),
        }
        scripts = (node.custom_scripts,) if node.custom_scripts else ()
        granted = Granted.of(node.settings, NO_SETTINGS)
        return cls(
            node,
            {name.encode(): text.encode("utf-8", "replace") for name, text in texts.items()},
            (*tokens.assets, *custom_css.assets, *scripts, *granted.assets, *fonts, *icons),
        )


def _icons(node: BrandedNode, favicon: str) -> str:
    links = list(node.icons)
    if all(icon.rel != "icon" for icon in links):
        links.insert(0, IconLink("icon", favicon, "image/svg+xml", "any"))
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
        # A node's own script may do what it likes, and other sites' scripts do.
        wanted = "off" if node.custom_scripts or node.settings.scripts else "on"
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


def _joint(node: BrandedNode, base: Asset | None) -> bytes:
    """One stylesheet of all that a node's pages share; its layers decide, not the order in it."""
    sheets = filter(None, (node.stylesheet, base, node.custom_css))
    return b"\n".join([sheet.content for sheet in sheets])


def _fixed(sheet: NodeSheet) -> str:
    """The link to it; before it, so that it waits for no styles, what a reload runs."""
    address = escape(sheet.address)
    return (
        f'<script data-rb-styles="{address}">{head.RELOAD_SCRIPT}</script>\n'
        f'<link rel="stylesheet" href="{address}">'
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

    def fill(self, slots: NodeSlots, card: Asset | None = None) -> bytes:
        """The page's HTML on a node, as UTF-8. A `card` is its picture where it has none."""
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

    def _addresses(self, node: BrandedNode, elements: str, card: Asset | None) -> bytes:
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
        image = self.image or (card.url if card else node.og_image)
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
