"""What a node's branding adds to pages and to the stylesheet at a fixed address, as hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from robbieblocks.model import Asset, BrandedNode, Sha256, StyleForm, canonical_json, sha256
from robbieblocks.pipeline.page_texts import short_digest
from robbieblocks.prerender import tokens_in_pages


@dataclass(frozen=True, slots=True)
class BrandFingerprint:
    """The hash of what a node's branding adds to a page, and the digests of its parts."""

    whole: Sha256
    digests: tuple[str, ...]

    @classmethod
    def of(cls, node: BrandedNode, styles: StyleForm) -> Self:
        """Of everything in a branded node that pages show whose styles have this form."""
        parts = {
            "node_id": node.id,
            "node_name": node.name,
            "theme": node.theme,
            "base_url": node.base_url,
            "title_pattern": node.title_pattern,
            "og_image": node.og_image,
            "custom_scripts": node.custom_scripts.name if node.custom_scripts else "",
            "icons": _icons(node),
            "manifest": node.manifest.name if node.manifest else "",
            "settings": node.settings.text + (node.card.digest if node.card else ""),
        }
        if styles == "fixed":
            parts["tokens"] = canonical_json([*map(tokens_in_pages, (node.tokens, node.scheme))])
            return cls(sha256("\0".join(parts.values())), _brand_digests(parts))
        parts |= _in_styles(node)
        # The stylesheet holds the tokens and the font faces, the favicon some tokens and the name:
        # they are no causes of their own.
        whole = "\0".join((*parts.values(), node.stylesheet.name, node.favicon.name))
        return cls(sha256(whole), _brand_digests(parts))


def sheet_digests(node: BrandedNode, base: Asset) -> tuple[str, ...]:
    """The digests of what that stylesheet is made from, in the form of `input_digests`."""
    own = _brand_digests({"theme": node.theme, **_in_styles(node)})
    return (f"template::{short_digest(base.name)}", *own)


def _in_styles(node: BrandedNode) -> dict[str, str]:
    """What of a branding is in its styles, by the names that causes have."""
    return {
        "tokens": canonical_json(dict(node.tokens)),
        "custom_css": node.custom_css.name if node.custom_css else "",
        "fonts": _names(node.fonts),
    }


def _icons(node: BrandedNode) -> str:
    # The file at /favicon.ico is no page, but goes out with them.
    own = [[node.ico.name]] if node.ico else []
    return canonical_json([*map(list, node.icons), *own]) if node.icons or own else ""


def _names(assets: Iterable[Asset]) -> str:
    return "\0".join([asset.name for asset in assets])


def _brand_digests(parts: Mapping[str, str]) -> tuple[str, ...]:
    return tuple([f"node_branding:{name}:{short_digest(value)}" for name, value in parts.items()])
