"""What is said of a place in CSS."""

from __future__ import annotations

from typing import NamedTuple

from tinycss2.ast import Node


class Doubt(NamedTuple):
    """What browsers pass over, or never apply, and what to do. The rest of the CSS holds."""

    node: Node
    what: str
    remedy: str
