"""All pages of an app, prepared, and each page as one node shows it at one instant."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
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
    changed_between,
    same,
    with_changed,
)
from robbieblocks.row_faults import blame

_KEY: Final = attrgetter("key")
_ROW_KEY: Final = attrgetter("row.key")
# Where a larger part of the pages is meant, looking at all of them is as quick.
_PART: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The pages of one app that are without errors, and the problems of the others.

    `problems` lists every problem once, warnings included. `held_back` maps the key of each page
    that can't be built to its errors and those of its components; `stand_ins` are those of them
    that stand for all pages of a collection, which no row of a page can pass for. `placed` maps
    each component that the pages place to the number of those pages. `components` are the rows
    that the pages were checked against, `layouts` the names of the layouts, `media` what pages can
    show. `routes` are those to which a page may link by key, or None where none has such a link;
    `linked_abroad` has by page the keys that its texts name of pages which are none of the app.
    `given` are the rows of all apps that it was made of, `rows` those of this one, by key.
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
    given: Sequence[PageRow] = field(default=(), repr=False, compare=False)
    linked_abroad: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    rows: Sequence[PageRow] = field(default=(), repr=False, compare=False)
    found: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]], repr=False, compare=False
    )


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
    of its components, of `media` and of other pages' routes has changed; those that were held back
    are read anew.
    """
    previous = previous or Assembly(pages=(), problems=(), held_back={})
    linked = LinkedPages(snapshot.pages, app)
    given = _Given(
        previous,
        CheckedComponents(snapshot.components),
        snapshot.components,
        frozenset(layouts),
        media,
        linked,
        forms,
        previous.routes is not None and previous.routes != linked.all_routes(),
    )
    gone, come = (
        [page for page in part if page.app == app]
        for part in changed_between(previous.given, snapshot.pages)
    )
    rows = with_changed(previous.rows, gone, come, _KEY)
    again = {row.key: row for row in come}
    keys = {*again, *map(_KEY, gone)}
    # What holds a page back may be this machine's fault, which has passed meanwhile.
    doubtful = [row for row in rows if row.key in previous.held_back] if previous.held_back else []
    if not given.is_as_before:
        doubtful += [page.row for page in given.doubtful()]
    again |= {row.key: row for row in doubtful if row.key not in keys}
    keys.update(again)
    known = _among(previous.pages, keys)
    placed, held_back = Counter(previous.placed), dict(previous.held_back)
    stand_ins, found = set(previous.stand_ins), dict(previous.found)
    linked_abroad = dict(previous.linked_abroad)
    left: list[PreparedPage] = []
    new: list[PreparedPage] = []
    for key in sorted(keys):
        page, row = known.get(key), again.get(key)
        if page is not None and row is not None and _still_holds(page, row, given):
            continue
        held_back.pop(key, None)
        stand_ins.discard(key)
        linked_abroad.pop(key, None)
        problems: tuple[Problem, ...] = ()
        if page is not None:
            left.append(page)
            placed.subtract(component_keys(page.row))
        if row is not None:
            read, abroad = _read(row, given)
            if abroad:
                linked_abroad[key] = abroad
            if isinstance(read, PreparedPage):
                new.append(read)
                placed.update(component_keys(row))
                problems = read.warnings
            else:
                held_back[key] = tuple(p for p in read if p.severity == "error")
                problems = read
                if row.made is not None and not row.made.row.key:
                    stand_ins.add(key)
        found.pop(key, None)
        if problems:
            found[key] = problems
    return Assembly(
        pages=tuple(with_changed(previous.pages, left, new, _ROW_KEY))
        if left or new
        else previous.pages,
        problems=tuple(dict.fromkeys(chain.from_iterable(found[key] for key in sorted(found)))),
        held_back=held_back,
        stand_ins=frozenset(stand_ins),
        placed=+placed,
        components=snapshot.components,
        layouts=given.layouts,
        media=media,
        routes=linked.routes,
        given=snapshot.pages,
        linked_abroad=linked_abroad,
        rows=rows,
        found=found,
    )


def _among(pages: Sequence[PreparedPage], keys: Collection[str]) -> dict[str, PreparedPage]:
    """Those of the pages, which are sorted by key, that have these keys."""
    if len(keys) * _PART > len(pages):
        return {page.row.key: page for page in pages if page.row.key in keys}
    places = ((key, bisect_left(pages, key, key=_ROW_KEY)) for key in keys)
    return {
        key: pages[place]
        for key, place in places
        if place < len(pages) and pages[place].row.key == key
    }


@dataclass(frozen=True, slots=True)
class _Given:
    """What the pages of an app are read with, and what was made with `previous`."""

    previous: Assembly
    components: CheckedComponents
    component_rows: Mapping[str, ComponentRow]
    layouts: frozenset[str]
    media: MediaLibrary
    linked: LinkedPages
    forms: Mapping[str, str]
    has_other_routes: bool

    @property
    def has_same_components(self) -> bool:
        return same(self.previous.components, self.component_rows)

    @property
    def is_as_before(self) -> bool:
        """Whether a page of an unchanged row is what it was."""
        return (
            self.has_same_components
            and self.previous.layouts == self.layouts
            and same(self.previous.media, self.media)
            and not self.has_other_routes
        )

    def doubtful(self) -> Iterator[PreparedPage]:
        """The pages that may differ although their rows don't."""
        previous, now = self.previous, self.component_rows
        before = previous.components
        changed = {key for key in before.keys() | now if before.get(key) is not now.get(key)}
        all_differ = previous.layouts != self.layouts
        media_differ = not same(previous.media, self.media)
        for page in previous.pages:
            if (
                all_differ
                or (media_differ and page.page.media)
                or (self.has_other_routes and page.page.links)
                or any(block.component in changed for block in page.row.blocks)
            ):
                yield page


def _read(row: PageRow, given: _Given) -> tuple[PreparedPage | tuple[Problem, ...], frozenset[str]]:
    """A page, or its problems, and the keys that its texts name of pages of other apps."""
    faults: list[Problem] = []
    with blame(faults.append, "page", row.key):
        reader = PageReader(
            row, given.components, given.layouts, given.media, given.linked, given.forms
        )
        return reader.read(), reader.linked_abroad
    return tuple(faults), frozenset()


def _still_holds(page: PreparedPage, row: PageRow, given: _Given) -> bool:
    """Whether reading the row would give this page again."""
    if row.layout not in given.layouts or not (same(page.row, row) or page.row.is_equal(row)):
        return False
    if any(given.media.media.get(each.key) != each for each in page.page.media):
        return False
    if any(given.linked.route(key) != route for key, route in page.page.links):
        return False
    if given.has_same_components:
        return True
    used = zip(component_keys(row), page.components, strict=True)
    return all(checked == given.components.of(key) for key, checked in used)


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
