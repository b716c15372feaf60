"""The pages of a release: an entry each, and what is looked up among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from operator import attrgetter
from typing import Final, NamedTuple
from weakref import ref

from robbieblocks.model.values import Sha256, changed_between, same, with_changed

_KEY: Final = attrgetter("key")
# Where a larger part of the pages changes, making everything anew is as quick.
_ALTERED_PART: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """A page in a manifest. `inputs` is the hash of everything the page was made from.

    `listed` says whether search engines may list it: the sitemap has no page that is `noindex`.
    `row_digests` and `input_digests` are short digests of its parts, by which a plan tells why the
    page differs (pipeline.fingerprints); they are empty in manifests of earlier versions.
    """

    key: str
    route: str
    path: str
    inputs: Sha256
    assets: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    listed: bool = True
    row_digests: str = ""
    input_digests: tuple[str, ...] = ()
    card: str = ""
    no_card: str = ""


class _Origin(NamedTuple):
    """Of which entries others were made, as long as these are there, and by what."""

    entries: ref[PageEntries]
    gone: Collection[PageEntry]
    come: Collection[PageEntry]


@dataclass(frozen=True)
class PageEntries:
    """The entries of a manifest's pages. What follows an edit is made of them by `altered`: then
    nothing is looked at but what differs.
    """

    pages: tuple[PageEntry, ...]
    _origin: _Origin | None = field(default=None, compare=False, repr=False)

    @cached_property
    def are_in_order(self) -> bool:
        """Whether they are sorted by key, and no key is there twice."""
        return all(one < other for one, other in pairwise(map(_KEY, self.pages)))

    @cached_property
    def by_key(self) -> dict[str, PageEntry]:
        """The pages by page key."""
        return {page.key: page for page in self.pages}

    @cached_property
    def by_path(self) -> dict[str, PageEntry]:
        """The pages by the path of their file."""
        return {page.path: page for page in self.pages}

    @cached_property
    def asset_uses(self) -> Counter[str]:
        """How many pages name each asset; at least one."""
        return Counter(chain.from_iterable(page.assets for page in self.pages))

    @cached_property
    def without_card(self) -> dict[str, str]:
        """Why pages lack the social card that they should have, by page key."""
        return {page.key: page.no_card for page in self.pages if page.no_card}

    def changed_since(
        self, other: PageEntries
    ) -> tuple[Collection[PageEntry], Collection[PageEntry]]:
        """What of the others is not among these, and what of these not among them, by identity."""
        if self._origin is not None and same(self._origin.entries(), other):
            return self._origin.gone, self._origin.come
        return changed_between(other.pages, self.pages)

    def altered(self, gone: Collection[PageEntry], come: Collection[PageEntry]) -> PageEntries:
        """These without those that are gone, which are the same objects, and with those that come.

        They are in the order of their keys.
        """
        origin = _Origin(ref(self), gone, come)
        if not self.are_in_order or (len(gone) + len(come)) * _ALTERED_PART > len(self.pages):
            left = set(map(id, gone))
            stay = [page for page in self.pages if id(page) not in left]
            return PageEntries(tuple(sorted([*stay, *come], key=_KEY)), origin)
        made = PageEntries(tuple(with_changed(self.pages, gone, come, _KEY)), origin)
        by_key, by_path = self.by_key.copy(), self.by_path.copy()
        uses, without_card = self.asset_uses.copy(), self.without_card.copy()
        for page in gone:
            by_key.pop(page.key, None)
            by_path.pop(page.path, None)
            without_card.pop(page.key, None)
            uses.subtract(page.assets)
        for page in come:
            by_key[page.key] = by_path[page.path] = page
            uses.update(page.assets)
            if page.no_card:
                without_card[page.key] = page.no_card
        known = {"by_key": by_key, "by_path": by_path, "without_card": without_card}
        vars(made).update(known, asset_uses=+uses, are_in_order=True)
        return made
