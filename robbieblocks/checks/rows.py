"""Rules that judge one row or page at a time: a library's failure over one ends no rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from robbieblocks.checks.finding import Checked, Finder, Found
from robbieblocks.checks.markup import Element, Markup
from robbieblocks.checks.sheets import Sheet
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow
from robbieblocks.pipeline import InspectedPage
from robbieblocks.row_faults import blame

# An editor needs no more of them from one rule, and finding the line of each takes time.
MOST_OF_A_ROW: Final = 20

ComponentRule = Callable[[ComponentRow, Checked], Iterable[Problem]]
SheetRule = Callable[[Sheet, Checked], Iterable[Problem]]
PageRule = Callable[[InspectedPage, Markup, Checked], Iterable[Problem]]
ElementRule = Callable[[Element, InspectedPage, Checked], Iterable[Problem]]


def each_component(field: str, rule: ComponentRule) -> Finder:
    """A rule over all components, of which it reads the column `field`."""

    def find(checked: Checked) -> Iterator[Found]:
        components = checked.inspection.content.components
        for key, row in sorted(components.items()):
            problems: list[Problem] = []
            with blame(problems.append, "component", key, field):
                problems += islice(rule(row, checked), MOST_OF_A_ROW)
            yield from map(Found, problems)

    return find


def each_sheet(rule: SheetRule) -> Finder:
    """A rule over all stylesheets that people write."""

    def find(checked: Checked) -> Iterator[Found]:
        for sheet in checked.sheets:
            problems: list[Problem] = []
            with blame(problems.append, sheet.entity, sheet.key, sheet.field):
                problems += islice(rule(sheet, checked), MOST_OF_A_ROW)
            yield from map(Found, problems)

    return find


def each_page(rule: PageRule) -> Finder:
    """A rule over all pages, as nodes show them; one that all show alike is judged once."""

    def find(checked: Checked) -> Iterator[Found]:
        for page, markup in checked.documents:
            problems: list[Problem] = []
            with blame(problems.append, "page", page.page.key):
                problems += islice(rule(page, markup, checked), MOST_OF_A_ROW)
            yield from map(Found, problems)

    return find


def each_page_on_nodes(rule: PageRule) -> Finder:
    """A rule over each page on each node. What not all of a page's nodes have names its nodes."""

    def find(checked: Checked) -> Iterator[Found]:
        nodes: dict[Problem, set[str]] = {}
        shown: dict[Problem, set[str]] = {}
        showing: defaultdict[str, set[str]] = defaultdict(set)
        for page in checked.inspection.pages:
            showing[page.page.key].add(page.node)
        for page, markup in checked.pages:
            problems: list[Problem] = []
            with blame(problems.append, "page", page.page.key):
                problems += islice(rule(page, markup, checked), MOST_OF_A_ROW)
            for problem in problems:
                nodes.setdefault(problem, set()).add(page.node)
                shown.setdefault(problem, set()).update(showing[page.page.key])
        for problem, found in nodes.items():
            yield Found(problem, () if found == shown[problem] else tuple(sorted(found)))

    return find


def each_element(rule: ElementRule) -> Finder:
    """A rule over the elements of all pages that `Markup` holds."""

    def of_page(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Problem]:
        for element in markup.elements:
            yield from rule(element, page, checked)

    return each_page(of_page)
