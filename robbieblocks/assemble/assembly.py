"""All pages of an app, prepared, and each page as one node shows it at one instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from robbieblocks.assemble.components import CheckedComponents
from robbieblocks.assemble.conditions.operators import ALWAYS, Context, boundaries, decide
from robbieblocks.assemble.forms.form_props import NO_FORMS
from robbieblocks.assemble.pages import PageReader, PreparedPage, component_keys
from robbieblocks.assemble.props.page_links import LinkedPages
from robbieblocks.errors import Problem
from robbieblocks.model import (
    NO_MEDIA,
    SHARED_APP,
    AssembledBlock,
    AssembledPage,
    ComponentRow,
    MediaLibrary,
    NodeRow,
    PageRow,
    Snapshot,
    same,
)
from robbieblocks.row_faults import blame

_KEY: Final = attrgetter("key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The pages of one app that are without errors, and the problems of the others.

    `problems` lists every problem once, warnings included. `held_back` maps the key of each page
    that can't be built to its errors and those of its components; `stand_ins` are those of them
    that stand for all pages of a collection, which no row of a page can pass for. `placed` maps
    each component that the pages place to the number of those pages. `components` are the rows
    that the pages were checked against, `layouts` the names of the layouts, `media` what pages can
    show. `routes` are those to which a page may link by key, or None where none has such a link.
    """

    pages: tuple[PreparedPage, ...]
    problems: tuple[Problem, ...]
    held_back: Mapping[str, tuple[Problem, ...]]
    stand_ins: frozenset[str] = frozenset()
    placed: Mapping[str, int] = field(default_factory=dict[str, int])
    components: Mapping[str, ComponentRow] = field(
        default_factory=dict[str, ComponentRow], repr=False, compare=False
    )
    layouts: frozenset[str] = frozenset()
    media: MediaLibrary = field(default=NO_MEDIA, repr=False, compare=False)
    routes: Mapping[str, str] | None = field(default=None, repr=False, compare=False)


def assemble(
    snapshot: Snapshot,
    app: str,
    *,
    layouts: Collection[str],
    media: MediaLibrary = NO_MEDIA,
    forms: Mapping[str, str] = NO_FORMS,
    previous: Assembly | None = None,
) -> Assembly:
    """Read and check the pages of one app, for any node, in the order of their keys.

    `layouts` are the names of the layouts, `forms` has the address of each form by its name, the
    same in each call. Pages of `previous` are reused where neither the page's row nor what it uses
    of its components, of `media` and of other pages' routes has changed.
    """
    linked = LinkedPages(snapshot.pages, app)
    components = CheckedComponents(snapshot.components)
    layout_names = frozenset(layouts)
    # Of these, what is left in the end was read anew, or is gone.
    known = {page.row.key: page for page in previous.pages} if previous is not None else {}
    placed = Counter(previous.placed if previous is not None else {})
    same_components = previous is not None and same(previous.components, snapshot.components)
    same_inputs = (
        same_components
        and previous is not None
        and previous.layouts == layout_names
        and same(previous.media, media)
        and (previous.routes is None or previous.routes == linked.all_routes())
    )
    rows = sorted([page for page in snapshot.pages if page.app == app], key=_KEY)
    pages: list[PreparedPage] = []
    problems: dict[Problem, None] = {}
    held_back: dict[str, tuple[Problem, ...]] = {}
    stand_ins: set[str] = set()
    for row in rows:
        page = known.get(row.key)
        if page is None or not (
            (same_inputs and same(page.row, row))
            or _still_holds(
                page, row, None if same_components else components, layout_names, media, linked
            )
        ):
            read = _read(row, components, layout_names, media, linked, forms)
            if not isinstance(read, PreparedPage):
                held_back[row.key] = tuple(p for p in read if p.severity == "error")
                problems.update(dict.fromkeys(read))
                if row.made is not None and not row.made.row.key:
                    stand_ins.add(row.key)
                continue
            page = read
            placed.update(component_keys(row))
        else:
            del known[row.key]
        if page.warnings:
            problems.update(dict.fromkeys(page.warnings))
        pages.append(page)
    for page in known.values():
        placed.subtract(component_keys(page.row))
    return Assembly(
        pages=tuple(pages),
        problems=tuple(problems),
        held_back=held_back,
        stand_ins=frozenset(stand_ins),
        placed=+placed,
        components=snapshot.components,
        layouts=layout_names,
        media=media,
        routes=linked.routes,
    )


def _read(
    row: PageRow,
    components: CheckedComponents,
    layouts: Collection[str],
    media: MediaLibrary,
    linked: LinkedPages,
    forms: Mapping[str, str],
) -> PreparedPage | tuple[Problem, ...]:
    faults: list[Problem] = []
    with blame(faults.append, "page", row.key):
        return PageReader(row, components, layouts, media, linked, forms).read()
    return tuple(faults)


def _still_holds(
    page: PreparedPage,
    row: PageRow,
    components: CheckedComponents | None,
    layouts: Collection[str],
    media: MediaLibrary,
    linked: LinkedPages,
) -> bool:
    """Whether reading the row would give this page again.

    `components` is None where the components are known to be unchanged.
    """
    if row.layout not in layouts or not (same(page.row, row) or page.row.is_equal(row)):
        return False
    if any(media.media.get(each.key) != each for each in page.page.media):
        return False
    if any(linked.route(key) != route for key, route in page.page.links):
        return False
    if components is None:
        return True
    used = zip(component_keys(row), page.components, strict=True)
    return all(checked == components.of(key) for key, checked in used)


def page_on_node(page: PreparedPage, node: NodeRow, *, now: datetime) -> AssembledPage:
    """The page as a node shows it at an instant, with build-time and scheduled conditions decided.

    Returns the very object `page.page` where no condition changes it.
    """
    if not page.conditions:
        return page.page
    app = page.page.app
    context = Context(
        node=node.id,
        apps=frozenset(node.apps if app == SHARED_APP else (app,)),
        theme=node.theme,
        now=now,
    )
    blocks: list[AssembledBlock] = []
    changed = False
    for block in page.page.blocks:
        verdict = decide(page.conditions.get(block.order, ALWAYS), context)
        if verdict is True:
            blocks.append(block)
            continue
        changed = True
        if verdict is not False:
            blocks.append(block._replace(visitor=verdict))
    return replace(page.page, blocks=tuple(blocks)) if changed else page.page


def is_due(page: PreparedPage, now: datetime) -> bool:
    """Whether the page's `published_at` has come; without one it is always due."""
    published_at = page.row.published_at
    return published_at is None or published_at <= now


def boundaries_of(page: PreparedPage, block_order: int) -> list[datetime]:
    """The instants at which the conditions of a page's block change."""
    condition = page.conditions.get(block_order)
    return list(boundaries(condition)) if condition is not None else []


def next_boundary(
    pages: Collection[PreparedPage], now: datetime, frame: datetime | None = None
) -> datetime | None:
    """The first instant after `now` at which a page becomes due or a condition changes.

    `frame` is that at which a frame becomes due.
    """
    instants = [at for page in pages if (at := page.row.published_at) is not None]
    instants += [frame] if frame is not None else []
    for page in [page for page in pages if page.conditions]:
        for condition in page.conditions.values():
            instants += boundaries(condition)
    return min([instant for instant in instants if instant > now], default=None)
