"""Islands: the blocks that the browser hydrates or renders again, as the page names them.

The keys of an island are bytes of the page and are read by `bundle/runtime/islands.js`:
`fresh` says that the block is rendered again instead of hydrated, because it showed the clock,
randomness or the locale. `still` says that it has no state and no events: it is only rendered where
the URL's query fills a placeholder of `fill`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from robbieblocks.model import AssembledBlock, AssembledPage, RenderedBlock, component_specifier
from robbieblocks.prerender.page import head


@dataclass(frozen=True, slots=True, kw_only=True)
class Islands:
    """A page's islands: their components, those of them that load at once, and the page's JSON."""

    components: frozenset[str] = frozenset()
    eager: frozenset[str] = frozenset()
    json: str = ""

    @classmethod
    def of(cls, page: AssembledPage, rendered: Mapping[int, RenderedBlock]) -> Self:
        """The islands among a page's blocks; `rendered` holds each block by its order."""
        listed = [
            (block, rendered[block.order])
            for block in page.blocks
            if _needs_browser(rendered[block.order]) or block.fill is not None
        ]
        entries = [_entry(block, made) for block, made in listed]
        return cls(
            components=frozenset(block.component for block, _ in listed),
            eager=frozenset(block.component for block, made in listed if _is_eager(block, made)),
            json=head.inert(f"[{','.join(entries)}]") if entries else "",
        )


def _needs_browser(made: RenderedBlock) -> bool:
    return made.interactive or made.rerender


def _is_eager(block: AssembledBlock, made: RenderedBlock) -> bool:
    """Whether every visitor needs the block's module at once, so that it is worth a preload."""
    return _needs_browser(made) and block.hydrate == "load" and block.visitor is None


def _entry(block: AssembledBlock, made: RenderedBlock) -> str:
    use = json.dumps(component_specifier(block.component))
    entry = f'{{"id":"{block.id}","use":{use},"when":"{block.hydrate}","props":{block.props_json}'
    if made.rerender:
        entry += ',"fresh":true'
    elif not made.interactive:
        entry += ',"still":true'
    if block.fill is not None:
        entry += f',"fill":{json.dumps(block.fill, separators=(",", ":"))}'
    return entry + "}"
