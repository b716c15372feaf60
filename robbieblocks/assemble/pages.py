"""One page row, read and checked: what every node has in common is worked out once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from robbieblocks.assemble.components import Part, Parts, hydrate_of
from robbieblocks.assemble.conditions import ALWAYS, Condition, parse
from robbieblocks.assemble.fault import Fault
from robbieblocks.assemble.placeholders import has_placeholder, with_fallbacks
from robbieblocks.assemble.props import ReadyProps
from robbieblocks.assemble.routes import release_path, route_fault
from robbieblocks.assemble.values import checked_json
from robbieblocks.errors import Problem, Severity
from robbieblocks.model import (
    ZONES,
    AssembledBlock,
    AssembledPage,
    BlockRow,
    Hydrate,
    Json,
    PageRow,
)
from robbieblocks.names import (
    KEY_LENGTH,
    NAME_REMEDY,
    app_fault,
    name_fault,
    nearest,
    pointer,
    shown,
    text_fault,
)

_ORDER = attrgetter("order")

MAX_BLOCKS = 20_000
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_TITLE = 1_000
MAX_DESCRIPTION = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePlan:
    """A page without faults, for every node.

    `page` holds all blocks; `guards` the conditions of those that have any, by block order.
    `parts` are the components it was checked against, and `warnings` what an editor may want to
    know of it.
    """

    row: PageRow
    page: AssembledPage
    guards: Mapping[int, Condition] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def key(self) -> str:
        """The page's key."""
        return self.page.key


def component_keys(row: PageRow) -> list[str]:
    """The keys of the components that a page places, sorted, each once."""
    return sorted({block.component for block in row.blocks})


class PageReader:
    """Reads one page row, collecting all that is wrong with it.

    When a block hydrates is said in the component's `metadata.hydrate` (load, idle or visible; load
    where nothing is said), and for one block in the page's
    `metadata.blocks["<block_order>"].hydrate`.
    """

    def __init__(self, row: PageRow, parts: Parts, layouts: Collection[str]) -> None:
        self._row = row
        self._keys = parts.keys
        self._placed = {key: parts.of(key) for key in component_keys(row)}
        self._layouts = layouts
        self._problems: list[Problem] = []
        self._guards: dict[int, Condition] = {}
        self._hydrate: dict[int, Hydrate] = {}
        self._bytes = 0

    def plan(self) -> PagePlan | tuple[Problem, ...]:
        """The page's plan, or its problems where one of them is an error."""
        row = self._row
        self._check_names()
        self._check_texts()
        self._read_metadata()
        blocks = tuple(self._blocks())
        if any(problem.severity == "error" for problem in self._problems):
            return tuple(self._problems)
        title = row.meta_title or row.name
        page = AssembledPage(
            key=row.key,
            app=row.app,
            route=row.route,
            path=release_path(row.route),
            layout=row.layout,
            title=_line(with_fallbacks(title)) or _line(row.name),
            description=_line(with_fallbacks(row.meta_description or "")),
            title_fill=_line(title) if has_placeholder(title) else None,
            metadata=row.metadata,
            blocks=blocks,
        )
        return PagePlan(
            row=row,
            page=page,
            guards=self._guards,
            parts=tuple(part for part in self._placed.values() if part is not None),
            warnings=tuple(self._problems),
        )

    def _say(
        self, field_name: str, what: str, remedy: str, at: str = "", severity: Severity = "error"
    ) -> None:
        self._problems.append(
            Problem(
                entity="page",
                key=shown(self._row.key),
                field=field_name,
                what=what,
                remedy=remedy,
                pointer=at,
                severity=severity,
            )
        )

    def _check_names(self) -> None:
        row = self._row
        wrong = name_fault(row.key, longest=KEY_LENGTH)
        if wrong:
            self._say("page_key", f"the page's key {wrong}", NAME_REMEDY)
        wrong = app_fault(row.app)
        if wrong:
            self._say("app_namespace", f"the app's name {wrong}", NAME_REMEDY)
        if row.layout not in self._layouts:
            what = f"unknown layout `{shown(row.layout)}`"
            self._say("layout_template", what, f"known: {', '.join(sorted(self._layouts))}")
        fault = route_fault(row.route)
        if fault is not None:
            self._say("page_route", *fault)

    def _check_texts(self) -> None:
        row = self._row
        for name, text, most in (
            ("page_name", row.name, MAX_TITLE),
            ("meta_title", row.meta_title or "", MAX_TITLE),
            ("meta_description", row.meta_description or "", MAX_DESCRIPTION),
        ):
            wrong = text_fault(text)
            if wrong:
                self._say(name, f"the text {wrong}", "remove it")
            if len(text) > most:
                self._say(name, f"has {len(text):,} characters", f"use at most {most:,}")
        if not _line(row.name) and not _line(with_fallbacks(row.meta_title or "")):
            self._say("page_name", "the page has no title", "set page_name or meta_title")

    def _read_metadata(self) -> None:
        metadata: Json = self._row.metadata
        if metadata == {}:
            return
        found = checked_json(metadata)
        if isinstance(found, tuple):
            for fault in found:
                self._say("metadata", fault.what, fault.remedy, fault.pointer)
            return
        if not isinstance(metadata, dict):
            self._say("metadata", "metadata is not an object", "write an object, or {}")
            return
        blocks = metadata.get("blocks", {})
        if not isinstance(blocks, dict):
            self._say(
                "metadata", "expected an object", 'such as {"2": {"hydrate": "visible"}}', "/blocks"
            )
            return
        orders = {str(block.order) for block in self._row.blocks}
        for order, settings in blocks.items():
            self._read_block_metadata(order, settings, known=order in orders)

    def _read_block_metadata(self, order: str, settings: Json, *, known: bool) -> None:
        at = pointer("blocks", shown(order))
        if not known:
            what = f"the page has no block {shown(order)}"
            self._say("metadata", what, "drop the entry", at, "warning")
        elif not isinstance(settings, dict) or not settings.keys() <= {"hydrate"}:
            self._say("metadata", "expected an object with hydrate", '{"hydrate": "visible"}', at)
        elif "hydrate" in settings:
            chosen = hydrate_of(settings["hydrate"], at + "/hydrate")
            if isinstance(chosen, Fault):
                self._say("metadata", chosen.what, chosen.remedy, chosen.pointer)
            else:
                self._hydrate[int(order)] = chosen

    def _blocks(self) -> Iterator[AssembledBlock]:
        rows = self._row.blocks
        if len(rows) > MAX_BLOCKS:
            self._say("blocks", f"the page has {len(rows):,} blocks", f"use at most {MAX_BLOCKS:,}")
            return
        self._check_orders([block.order for block in rows])
        for key, part in self._placed.items():
            self._check_component(key, part)
        for row in sorted(rows, key=_ORDER):
            block = self._block(row)
            if block is not None:
                yield block
        if self._bytes > MAX_PAGE_BYTES:
            what = f"the props of all blocks take {self._bytes:,} bytes as JSON"
            self._say("props", what, f"at most {MAX_PAGE_BYTES:,} are allowed on a page")

    def _check_orders(self, orders: Collection[int]) -> None:
        if len(set(orders)) == len(orders):
            return
        for order, count in Counter(orders).items():
            if count > 1:
                self._say(
                    "block_order", f"{count} blocks have the order {order}", "number them apart"
                )

    def _check_component(self, key: str, part: Part | None) -> None:
        if part is not None and part.published:
            self._problems += part.problems
            return
        orders = [str(block.order) for block in self._row.blocks if block.component == key]
        listed = ", ".join(orders[:10]) + (", …" if len(orders) > 10 else "")
        where = f"block {listed}" if len(orders) == 1 else f"blocks {listed}"
        if part is None:
            what = f"{where}: there is no component `{shown(key)}`"
            self._say("component_id", what, nearest(key, self._keys))
        else:
            what = f"{where}: the component {shown(key)} is not published"
            self._say("component_id", what, "set its is_published, or take the block away")

    def _block(self, row: BlockRow) -> AssembledBlock | None:
        if row.zone not in ZONES:
            what = f"unknown zone `{shown(row.zone)}`"
            self._blame(row, "zone", Fault("", what, f"known: {', '.join(ZONES)}"))
        condition, wrong = parse(row.conditions)
        for fault in wrong:
            self._blame(row, "conditions", fault)
        if condition is not ALWAYS:
            self._guards[row.order] = condition
        part = self._placed[row.component]
        if part is None or part.contract is None:
            return None
        ready = part.contract.ready(row.props)
        if not isinstance(ready, ReadyProps):
            for fault in ready:
                self._blame(row, "props", fault)
            return None
        self._bytes += len(ready.json)
        return AssembledBlock(
            order=row.order,
            zone=row.zone,
            component=row.component,
            props=ready.value,
            props_json=ready.json,
            fill=ready.fill,
            hydrate=self._hydrate.get(row.order, part.hydrate),
        )

    def _blame(self, row: BlockRow, field_name: str, fault: Fault) -> None:
        self._problems.append(
            Problem(
                entity="component",
                key=shown(row.component),
                page=shown(self._row.key),
                block=row.order,
                field=field_name,
                pointer=fault.pointer,
                what=fault.what,
                remedy=fault.remedy,
            )
        )


def _line(text: str) -> str:
    """A text on one line: titles and descriptions stand in attributes and tabs."""
    return " ".join(text.split())
