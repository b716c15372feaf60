"""What rules get and what they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from robbieblocks.errors import Problem
from robbieblocks.pipeline import Inspection
from robbieblocks.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is checked: the rows, and the pages of all nodes that were made of them.

    `whole` says that all apps and nodes are among them, so that what is missing is unused.
    """

    inspection: Inspection
    settings: Settings
    progress: Callable[[str], None]
    whole: bool = True


class Found(NamedTuple):
    """What a rule found, and on which nodes; none where it is the same on each.

    The rule's level takes the place of the problem's `severity`.
    """

    problem: Problem
    nodes: tuple[str, ...] = ()


Finder: TypeAlias = Callable[[Checked], Iterable[Found]]


class Finding(NamedTuple):
    """What the rule of this name found. The problem's `severity` is the rule's level."""

    rule: str
    problem: Problem
    nodes: tuple[str, ...] = ()
