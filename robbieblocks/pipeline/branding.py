"""A node's branding, with what needs more than its rows: the toolchain, media and esbuild."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from robbieblocks.brand import brand
from robbieblocks.bundle import Bundler
from robbieblocks.model import BrandedNode, MediaLibrary, NodeRow, OwnFont, TokenRow
from robbieblocks.toolchain import COMMON_RANGE, Toolchain


def branded(
    node: NodeRow,
    tokens: Sequence[TokenRow],
    library: MediaLibrary,
    toolchain: Toolchain,
    bundler: Bundler,
) -> BrandedNode:
    """The branding of a resolved row. Raises Transient where esbuild can't run."""
    made = brand(node, tokens, toolchain.fonts, _own_fonts(library))
    if made.custom_scripts is None:
        return made
    problem = bundler.script_problem(node, toolchain)
    return made if problem is None else replace(made, problems=(*made.problems, problem))


def _own_fonts(library: MediaLibrary) -> Mapping[str, OwnFont]:
    """The fonts of media, by their addresses, as branding gets them."""
    return {
        font.url: OwnFont(
            common=font.forms[0].url if len(font.forms) > 1 else "",
            common_range=COMMON_RANGE,
            kind=font.font_kind,
            measures=font.measures,
        )
        for font in library.media.values()
        if font.is_font
    }
