"""Collects what is wrong with one page row and its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from robbieblocks.assemble.components import CheckedComponent
from robbieblocks.assemble.origins import largest_taken, of_page, origin_of
from robbieblocks.assemble.props.problems import DEFAULT_FITTING, FITTING
from robbieblocks.assemble.values import ValueProblem, is_too_large
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import printable
from robbieblocks.model import BlockRow, PageRow, same
from robbieblocks.row_faults import blame

MAX_PAGE_PROBLEMS = 20_000


class PageProblems:
    """The problems of one page; of very many the first, an error among them where there is one.

    `wrong` says that there is an error. `components` are those of its blocks: what is wrong with a
    default of a schema is a problem of that.
    """

    def __init__(
        self, row: PageRow, components: Mapping[str, CheckedComponent | None] = MappingProxyType({})
    ) -> None:
        self._row = row
        self._components = components
        self.found: list[Problem] = []
        self.wrong = False

    @property
    def enough(self) -> bool:
        """Whether there are so many that reading more of the page is of no use."""
        return self.wrong and len(self.found) >= MAX_PAGE_PROBLEMS

    def add(
        self, field: str, what: str, remedy: str, at: str = "", severity: Severity = "error"
    ) -> None:
        """Collect a problem of the page's own row."""
        problem = ValueProblem(at, what, remedy)
        self._collect(of_page(self._row, field, problem, severity=severity))

    def add_value(self, field: str, problem: ValueProblem) -> None:
        """Collect a problem with a value of the page's own row."""
        self.add(field, problem.what, problem.remedy, problem.pointer)

    def add_to_block(
        self, block: BlockRow, field: str, problem: ValueProblem, severity: Severity = "error"
    ) -> None:
        """Collect a problem of one block."""
        self._collect(replace(self.of_block(block, field, problem), severity=severity))

    def of_block(self, block: BlockRow, field: str, problem: ValueProblem) -> Problem:
        """A problem of one block, which is not collected; of the row whose value is wrong."""
        entity, key = self._place(block)
        origin = None
        if field == "props" and block.taken:
            origin = origin_of(block, problem.pointer)
            if is_too_large(problem):
                problem, origin = largest_taken(block, problem)
            if origin is not None:
                entity, key, field, pointer = origin
                problem = replace(problem, pointer=pointer)
                if problem.remedy == FITTING:
                    component = printable(block.component)
                    remedy = f"store one that fits there, or change props_schema of {component}"
                    problem = replace(problem, remedy=remedy)
        if field == "props" and origin is None:
            field, problem = self._of_default(block, problem)
        return problem.in_row(entity, key, field, page=self._page_of(block), block=block.own_order)

    def _of_default(self, block: BlockRow, problem: ValueProblem) -> tuple[str, ValueProblem]:
        """The field of a component that a problem of a block's props is in, and that problem."""
        component = self._components.get(block.component)
        schema = component.schema if component is not None else None
        pointer = problem.pointer
        place = schema.default_at(block.props, pointer) if schema is not None and pointer else None
        if place is None:
            return "props", problem
        what = f"the default of {pointer}: {problem.what}"
        remedy = DEFAULT_FITTING if problem.remedy == FITTING else problem.remedy
        return "props_schema", replace(problem, what=what, remedy=remedy, pointer=place)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Collect problems of a component that the page places."""
        for problem in problems:
            self._collect(problem)

    def blame(self, block: BlockRow, field: str, pointer: str = "") -> blame:
        """Within it, what a library raises becomes a problem of the block."""
        entity, key = self._place(block)
        origin = origin_of(block, pointer) if field == "props" and block.taken else None
        if origin is not None:
            entity, key, field, pointer = origin
        return blame(
            self._collect,
            entity,
            key,
            field,
            pointer=pointer,
            page=self._page_of(block),
            block=block.own_order,
        )

    def _page_of(self, block: BlockRow) -> str:
        """The key of the row that has the block; all parts of a list have those of its page.

        A page that is made of a row is named itself where the row has a part in the block's props.
        """
        row = self._row
        if row.made is not None and not block.frame:
            stated = (each.props for each in row.made.template.blocks if each.order == block.order)
            return row.row_key if any(map(same, stated, (block.props,))) else row.part_of or row.key
        return block.frame or row.row_key

    def _place(self, block: BlockRow) -> tuple[str, str]:
        """What names a block: its component, or the page where its component_id is null."""
        if block.component:
            return "component", block.component
        return "page", self._row.key if self._row.made is None else self._row.row_key

    def _collect(self, problem: Problem) -> None:
        is_first_error = problem.severity == "error" and not self.wrong
        if is_first_error or len(self.found) < MAX_PAGE_PROBLEMS:
            self.found.append(problem)
            self.wrong = self.wrong or is_first_error
