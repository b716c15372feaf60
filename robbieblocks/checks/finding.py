"""What rules get and what they give."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from robbieblocks.assemble import redirects_of
from robbieblocks.checks import markup, properties, sheets
from robbieblocks.checks.addresses import addresses_of
from robbieblocks.checks.markup import Markup
from robbieblocks.checks.sheets import Sheet
from robbieblocks.checks.sources import Sources, with_imported
from robbieblocks.css_faults import KEYFRAMES_DEFINED
from robbieblocks.errors import Problem
from robbieblocks.messages import nearest
from robbieblocks.model import Bundle, MediaObject, Redirects, component_specifier
from robbieblocks.pipeline import InspectedPage, Inspection, Request, keys_shown
from robbieblocks.row_faults import blame
from robbieblocks.settings import Settings

# Comparing a name with thousands of others takes milliseconds.
_MAX_SUGGESTIONS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is checked: the rows, and the pages of all nodes that were made of them.

    `request` says which pages were asked for, where not all were. `outdated` are the keys of the
    package's components whose rows an import would bring up to date. `objects` are the media that
    lie in a bucket, by key.
    """

    inspection: Inspection
    settings: Settings
    progress: Callable[[str], None]
    request: Request = field(default_factory=Request)
    outdated: Collection[str] = ()
    objects: Mapping[str, MediaObject] = field(default_factory=dict[str, MediaObject])

    @property
    def whole(self) -> bool:
        """Whether all pages are there, so that what none of them uses is unused."""
        return not (self.request.pages or self.request.apps or self.request.nodes)

    def concerns(self, problem: Problem) -> bool:
        """Whether a problem is one of what was asked for."""
        if self.whole:
            return True
        page = problem.page or (problem.key if problem.entity == "page" else "")
        if page:
            return page in self._asked
        return problem.entity != "component" or problem.key in self._used

    @cached_property
    def _asked(self) -> frozenset[str]:
        """The keys of the pages that were asked for, and of the frames around them."""
        pages, apps = self.request.pages, self.request.apps
        found: set[str] = set()
        for page in self.inspection.content.pages:
            keys = keys_shown(page)
            if (not pages or not keys.isdisjoint(pages)) and (not apps or page.app in apps):
                found |= keys
        return frozenset(found)

    @cached_property
    def _used(self) -> frozenset[str]:
        """The components of the pages that were asked for."""
        content = self.inspection.content
        shown = (page for page in content.pages if page.key in self._asked)
        placed = {block.component for page in shown for block in page.blocks}
        return frozenset(row.key for row in with_imported(placed, content.components))

    @cached_property
    def pages(self) -> tuple[tuple[InspectedPage, Markup], ...]:
        """Each page of each node with its markup, which nodes that show it alike share."""
        read: dict[int, Markup] = {}
        found: list[tuple[InspectedPage, Markup]] = []
        for page in self.inspection.pages:
            known = read.get(id(page.document))
            if known is None:
                known = Markup()
                with blame(list[Problem]().append, "page", page.page.key):
                    known = markup.read(page.document)
                read[id(page.document)] = known
            found.append((page, known))
        return tuple(found)

    @cached_property
    def documents(self) -> tuple[tuple[InspectedPage, Markup], ...]:
        """The same, and of pages that nodes show alike one."""
        return tuple({id(page.document): (page, found) for page, found in self.pages}.values())

    @cached_property
    def sheets(self) -> tuple[Sheet, ...]:
        """Every stylesheet of templates, components and nodes."""
        return sheets.sheets(self.inspection)

    @cached_property
    def utilities(self) -> Mapping[str, Sheet]:
        """The rules of the utility classes that the components of each app use, by app."""
        made = {name: app.bundle for name, app in self.inspection.apps.items()}
        return {
            name: Sheet("utilities", "", "", asset.content.decode())
            for name, bundle in made.items()
            if (asset := bundle.utilities_for(_components(bundle), self._words)) is not None
        }

    @cached_property
    def _words(self) -> frozenset[str]:
        """The classes of all pages' HTML."""
        return frozenset(
            word
            for _, markup in self.documents
            for written, _ in markup.classes
            for word in written.split()
        )

    @cached_property
    def properties(self) -> frozenset[str]:
        """Every custom property that something sets."""
        return properties.defined(self.inspection, self.sheets, self.utilities.values())

    @cached_property
    def keyframes(self) -> frozenset[str]:
        """The keyframes that hold for all of a page: of templates, nodes, utilities and scripts."""
        found = [sheet.keyframes for sheet in self.utilities.values()]
        found += [sheet.keyframes for sheet in self.sheets if sheet.entity != "component"]
        texts = properties.scripts(self.inspection)
        return frozenset[str]().union(*found, *map(KEYFRAMES_DEFINED.findall, texts))

    @cached_property
    def sized(self) -> frozenset[tuple[str, str]]:
        """Classes (`.x`) and elements to which CSS gives a height, by the key of the component.

        The key is empty for those of templates, nodes and utilities.
        """
        return frozenset(sheets.sized((*self.sheets, *self.utilities.values())))

    def addresses(self, node: str) -> Mapping[str, Markup | None]:
        """What a node answers, by path, with the markup of its pages."""
        if node not in self._addresses:
            self._addresses[node] = addresses_of(
                node, self.inspection, self.pages, self.settings.search
            )
        return self._addresses[node]

    @cached_property
    def _addresses(self) -> dict[str, Mapping[str, Markup | None]]:
        return {}

    def redirects(self, node: str) -> Redirects:
        """What rows redirect on a node."""
        if node not in self._redirects:
            content = self.inspection.content
            row = next(each for each in content.nodes if each.id == node)
            by_app = redirects_of(content, row).by_app.values()
            self._redirects[node] = Redirects.of(each for app in by_app for each in app)
        return self._redirects[node]

    @cached_property
    def _redirects(self) -> dict[str, Redirects]:
        return {}

    def suggestion(self, name: str, known: Collection[str]) -> str | None:
        """The known name that is most like a name. Of very many names only the first have one.

        `known` must be an object that lives as long as this one.
        """
        key = name, id(known)
        if key not in self._suggestions and len(self._suggestions) < _MAX_SUGGESTIONS:
            self._suggestions[key] = next(iter(nearest(name, known, most=1)), None)
        return self._suggestions.get(key)

    @cached_property
    def _suggestions(self) -> dict[tuple[str, int], str | None]:
        return {}

    @cached_property
    def sources(self) -> Sources:
        """Finds where the text of a block comes from."""
        return Sources(self.inspection)


def _components(bundle: Bundle) -> list[str]:
    prefix = component_specifier("")
    return [name.removeprefix(prefix) for name in bundle.modules if name.startswith(prefix)]


class Found(NamedTuple):
    """What a rule found, and on which nodes; none where it is the same on each.

    The rule's level takes the place of the problem's `severity`.
    """

    problem: Problem
    nodes: tuple[str, ...] = ()


Finder: TypeAlias = Callable[[Checked], Iterable[Found]]


class Finding(NamedTuple):
    """What the rule of this name found. The problem's `severity` is the rule's level."""

    rule: str
    problem: Problem
    nodes: tuple[str, ...] = ()
