"""Reads and checks one page row, as far as the result is the same on every node."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter

from robbieblocks.assemble.components import CheckedComponent, CheckedComponents
from robbieblocks.assemble.conditions.operators import ALWAYS, Condition
from robbieblocks.assemble.conditions.reading import parse
from robbieblocks.assemble.forms.form_props import PageForms
from robbieblocks.assemble.page_fields import check_names, check_texts, hydration, on_one_line
from robbieblocks.assemble.page_problems import PageProblems
from robbieblocks.assemble.page_settings import language_of, settings_of
from robbieblocks.assemble.placeholders import has_placeholder, placeholder_doubts, with_fallbacks
from robbieblocks.assemble.props.embeds import Embed
from robbieblocks.assemble.props.media_props import PageMedia
from robbieblocks.assemble.props.page_links import LinkedPages, PageLinks
from robbieblocks.assemble.props.preparing import ReadyProps
from robbieblocks.assemble.props.texts_of_page import TextsOfPage
from robbieblocks.assemble.routes import release_path
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import did_you_mean, listed, printable
from robbieblocks.model import (
    ZONES,
    AssembledBlock,
    AssembledPage,
    BlockRow,
    Hydrate,
    JsonObject,
    Media,
    MediaLibrary,
    PageRow,
)

_ORDER = attrgetter("order")

MAX_BLOCKS = 20_000
MAX_PAGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPage:
    """A page without errors, the same for every node.

    `page` holds all blocks. `conditions` maps the orders of the blocks that have conditions to
    them. `components` are the components that the page was checked against, sorted by key. `embeds`
    are the frames of its blocks, which a node may refuse.
    """

    row: PageRow
    page: AssembledPage
    conditions: Mapping[int, Condition] = field(default_factory=dict[int, Condition])
    components: tuple[CheckedComponent, ...] = ()
    warnings: tuple[Problem, ...] = ()
    embeds: tuple[Embed, ...] = ()

    @property
    def key(self) -> str:
        """The page's key."""
        return self.page.key


def component_keys(row: PageRow) -> list[str]:
    """The keys of the components that a page places, sorted, each once."""
    return sorted({block.component for block in row.blocks})


def title_of(row: PageRow) -> str:
    """A page's title on one line, with the fallbacks of its placeholders."""
    return on_one_line(with_fallbacks(row.meta_title or row.name)) or on_one_line(row.name)


class PageReader:
    """Reads one page row and collects all that is wrong with it.

    A component's `metadata.hydrate` says when its blocks hydrate: load (the default), idle,
    visible or never. The page's `metadata.blocks["<block_order>"].hydrate` overrides it for one.
    """

    def __init__(
        self,
        row: PageRow,
        components: CheckedComponents,
        layouts: Collection[str],
        media: MediaLibrary,
        pages: LinkedPages,
        forms: Mapping[str, str],
    ) -> None:
        self._row = row
        self._forms = PageForms(forms, row.part_of or row.key)
        self._texts = TextsOfPage(PageMedia(media), PageLinks(pages), self._forms)
        self._known_keys = components.keys
        self._placed = {key: components.of(key) for key in component_keys(row)}
        self._layouts = layouts
        self._problems = PageProblems(row, self._placed)
        self._conditions: dict[int, Condition] = {}
        self._hydrate: dict[int, Hydrate] = {}
        self._props_bytes = 0

    @property
    def linked_abroad(self) -> frozenset[str]:
        """The keys that the page's texts name of pages which are none of its app, once it is read:
        some of them where it has an error.
        """
        return frozenset(self._texts.links.abroad)

    def read(self) -> PreparedPage | tuple[Problem, ...]:
        """The page, or its problems (warnings too) where one of them is an error."""
        row = self._row
        self._problems.extend(row.faults)
        if row.made is not None and self._problems.wrong:
            return tuple(self._problems.found)
        check_names(row, self._layouts, self._problems)
        check_texts(row, self._problems)
        self._hydrate = hydration(row, self._problems)
        blocks = tuple(self._blocks())
        settings, wrong = settings_of(row)
        for problem in wrong:
            self._problems.add_value("metadata", problem)
        image = self._image()
        if self._problems.wrong:
            return tuple(self._problems.found)
        title = row.meta_title or row.name
        page = AssembledPage(
            key=row.key,
            app=row.app,
            route=row.route,
            path=release_path(row.route),
            layout=row.layout,
            title=title_of(row),
            description=on_one_line(with_fallbacks(row.meta_description or "")),
            title_fill=on_one_line(title) if has_placeholder(title) else None,
            metadata=self._metadata(),
            blocks=blocks,
            media=tuple([found for _, found in sorted(self._texts.media.found.items())]),
            links=tuple(sorted(self._texts.links.found.items())),
            image=image,
            feed=row.feed,
            settings=settings,
            lang=language_of(row.metadata, row.default_lang),
            translations=row.translations,
        )
        return PreparedPage(
            row=row,
            page=page,
            conditions=self._conditions,
            components=tuple(c for c in self._placed.values() if c is not None),
            warnings=tuple(self._problems.found),
            embeds=tuple(self._texts.embeds),
        )

    def _metadata(self) -> JsonObject:
        """The row's metadata, where its forms may be sent added."""
        metadata = self._row.metadata if isinstance(self._row.metadata, dict) else {}
        if not self._forms.origins:
            return metadata
        given = metadata.get("form_action")
        listed = given if isinstance(given, list) else []
        return {**metadata, "form_action": [*listed, *self._forms.origins]}

    def _image(self) -> Media | None:
        metadata = self._row.metadata
        named = metadata.get("og_image") if isinstance(metadata, dict) else None
        found = self._texts.media.shared(named)
        if isinstance(found, ValueProblem):
            self._problems.add("metadata", found.what, found.remedy, "/og_image")
            return None
        return found

    def _blocks(self) -> Iterator[AssembledBlock]:
        rows = self._row.blocks
        if len(rows) > MAX_BLOCKS:
            self._problems.add(
                "blocks", f"the page has {len(rows):,} blocks", f"use at most {MAX_BLOCKS:,}"
            )
            return
        for order, count in Counter(block.order for block in rows).items():
            if count > 1:
                what = f"{count} blocks have the order {order}"
                self._problems.add("block_order", what, "number them apart")
        self._check_components()
        for row in sorted(rows, key=_ORDER):
            if self._problems.enough:
                return
            if (block := self._block(row)) is not None:
                yield block
        if self._props_bytes > MAX_PAGE_BYTES:
            what = f"the props of all blocks take {self._props_bytes:,} bytes as JSON"
            self._problems.add("props", what, f"at most {MAX_PAGE_BYTES:,} are allowed on a page")

    def _check_components(self) -> None:
        orders = defaultdict[str, list[str]](list)
        for block in self._row.blocks:
            of_frame = f" of frame {printable(block.frame)}" if block.frame else ""
            orders[block.component].append(f"{block.own_order}{of_frame}")
        for key, component in self._placed.items():
            if not self._problems.enough:
                self._check_component(key, component, orders[key])

    def _check_component(
        self, key: str, component: CheckedComponent | None, orders: Sequence[str]
    ) -> None:
        if component is not None and component.published and not component.module:
            self._problems.extend(component.problems)
            return
        where = f"block {orders[0]}" if len(orders) == 1 else f"blocks {listed(orders, 10)}"
        if component is None and not key:
            what = f"{where}: component_id is null, so there is nothing to show"
            self._problems.add(
                "component_id", what, "set it to the id of a component, or delete the block"
            )
        elif component is None:
            what = f"{where}: there is no component `{printable(key)}`"
            self._problems.add("component_id", what, did_you_mean(key, self._known_keys))
        elif component.module:
            what = f"{where}: {printable(key)} is a module: components import it, it shows nothing"
            self._problems.add("component_id", what, "place a component that imports it")
        else:
            what = f"{where}: the component {printable(key)} is not published"
            self._problems.add("component_id", what, "set its is_published, or take the block away")

    def _read_conditions(self, row: BlockRow) -> None:
        with self._problems.blame(row, "conditions"):
            condition, wrong = parse(row.conditions)
            for problem in wrong:
                self._problems.add_to_block(row, "conditions", problem)
            if condition is not ALWAYS:
                self._conditions[row.order] = condition

    def _unexplained(
        self, row: BlockRow, problems: Iterable[ValueProblem]
    ) -> Iterator[ValueProblem]:
        """Those problems of a block's props that do not follow from one of its references: there is
        null in place of a value that is not there.
        """
        known = [
            fault.pointer
            for fault in self._row.faults
            if fault.block == row.own_order and fault.field == "props" and fault.pointer
        ]
        for problem in problems:
            if not any(f"{problem.pointer}/".startswith(f"{at}/") for at in known):
                yield problem

    def _block(self, row: BlockRow) -> AssembledBlock | None:
        if row.zone not in ZONES:
            what = f"unknown zone `{printable(row.zone)}`"
            self._problems.add_to_block(
                row, "zone", ValueProblem("", what, f"known: {', '.join(ZONES)}")
            )
        if row.conditions != {}:
            self._read_conditions(row)
        component = self._placed[row.component]
        if component is None or component.schema is None:
            return None
        self._texts.media.condition = self._conditions.get(row.order, ALWAYS)
        ready: ReadyProps | tuple[ValueProblem, ...] = ()
        with self._problems.blame(row, "props"):
            ready = component.schema.ready(row.props, self._texts.budget)
        stated = ""
        if isinstance(ready, ReadyProps) and any(ready.places):
            # A process that meets no Markdown has no use for its parser.
            from robbieblocks.assemble.props.markdown_props import replaced_props

            before = ready.json
            ready = replaced_props(ready, row, self._problems, self._texts)
            stated = before if self._texts.name_others else ""
        if not isinstance(ready, ReadyProps):
            for problem in self._unexplained(row, ready):
                self._problems.add_to_block(row, "props", problem)
            return None
        for problem in islice(placeholder_doubts(ready.fill), MAX_PROBLEMS):
            self._problems.add_to_block(row, "props", problem, "warning")
        self._props_bytes += len(ready.json)
        return AssembledBlock(
            order=row.order,
            zone=row.zone,
            component=row.component,
            props=ready.value,
            props_json=ready.json,
            fill=ready.fill,
            hydrate=self._hydrate.get(row.order, component.hydrate),
            reset=component.reset,
            frame=row.frame,
            stated_json=stated,
        )
