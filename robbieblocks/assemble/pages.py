"""Turning rows into page plans: what every node has in common is worked out once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from robbieblocks.assemble.conditions import (
    ALWAYS,
    Condition,
    Context,
    boundaries,
    decide,
    parse,
)
from robbieblocks.assemble.fault import Fault
from robbieblocks.assemble.placeholders import has_placeholder, with_fallbacks
from robbieblocks.assemble.props import Contract, contract
from robbieblocks.assemble.routes import release_path, route_fault
from robbieblocks.assemble.values import checked_json
from robbieblocks.errors import Problem, Severity
from robbieblocks.model import (
    SHARED_APP,
    ZONES,
    AssembledBlock,
    AssembledPage,
    BlockRow,
    ComponentRow,
    Hydrate,
    Json,
    NodeRow,
    PageRow,
    Snapshot,
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

MAX_BLOCKS = 20_000
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_TITLE = 1_000
MAX_DESCRIPTION = 10_000
HYDRATE: tuple[Hydrate, ...] = get_args(Hydrate)


@dataclass(frozen=True, slots=True)
class Part:
    """A component as pages use it: its contract, or the problems that hold its pages back."""

    contract: Contract | None
    published: bool
    hydrate: Hydrate
    problems: tuple[Problem, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """An app's pages: plans of those without faults, and the problems of those held back.

    `problems` lists every problem once, warnings included; `held_back` gives, by page key, the
    errors that keep a page from being built, those of its components among them.
    """

    pages: tuple[PagePlan, ...]
    problems: tuple[Problem, ...]
    held_back: Mapping[str, tuple[Problem, ...]]


def assemble(
    snapshot: Snapshot, app: str, *, layouts: Collection[str], previous: Assembly | None = None
) -> Assembly:
    """The pages of one app, whatever the node, in the order of their keys.

    `layouts` are the names of the layouts there are. Plans of `previous` are taken over where
    neither the page's row nor what its components ask for has changed.
    """
    parts = _Parts(snapshot.components)
    known = {plan.key: plan for plan in previous.pages} if previous is not None else {}
    pages = sorted((page for page in snapshot.pages if page.app == app), key=lambda page: page.key)
    plans: list[PagePlan] = []
    problems: dict[Problem, None] = {}
    held_back: dict[str, tuple[Problem, ...]] = {}
    for row in pages:
        plan = known.get(row.key)
        if plan is None or not _still_holds(plan, row, parts, layouts):
            made = _Page(row, parts, layouts).plan()
            if not isinstance(made, PagePlan):
                held_back[row.key] = tuple(p for p in made if p.severity == "error")
                problems.update(dict.fromkeys(made))
                continue
            plan = made
        problems.update(dict.fromkeys(plan.warnings))
        plans.append(plan)
    return Assembly(pages=tuple(plans), problems=tuple(problems), held_back=held_back)


def _still_holds(plan: PagePlan, row: PageRow, parts: _Parts, layouts: Collection[str]) -> bool:
    return (
        plan.row == row
        and row.layout in layouts
        and all(
            old == parts.of(key) for key, old in zip(_component_keys(row), plan.parts, strict=True)
        )
    )


def _component_keys(row: PageRow) -> list[str]:
    return sorted({block.component for block in row.blocks})


def place(plan: PagePlan, node: NodeRow, *, now: datetime) -> AssembledPage:
    """The page as a node shows it at an instant: build-time and scheduled conditions are decided.

    Returns `plan.page` itself where nothing depends on either.
    """
    if not plan.guards:
        return plan.page
    app = plan.page.app
    context = Context(
        node=node.id,
        apps=frozenset(node.apps if app == SHARED_APP else (app,)),
        theme=node.theme,
        now=now,
    )
    blocks: list[AssembledBlock] = []
    changed = False
    for block in plan.page.blocks:
        verdict = decide(plan.guards.get(block.order, ALWAYS), context)
        if verdict is True:
            blocks.append(block)
            continue
        changed = True
        if verdict is not False:
            blocks.append(_for_visitor(block, verdict))
    return _with_blocks(plan.page, tuple(blocks)) if changed else plan.page


def _for_visitor(block: AssembledBlock, verdict: Json) -> AssembledBlock:
    return AssembledBlock(
        order=block.order,
        zone=block.zone,
        component=block.component,
        props=block.props,
        props_json=block.props_json,
        fill=block.fill,
        visitor=verdict,
        hydrate=block.hydrate,
    )


def _with_blocks(page: AssembledPage, blocks: tuple[AssembledBlock, ...]) -> AssembledPage:
    return AssembledPage(
        key=page.key,
        app=page.app,
        route=page.route,
        path=page.path,
        layout=page.layout,
        title=page.title,
        description=page.description,
        title_fill=page.title_fill,
        metadata=page.metadata,
        blocks=blocks,
    )


def due(plan: PagePlan, now: datetime) -> bool:
    """Whether the page shows yet: its `published_at` is not ahead."""
    published_at = plan.row.published_at
    return published_at is None or published_at <= now


def next_boundary(plans: Iterable[PagePlan], now: datetime) -> datetime | None:
    """The first instant after `now` at which a page comes out, or a condition changes."""
    ahead = (instant for plan in plans for instant in _instants(plan) if instant > now)
    return min(ahead, default=None)


def _instants(plan: PagePlan) -> Iterator[datetime]:
    if plan.row.published_at is not None:
        yield plan.row.published_at
    for guard in plan.guards.values():
        yield from boundaries(guard)


class _Parts:
    """The components of a snapshot, each checked when a page first uses it."""

    def __init__(self, components: Mapping[str, ComponentRow]) -> None:
        self._rows = components
        self._parts: dict[str, Part | None] = {}

    @property
    def keys(self) -> Iterable[str]:
        return self._rows.keys()

    def of(self, key: str) -> Part | None:
        """The component's part, or None where no row has the key."""
        if key not in self._parts:
            row = self._rows.get(key)
            self._parts[key] = _part(row) if row is not None else None
        return self._parts[key]


def _part(row: ComponentRow) -> Part:
    problems: list[Problem] = []

    def say(fault: Fault, place: str) -> None:
        problems.append(
            Problem(
                entity="component",
                key=shown(row.key),
                field=place,
                pointer=fault.pointer,
                what=fault.what,
                remedy=fault.remedy,
            )
        )

    wrong = name_fault(row.key, longest=KEY_LENGTH)
    if wrong:
        say(Fault("", f"the component's key {wrong}", NAME_REMEDY), "component_key")
    made = contract(row.props_schema)
    for fault in made if isinstance(made, tuple) else ():
        say(fault, "props_schema")
    hydrate: Hydrate = "load"
    if isinstance(row.metadata, dict):
        chosen = _hydrate(row.metadata.get("hydrate", "load"), "/hydrate")
        if isinstance(chosen, Fault):
            say(chosen, "metadata")
        else:
            hydrate = chosen
    else:
        say(Fault("", "metadata is not an object", "write an object, or {}"), "metadata")
    return Part(
        contract=made if isinstance(made, Contract) else None,
        published=row.published,
        hydrate=hydrate,
        problems=tuple(problems),
    )


def _hydrate(value: Json, at: str) -> Hydrate | Fault:
    for known in HYDRATE:
        if value == known:
            return known
    found = shown(value) if isinstance(value, str) else "what is no text"
    return Fault(at, f"expected when to hydrate, found {found}", f"known: {', '.join(HYDRATE)}")


class _Page:
    """Reads one page row, collecting all that is wrong with it.

    When a block hydrates is said in the component's `metadata.hydrate` (load, idle or visible; load
    where nothing is said), and for one block in the page's
    `metadata.blocks["<block_order>"].hydrate`.
    """

    def __init__(self, row: PageRow, parts: _Parts, layouts: Collection[str]) -> None:
        self._row = row
        self._parts = parts
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
        keys = _component_keys(row)
        return PagePlan(
            row=row,
            page=page,
            guards=self._guards,
            parts=tuple(part for key in keys if (part := self._parts.of(key)) is not None),
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
            chosen = _hydrate(settings["hydrate"], at + "/hydrate")
            if isinstance(chosen, Fault):
                self._say("metadata", chosen.what, chosen.remedy, chosen.pointer)
            else:
                self._hydrate[int(order)] = chosen

    def _blocks(self) -> Iterator[AssembledBlock]:
        rows = self._row.blocks
        if len(rows) > MAX_BLOCKS:
            self._say("blocks", f"the page has {len(rows):,} blocks", f"use at most {MAX_BLOCKS:,}")
            return
        orders = Counter(block.order for block in rows)
        for order, count in orders.items():
            if count > 1:
                self._say(
                    "block_order", f"{count} blocks have the order {order}", "number them apart"
                )
        for key in _component_keys(self._row):
            self._check_component(key)
        for row in sorted(rows, key=lambda block: block.order):
            block = self._block(row)
            if block is not None:
                yield block
        if self._bytes > MAX_PAGE_BYTES:
            what = f"the props of all blocks take {self._bytes:,} bytes as JSON"
            self._say("props", what, f"at most {MAX_PAGE_BYTES:,} are allowed on a page")

    def _check_component(self, key: str) -> None:
        part = self._parts.of(key)
        if part is not None and part.published:
            self._problems += part.problems
            return
        orders = [str(block.order) for block in self._row.blocks if block.component == key]
        listed = ", ".join(orders[:10]) + (", …" if len(orders) > 10 else "")
        where = f"block {listed}" if len(orders) == 1 else f"blocks {listed}"
        if part is None:
            what = f"{where}: there is no component `{shown(key)}`"
            self._say("component_id", what, nearest(key, self._parts.keys))
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
        if condition != ALWAYS:
            self._guards[row.order] = condition
        part = self._parts.of(row.component)
        if part is None or part.contract is None:
            return None
        ready = part.contract.ready(row.props)
        if isinstance(ready, tuple):
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
