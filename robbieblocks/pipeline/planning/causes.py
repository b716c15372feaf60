"""Why a page differs from its live version: digests of now against those of the live manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from robbieblocks.assemble import PreparedPage, boundaries_of
from robbieblocks.errors import Problem
from robbieblocks.model import BrandedNode, PageEntry, own_order
from robbieblocks.pipeline.planning.plan import NO_CARD, Cause, PageInputs

Tokens = Mapping[str, str]
OTHER_VERSION: Final = Cause("release", "published by another version")

# What is among a page's inputs only where it is set.
_ONLY_WHERE_SET: Final = (("setting", "site.source_maps"),)


class CauseFinder:
    """Finds causes for the pages of one run.

    `brand` has the node's resolved tokens, `live_tokens` gives those of the live release; it is
    called at most once, where the tokens differ. `shown` are those of tokens that pages show.
    """

    def __init__(
        self,
        node: str,
        now: datetime,
        brand: BrandedNode,
        live_tokens: Callable[[], Tokens],
        shown: Callable[[Tokens], Tokens] = lambda tokens: tokens,
    ) -> None:
        self._node = node
        self._now = now
        self._brand = brand
        self._live_tokens = live_tokens
        self._shown = shown
        self._token_causes: tuple[Cause, ...] | None = None
        # Thousands of pages share a few combinations of inputs.
        self._shared: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[Cause, ...]] = {}

    def of_change(
        self,
        prepared: PreparedPage,
        live: PageEntry | None,
        made_from: PageInputs,
        *,
        is_damaged: bool,
    ) -> tuple[Cause, ...]:
        """What differs between a page and its live version, or why it is live from now on."""
        if live is None:
            return (_of_whole(prepared),)
        if is_damaged:
            return (Cause("release", "a damaged file"),)
        if live.inputs == made_from.inputs:
            return (NO_CARD,)
        if not live.row_digests:
            return (OTHER_VERSION,)
        key = live.input_digests, made_from.input_digests
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = self.of_inputs(*key)
        rows = self._of_rows(prepared, live.row_digests, made_from.row_digests)
        return (*rows, *shared) or (OTHER_VERSION,)

    def _of_rows(self, prepared: PreparedPage, before: str, after: str) -> list[Cause]:
        if before == after:
            return []
        page = prepared.row.row_key
        old_page, *old_blocks = before.split()
        new_page, *new_blocks = after.split()
        (old_page, _, old_row), (new_page, _, new_row) = map(_parted, (old_page, new_page))
        if old_row != new_row:
            return [_of_whole(prepared)]
        old, new = _blocks(old_blocks), _blocks(new_blocks)
        causes = [] if old_page == new_page else [Cause("page", page)]
        frames = {block.order: block.frame for block in prepared.row.blocks if block.frame}
        for order in sorted(old.keys() | new.keys(), key=int):
            was, now = old.get(order), new.get(order)
            if was == now:
                continue
            passed = [at for at in boundaries_of(prepared, int(order)) if at <= self._now]
            if passed and was is not None and now is not None and was[1:] == now[1:]:
                # The same block shows that was hidden, or the other way round.
                causes.append(Cause("instant", max(passed).isoformat(), order))
            else:
                # Where a frame took a block away, the page alone is known.
                row = frames.get(int(order), page)
                causes.append(Cause("page_block", row, str(own_order(int(order)))))
        return causes

    def of_inputs(self, before: tuple[str, ...], after: tuple[str, ...]) -> tuple[Cause, ...]:
        """What differs between two lists of input digests."""
        old, new = _inputs(before), _inputs(after)
        found = [Cause(*name) for name in _ONLY_WHERE_SET if (name in old) != (name in new)]
        utilities = False
        for name in new:
            if name not in old or old[name] == new[name]:
                continue
            entity, key = name
            if entity == "utilities":
                utilities = True
            elif name == ("node_branding", "tokens"):
                found += self._of_tokens()
            elif entity == "node_branding":
                found.append(Cause(entity, self._node, key))
            else:
                found.append(Cause(entity, key))
        if utilities and not found:
            # Utility classes follow the tokens of all nodes, and the code of components.
            found.append(Cause("template", "utility classes"))
        return tuple(found)

    def _of_tokens(self) -> tuple[Cause, ...]:
        if self._token_causes is None:
            before, now = self._shown(self._live_tokens()), self._shown(self._brand.tokens)
            keys = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
            # A token that names one of them differs because of that one.
            self._token_causes = tuple(
                Cause("style_token", key)
                for key in sorted(keys)
                if keys.isdisjoint(self._brand.aliases.get(key, ()))
            )
        return self._token_causes


def _of_whole(prepared: PreparedPage) -> Cause:
    """The row that a page is there for."""
    made = prepared.row.made
    if made is not None:
        return Cause("collection", f"{made.collection}/{made.row.key}")
    return Cause("page", prepared.row.part_of or prepared.key)


def _parted(digest: str) -> tuple[str, str, str]:
    """The digests of a page and of the row that it is made of, around a dot."""
    return digest.partition(".")


def causes_of_problems(problems: Iterable[Problem]) -> tuple[Cause, ...]:
    """The rows and fields whose errors hold a page back, each once."""
    causes = (Cause(problem.entity, problem.key, problem.field) for problem in problems)
    return tuple(dict.fromkeys(causes))


def _blocks(parts: Iterable[str]) -> dict[str, str]:
    """Mark and digest by block order: `12+0a1b2c3d` becomes `12: +0a1b2c3d`."""
    return {part[:-9]: part[-9:] for part in parts}


def _inputs(digests: Iterable[str]) -> dict[tuple[str, str], str]:
    parts = (digest.split(":", 2) for digest in digests)
    return {(entity, key): value for entity, key, value in parts}
