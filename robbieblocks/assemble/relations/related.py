"""What a page became with what it takes from others, and whether that still holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.feeds import feed_setting
from robbieblocks.assemble.relations.frames import Frames
from robbieblocks.assemble.relations.listed_pages import ListedPages
from robbieblocks.assemble.relations.listing import Answer, Listing
from robbieblocks.assemble.relations.other_apps import Others, no_others
from robbieblocks.assemble.relations.page_data import data_of
from robbieblocks.assemble.relations.parts import (
    MAX_PARTS,
    part_key,
    part_of,
    part_route,
    parts_problem,
    taken_key,
)
from robbieblocks.assemble.relations.query import PageQuery
from robbieblocks.assemble.relations.references import References
from robbieblocks.assemble.relations.taking import with_blocks, with_faults, with_feed
from robbieblocks.assemble.relations.translations import Group, as_translation, translations_data
from robbieblocks.errors import Problem
from robbieblocks.model import Json, Languages, PageRow, same
from robbieblocks.row_faults import blame, is_passing


@dataclass(frozen=True, slots=True)
class Related:
    """What a row became, and from what.

    `refers` says whether it, or a frame around it, has references, `lists` whether a list of pages
    is in it. `parts` are the keys of its further parts, `taken` is that of another page among them,
    `asked` names the collections and apps that it lists (`PageQuery.source`), `answers` is what its
    lists show, `unread` is why lists lack what they would show.
    """

    row: PageRow
    frames: Frames
    group: Group
    pages: tuple[PageRow, ...]
    refers: bool
    lists: bool = False
    parts: tuple[str, ...] = ()
    taken: str | None = None
    asked: frozenset[str] = frozenset()
    answers: tuple[Answer, ...] = ()
    unread: tuple[Problem, ...] = ()

    @property
    def reads(self) -> Collection[tuple[str, str]]:
        """The other apps whose pages it lists, each with a collection where it lists that."""
        if not self.asked:
            return ()
        queries = (each.query for each in self.answers)
        return {(query.app, query.collection) for query in queries if query.app}


@dataclass(slots=True)
class Surroundings:
    """What the pages of an app may take from.

    `keys` are those of its rows, `others` gives the pages of another app. `reread` names the
    collections and apps of which queries may mean something else than they did, `unread` is why
    pages of collections are not in the listing. `passing` says that the machine was short of
    something, so that nothing of it may be kept.
    """

    frames: Frames = field(default_factory=partial(Frames.of, ()))
    listed: ListedPages = field(default_factory=ListedPages)
    row_lists: Mapping[str, RowList] = field(default_factory=dict[str, RowList])
    others: Others = no_others
    unread: tuple[Problem, ...] = ()
    reread: frozenset[str] = frozenset()
    keys: set[str] = field(default_factory=set[str])
    passing: bool = False

    @property
    def languages(self) -> Languages:
        """Those of the frames' settings."""
        return self.frames.settings.languages

    @property
    def _lacking(self) -> tuple[Problem, ...]:
        """Why lists lack what they would show: pages, or some of what a page tells."""
        return (*self.unread, *self.listed.left_out) if self.listed.too_much else self.unread

    def made(self, row: PageRow, group: Group, known: Related | None, *, refers: bool) -> Related:
        """What a row becomes: `known`, what it became, where that still holds."""
        if (
            known is not None
            and same(known.row, row)
            and same(known.frames, self.frames)
            and known.group == group
            and (not known.lists or known.unread == self._lacking)
            and known.taken == taken_key(known.parts, self.keys)
            and known.asked.isdisjoint(self.reread)
            and all(self._listing_of(each.query).holds(each) for each in known.answers)
        ):
            return known
        made = Related(row, self.frames, group, (), refers, unread=self._lacking)
        faults: list[Problem] = []
        with blame(faults.append, "page", row.key):
            page = self._in_group(self.frames.around(row), group)
            made = self._replaced(made, page) if refers else replace(made, pages=(page,))
        faults += self.listed.faults.get(row.key, ())
        if faults:
            made = replace(made, pages=(replace(row, faults=tuple(faults)),))
            self.passing = self.passing or is_passing(faults)
        if known is not None:
            before = {page.key: page for page in known.pages}
            pages = [
                old if (old := before.get(page.key)) is not None and old.is_equal(page) else page
                for page in made.pages
            ]
            made = replace(made, pages=tuple(pages))
        return made

    def _listing_of(self, query: PageQuery) -> Listing:
        """What answers a query that has been answered before."""
        if query.app:
            return self.others(query.app, query.collection).listing
        name = query.collection
        return self.row_lists[name].listing if name else self.listed.listing

    def _in_group(self, page: PageRow, group: Group) -> PageRow:
        """The page with what is known of its language; the very row where nothing is."""
        default = self.languages.default
        if not group.pages and default == page.default_lang:
            return with_faults(page, group.faults)
        known = replace(page, default_lang=default, translations=group.pages)
        return with_faults(known, group.faults)

    def _replaced(self, made: Related, page: PageRow) -> Related:
        """The page, and its further parts, with references replaced."""
        languages, listing = self.languages, self.listed.listing
        data = data_of(page, languages.default)
        translations = partial(
            translations_data, as_translation(page, languages), made.group.pages, languages
        )
        references = References(
            page,
            data,
            listing,
            self.row_lists,
            self.others,
            self._lacking,
            translations=translations,
        )
        whole = with_feed(with_blocks(page, references), str(data["lang"]), references)
        answers, query = references.answers, references.paginated
        lists = references.lists > 0 or feed_setting(page) is not None
        if query is None and references.own_lists:
            whole = replace(whole, modified="")
        made = replace(
            made,
            asked=frozenset(references.asked),
            answers=tuple(answers),
            lists=lists,
            pages=(whole,),
        )
        if query is None:
            return made
        count = max(1, -(-references.total // query.limit))
        parts = tuple([part_key(page.key, n) for n in range(2, min(count, MAX_PARTS) + 1)])
        taken = taken_key(parts, self.keys)
        made = replace(made, parts=parts, taken=taken)
        wrong = parts_problem(page, count, references.listed, taken)
        if wrong is not None:
            return replace(made, pages=(with_faults(whole, (wrong,)),))
        routes: list[Json] = [part_route(page.route, n) for n in range(1, count + 1)]
        pages: list[PageRow] = []
        for number in range(1, count + 1):
            row = replace(part_of(page, number), modified="")
            data = data_of(row, languages.default)
            told = References(
                row,
                data,
                self.listed.listing,
                self.row_lists,
                self.others,
                self._lacking,
                number,
                routes,
                translations,
            )
            pages.append(with_blocks(row, told))
            answers += told.answers
        made = replace(made, answers=tuple(answers))
        first = replace(pages[0], feed=whole.feed, faults=whole.faults)
        return replace(made, pages=(first, *pages[1:]))
