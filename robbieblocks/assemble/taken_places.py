"""The places that pages of a node take: whether one that comes wants another's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from robbieblocks.assemble.routes import place_of
from robbieblocks.model import PageRow


@dataclass(slots=True)
class TakenPlaces:
    """The files of pages of which no two want one place, and how many lie in each folder.

    Two pages conflict as `check_routes` says.
    """

    _files: set[str] = field(default_factory=set[str])
    _folders: Counter[str] = field(default_factory=Counter[str])

    def alter(self, gone: Iterable[PageRow], come: Iterable[PageRow]) -> bool:
        """Take some pages away and add others; False where one of these wants another's place.

        Then the places are of no use any more.
        """
        for page in gone:
            if (place := place_of(page.route, page.not_found)) is not None:
                self._files.discard(place.path)
                self._folders.subtract(place.above)
        for page in come:
            if (place := place_of(page.route, page.not_found)) is None:
                continue
            if place.path in self._files or self._folders[place.path] > 0:
                return False
            if not self._files.isdisjoint(place.above):
                return False
            self._files.add(place.path)
            self._folders.update(place.above)
        return True
