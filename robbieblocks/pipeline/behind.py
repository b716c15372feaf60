"""Lists that do not show what is live of the apps that they list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from robbieblocks.model import TriggerRow


@dataclass(frozen=True, slots=True)
class Behind:
    """The apps of one node whose lists of other apps do not show what is live there now.

    `reads` has the apps that each of them lists.
    """

    reads: Mapping[str, frozenset[str]]

    def of(self, row: TriggerRow) -> frozenset[str]:
        """Those that are behind because of a change, as far as is known."""
        return frozenset(
            app
            for app, listed in self.reads.items()
            if row.affected_apps is None or not listed.isdisjoint(row.affected_apps)
        )


NOTHING_BEHIND: Final = Behind({})
