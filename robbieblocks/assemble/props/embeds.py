"""Props with `"format": "embed"`: addresses that a page shows in frames."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from robbieblocks.assemble.values import ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import AssembledPage, SiteSettings

_LENGTH: Final = 2_000
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The host without a user before it, the rest as RFC 3986 has it.
_ADDRESS: Final = re.compile(
    rf"(https://{_LABEL}(?:\.{_LABEL}){{0,30}}(?::[0-9]{{1,5}})?)"
    r"(?:[/?#][a-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?",
    re.IGNORECASE | re.ASCII,
)


class Embed(NamedTuple):
    """A frame that a block shows, by the block's order on the page.

    `refusal` is what is wrong on a node that allows no frames of the origin.
    """

    order: int
    origin: str
    refusal: Problem


def origin_of(text: str, pointer: str) -> str | ValueProblem:
    """The origin of an address that can be shown in a frame, or what is wrong with the address."""
    named = _ADDRESS.fullmatch(text) if len(text) <= _LENGTH else None
    if named is None:
        remedy = (
            "write an https URL, such as https://maps.example/?q=1, other letters encoded (%20)"
        )
        return ValueProblem(pointer, f"{printable(text)} is no address of an embed", remedy)
    return named[1].lower()


def refusal(origin: str, pointer: str) -> ValueProblem:
    """What is wrong where settings allow no frames of an origin."""
    what = f"the hosts of `settings` allow no frames of {origin}"
    remedy = f'add "{origin}" = ["frames"] to settings.hosts of the node, or of a frame of the app'
    return ValueProblem(pointer, what, remedy)


def refused_embeds(
    embeds: Iterable[Embed], page: AssembledPage, of_node: SiteSettings
) -> tuple[Problem, ...]:
    """What is wrong with the embeds of a page as a node shows it, by the settings of both."""
    shown = {block.order for block in page.blocks}
    settings = page.settings.over(of_node)
    return tuple(
        embed.refusal
        for embed in embeds
        if embed.order in shown and not settings.allows_frames_of(embed.origin)
    )
