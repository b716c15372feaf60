"""What a node writes into the slots of its pages: theme, address, styles, scripts, icons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from types import SimpleNamespace
from typing import Final, NamedTuple, Self
from urllib.parse import quote

from markupsafe import Markup

from robbieblocks.model import NO_SETTINGS, Asset, BrandedNode, IconLink, StyleForm
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.granted import Granted
from robbieblocks.prerender.page.node_sheet import NodeSheet, joint_sheet

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
# What templates write for each slot. No text of a page can hold NUL, so none can pass for a slot.
SLOTS: Final = SimpleNamespace(**{name: Markup("\0{}\0").format(name) for name in _NAMES})


@dataclass(frozen=True, slots=True)
class NodeSlots:
    """What one node writes into the slots of every page. Make it once for all pages of a node.

    `assets` are what pages refer to, and the node's fonts, where their styles are not `fixed`:
    that stylesheet refers to them.
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
        manifest = (node.manifest,) if node.manifest else ()
        icons: tuple[Asset, ...] = (icon, *node.icon_files, *manifest)
        if styles == "fixed" and sheet is not None:
            tokens, custom_css, fonts = _Sheet(_fixed(sheet), assets=(head.RELOADER,)), _Sheet(), ()
            if favicon is None:
                icon_url, icons = f"/{quote(sheet.icon_path)}", icons[1:]
        elif styles == "linked":
            joint = Asset.of("styles", "css", joint_sheet(node, base))
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
            # Earlier page templates write it. Browsers ask for fonts as soon as text is laid out.
            "fonts": "",
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


def _fixed(sheet: NodeSheet) -> str:
    return f'<link rel="stylesheet" href="{escape(sheet.address)}">'
