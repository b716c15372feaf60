"""A page for all nodes, with slots for what is a node's own: theme, address, styles, script."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from types import SimpleNamespace
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from robbieblocks.model import Asset, BrandedNode
from robbieblocks.prerender import head

_NAMES: Final = (
    "theme",
    "theme_color",
    "canonical",
    "fonts",
    "tokens",
    "custom_css",
    "custom_script",
)
# What an address may hold as it is (RFC 3986): the rest is percent-encoded.
_IN_ADDRESSES: Final = "%:/?#[]@!$&'()*+,;=~"
# What templates write where a node's part belongs; NUL can't come from any text in a page.
SLOTS: Final = SimpleNamespace(
    **{name: Markup(f"\0{name}\0") for name in _NAMES}  # noqa: S704 - fixed names
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDocument:
    """A page's bytes but for the node's own parts.

    `parts` alternates bytes with names of slots. `assets` is what the page refers to, without the
    node's own stylesheets, fonts and script.
    """

    parts: tuple[bytes, ...] = field(repr=False)
    assets: tuple[Asset, ...]
    address: str = ""
    image: str = ""

    def brand(self, node: BrandedNode) -> bytes:
        """The page's HTML on a node, as UTF-8."""
        values = _slot_values(node)
        values[b"canonical"] = self._address(node)
        parts = list(self.parts)
        parts[1::2] = [values[name] for name in parts[1::2]]
        return b"".join(parts)

    def _address(self, node: BrandedNode) -> bytes:
        base = node.base_url.rstrip("/")
        lines = [f'<meta property="og:site_name" content="{escape(head.sendable(node.name))}">']
        if base and self.address:
            url = escape(base + self.address)
            lines.append(f'<link rel="canonical" href="{url}">')
            lines.append(f'<meta property="og:url" content="{url}">')
        image = base + self.image if base and self.image.startswith("/") else self.image
        if image.startswith("https://"):
            sent = quote(image, safe=_IN_ADDRESSES)
            lines.append(f'<meta property="og:image" content="{escape(sent)}">')
        return "\n".join(lines).encode("utf-8", "replace")


# Thousands of pages are branded for one node after the other.
_last_branded: list[tuple[BrandedNode, dict[bytes, bytes]]] = []


def _slot_values(node: BrandedNode) -> dict[bytes, bytes]:
    if not _last_branded or _last_branded[0][0] is not node:
        color = node.tokens.get("color.background", "")
        theme_color = (
            f'<meta name="theme-color" content="{escape(head.sendable(color))}">' if color else ""
        )
        values = {
            "theme": escape(node.theme),
            "theme_color": theme_color,
            "fonts": head.preload_fonts(node.preload_fonts),
            "tokens": head.stylesheet(node.stylesheet),
            "custom_css": head.stylesheet(node.custom_css) if node.custom_css else "",
            "custom_script": head.script(node.custom_scripts) if node.custom_scripts else "",
        }
        encoded = {
            name.encode(): value.encode("utf-8", "replace") for name, value in values.items()
        }
        _last_branded[:] = [(node, encoded)]
    return _last_branded[0][1]
