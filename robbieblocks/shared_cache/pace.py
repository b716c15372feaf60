"""How long a bucket takes to answer, and what is therefore worth being asked for."""

from __future__ import annotations

from typing import Final

# What S3 of the same region takes; docs/sync.md has what was measured. A request to a nearer bucket
# counts as much: what it takes of the processor (signing, sealing, packing, and writing what was
# not there) does not grow with the distance. So less than 60 ms of work is never asked for: of an
# edit of a page, or of a component, a node makes everything itself.
_USUAL_MS: Final = 30.0
_LONGEST_MS: Final = 1_000.0
# What is asked for may not be there, and is made then, too: so asking must save more than it takes.
_WORTH: Final = 2.0
# Waiting for another node takes a few requests: of work that takes so many of them it is a tenth.
_ALONE: Final = 20.0


class Pace:
    """The time of one request, as it was of late, and not less than is usual. Whoever calls has a
    lock. `at_once` is how many requests run beside each other.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self.ms = _USUAL_MS

    def took(self, ms: float) -> None:
        """Note a request; a single slow one counts for a quarter."""
        self.ms = max(_USUAL_MS, self.ms + (min(ms, _LONGEST_MS) - self.ms) / 4)

    def is_worth(self, made_in_ms: float, requests: int) -> bool:
        """Whether so many requests take half the time, or less, of making what they would bring.

        Each time that they don't, the pace goes back to the usual one by a tenth: a bucket that was
        slow once would never be asked again.
        """
        if made_in_ms >= _WORTH * self.ms * max(1.0, requests / self._at_once):
            return True
        self.ms += (_USUAL_MS - self.ms) / 10
        return False

    def is_for_one(self, made_in_ms: float) -> bool:
        """Whether one node should make it while the others wait."""
        return made_in_ms >= _ALONE * self.ms
