"""Rules that judge one row at a time: a library's failure over a row is that row's problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from robbieblocks.checks.finding import Checked, Finder, Found
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow
from robbieblocks.row_faults import blame

ComponentRule = Callable[[ComponentRow, Checked], Iterable[Found]]


def each_component(field: str, rule: ComponentRule) -> Finder:
    """A rule over all components, of which it reads the column `field`."""

    def find(checked: Checked) -> Iterator[Found]:
        components = checked.inspection.content.components
        for key, row in sorted(components.items()):
            faults: list[Problem] = []
            found: list[Found] = []
            with blame(faults.append, "component", key, field):
                found += rule(row, checked)
            yield from (*found, *map(Found, faults))

    return find
