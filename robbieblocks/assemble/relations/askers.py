"""Which pages ask for which lists: a list that changed concerns those that may see it, and no more.

Of a list of ten pages nobody sees what changed in the eleventh place; of one that shows the next
page, only who stands beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from robbieblocks.assemble.relations.listing import Answer
from robbieblocks.assemble.relations.order import Alteration, Selection


@dataclass(slots=True)
class _Asked:
    """The keys of the pages that ask for one selection.

    `near` has how far each looks from its own place, `ends` the pages by the place before which
    their lists end, `counting` those that show how many pages there are.
    """

    near: dict[str, int] = field(default_factory=dict[str, int])
    ends: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    counting: set[str] = field(default_factory=set[str])

    def all(self) -> set[str]:
        return {*self.near, *self.counting}.union(*self.ends.values())

    def concerned(self, altered: Alteration) -> set[str]:
        if altered.now is None:
            return self.all()
        found = set(self.counting) if altered.alters_count else set[str]()
        lowest = altered.lowest
        found = found.union(*(keys for end, keys in self.ends.items() if lowest < end))
        if self.near:
            reach = max(self.near.values())
            found.update(key for key in altered.neighbours(reach) if key in self.near)
        return found


class Askers:
    """The pages that ask, by source (`PageQuery.source`) and selection."""

    def __init__(self) -> None:
        self._asked: dict[str, dict[Selection, _Asked]] = {}

    def put(self, key: str, answers: Iterable[Answer]) -> None:
        """Note what a page was answered."""
        for each in answers:
            query, end = each.query, each.first + each.query.limit + 1
            of_name = self._asked.setdefault(query.source, {})
            asked = of_name.get(each.selection)
            if asked is None:
                asked = of_name[each.selection] = _Asked()
            if query.near:
                asked.near[key] = max(end, asked.near.get(key, 0))
            else:
                asked.ends.setdefault(end, set()).add(key)
            if query.paginate:
                asked.counting.add(key)

    def drop(self, key: str, answers: Iterable[Answer]) -> None:
        """Forget what a page was answered."""
        for each in answers:
            asked = self._asked.get(each.query.source, {}).get(each.selection)
            if asked is not None:
                asked.near.pop(key, None)
                asked.counting.discard(key)
                for end, keys in [*asked.ends.items()]:
                    keys.discard(key)
                    if not keys:
                        del asked.ends[end]
                if not (asked.near or asked.counting or asked.ends):
                    del self._asked[each.query.source][each.selection]

    @property
    def sources(self) -> Collection[str]:
        """What is asked for."""
        return [name for name, asked in self._asked.items() if asked]

    def of(self, source: str) -> set[str]:
        """All pages that ask for one."""
        return set[str]().union(*(each.all() for each in self._asked.get(source, {}).values()))

    def concerned(
        self,
        source: str,
        known: Collection[Selection],
        altered: Mapping[Selection, Alteration],
    ) -> set[str]:
        """The pages whose answers may differ: `known` are the selections that were in order before.

        Of any other nobody can say.
        """
        found: set[str] = set()
        for selection, asked in self._asked.get(source, {}).items():
            if selection not in known:
                found |= asked.all()
            elif selection in altered:
                found |= asked.concerned(altered[selection])
        return found
