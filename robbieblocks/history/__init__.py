"""The history of content: who changed what, and in which run it went out.

Two tables hold it: the change queue, which is the journal of rows (`journal`), and the deploys rows
of runs. `undo` writes a change back. What differs is said in the words of reviews.
"""

from robbieblocks.history.bisecting import Bisected, Search, bisect
from robbieblocks.history.deploys import (
    AskedRuns,
    Between,
    PageTouched,
    Run,
    between,
    changes_of,
    run,
    runs,
)
from robbieblocks.history.journal import ENTITIES, Asked, Change, Published, change, changes
from robbieblocks.history.sides import difference
from robbieblocks.history.undoing import undo
from robbieblocks.history.why import TokenUsed, Why, why

__all__ = [
    "ENTITIES",
    "Asked",
    "AskedRuns",
    "Between",
    "Bisected",
    "Change",
    "PageTouched",
    "Published",
    "Run",
    "Search",
    "TokenUsed",
    "Why",
    "between",
    "bisect",
    "change",
    "changes",
    "changes_of",
    "difference",
    "run",
    "runs",
    "undo",
    "why",
]
