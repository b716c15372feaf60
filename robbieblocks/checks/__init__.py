"""Checks: what is wrong with rows, or doubtful, although pages can be made of them.

`run` gives every finding. A rule is a line in `robbieblocks/check_rules.py` and a function here,
which `FINDERS` names. It gets the rows and the pages of all nodes as values (`Checked`) and gives
what it found; a fault in one row ends no rule (`rows`).
"""

from robbieblocks.checks.finding import Checked, Finding, Found
from robbieblocks.checks.rules.links import SRCSET_CANDIDATE
from robbieblocks.checks.rules.moved import moved_from
from robbieblocks.checks.running import FINDERS, run

__all__ = [
    "FINDERS",
    "SRCSET_CANDIDATE",
    "Checked",
    "Finding",
    "Found",
    "moved_from",
    "run",
]
