"""Names by which a component's script makes elements or scripts while it runs."""

from __future__ import annotations

import functools
import re
from typing import Final

# Of so many scripts it is kept what they name: those of a large app, and of their earlier editions.
_SCRIPTS_KEPT: Final = 8192
# Names by which a script makes elements of a text, as they stand in compiled code. A name in a text
# that is only shown counts, too: then a block is not filled that could be.
HTML_SETTER: Final = re.compile(
    r"dangerouslySetInnerHTML|__html\b|\b(?:inner|outer)HTML\b|insertAdjacentHTML|[sS]rc[dD]oc\b"
    r"|\bsetHTML(?:Unsafe)?\b|\bparseHTML(?:Unsafe)?\b|parseFromString|createContextualFragment"
    r"|\.write(?:ln)?\b(?=\s*\()|(?<=\()\s*[\"'`]style[\"'`]"
)

# By which it makes scripts: elements of that name, and workers.
SCRIPT_MAKER: Final = re.compile(
    r"[\"'`]script[\"'`]|\b(?:Shared)?Worker\b|\bserviceWorker\b|\bexecCommand\b"
)


@functools.lru_cache(_SCRIPTS_KEPT)
def first_name(names: re.Pattern[str], script: str) -> str:
    """The first of the names that a script has; or "". An edit leaves most scripts as they are."""
    found = names.search(script)
    return found[0] if found else ""
