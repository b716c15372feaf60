"""The stylesheet that an app's pages share on a node, as a file at a fixed address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import quote

from robbieblocks.model import Asset, BrandedNode, icon_file, sha256, sheet_file

_BACKGROUND: Final = "color.background"


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
        content = joint_sheet(node, base)
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


def joint_sheet(node: BrandedNode, base: Asset | None) -> bytes:
    """One stylesheet of all that a node's pages share; its layers decide, not the order in it."""
    sheets = filter(None, (node.stylesheet, base, node.custom_css))
    return b"\n".join([sheet.content for sheet in sheets])
