"""The media of a build: what is made of them, and their addresses where rows refer to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from robbieblocks.builtin import with_builtin
from robbieblocks.errors import Problem
from robbieblocks.media import MediaMaker, References, Styles, keys_in_styles
from robbieblocks.model import (
    NO_MEDIA,
    AssembledPage,
    Asset,
    ComponentRow,
    MediaLibrary,
    Snapshot,
    same,
)

_Components = Mapping[str, ComponentRow]
_SIGN: Final = "media:"
# As css_text.missing_media says it, which knows no reason.
_UNSHOWN: Final = re.compile(
    r"there is no media:([A-Za-z0-9][A-Za-z0-9._-]{0,254}) that can be shown"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppMedia:
    """The media of an app's pages. `files` are those with an address of their own, by release path.

    `assets` gives the assets of names that belong to the library.
    """

    library: MediaLibrary = NO_MEDIA
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    assets: Callable[[Collection[str]], list[Asset]] = lambda _: []

    @classmethod
    def of(cls, content: Snapshot, maker: MediaMaker) -> AppMedia:
        """The media of resolved rows."""
        media = content.library.media
        return cls(
            library=content.library,
            files={
                row.served_path[1:]: media[row.key].forms[-1].name
                for row in content.media.values()
                if row.served_path and row.key in media
            },
            assets=lambda names: maker.assets(media.values(), names, content.media_content),
        )

    def with_feed_pictures(self, page: AssembledPage) -> AssembledPage:
        """A page with addresses in place of media in its feed."""
        feed = page.feed
        if feed is None or not any(item.image.startswith(_SIGN) for item in feed.items):
            return page
        items = tuple([item._replace(image=self._address(item.image)) for item in feed.items])
        return replace(page, feed=replace(feed, items=items))

    def _address(self, image: str) -> str:
        if not image.startswith(_SIGN):
            return image
        media = self.library.media.get(image.removeprefix(_SIGN))
        return media.url if media is not None else ""

    def names(self) -> frozenset[str]:
        """The names of all its assets."""
        return frozenset(self.library.assets_of(self.library.media))


@dataclass(slots=True)
class MediaMemory:
    """What the last build made of media, and of the rows that refer to them."""

    _given: Snapshot | None = None
    _resolved: Snapshot | None = None
    _references: References = field(default_factory=References)
    _styles: Styles = field(default_factory=Styles)
    _components: tuple[_Components, _Components] | None = None

    def resolve(self, content: Snapshot, maker: MediaMaker) -> Snapshot:
        """The content with its media, and with addresses in place of their names in stylesheets.

        Makes what is not in the cache. Raises DatabaseUnavailable and SiteUnavailable.
        """
        if not same(content.library, NO_MEDIA):
            return content
        if self._resolved is not None and (
            same(self._resolved, content) or (same(self._given, content) and not maker.is_troubled)
        ):
            return self._resolved
        known = self._resolved.library if self._resolved else NO_MEDIA
        resolved = content
        if content.media:
            wanted = self._references.of(content)
            made = maker.make(content.media, wanted, content.media_content, known)
            used = (made.media.get(key) for key in sorted(keys_in_styles(content)))
            in_styles = tuple(
                name
                for each in used
                if each is not None
                for name in (each.names if each.is_font else each.names[-1:])
            )
            library = replace(made, in_styles=in_styles)
            resolved = replace(
                self._styles.resolved(content, library),
                library=known if known == library else library,
            )
        components = self._with_builtin(resolved.components)
        if not same(components, resolved.components):
            resolved = replace(resolved, components=components)
        self._given, self._resolved = content, resolved
        return resolved

    def _with_builtin(self, components: _Components) -> _Components:
        if self._components is None or not same(self._components[0], components):
            self._components = components, with_builtin(components)
        return self._components[1]


def explained(problems: Iterable[Problem], library: MediaLibrary) -> tuple[Problem, ...]:
    """What is wrong with stylesheets, with why media that they name can't be shown."""
    if not library.wrong:
        return tuple(problems)
    return tuple([_explained(each, library.wrong) for each in problems])


def _explained(problem: Problem, wrong: Mapping[str, Problem]) -> Problem:
    named = _UNSHOWN.fullmatch(problem.what)
    why = wrong.get(named[1]) if named else None
    if named is None or why is None:
        return problem
    what = f"{_SIGN}{named[1]} {why.what}"
    return replace(problem, what=what, remedy=why.remedy, passing=why.passing)
