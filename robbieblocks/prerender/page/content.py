"""What makes one document different from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from robbieblocks.errors import Problem
from robbieblocks.model import NO_SETTINGS, SiteSettings
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.islands import Islands
from robbieblocks.prerender.page.visibility import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What `page.html.j2` gets of one page. `leads_to` is where the page leads on to at once.

    `first_screen` is where in `body` the blocks end that fill a first screen, if more follow.
    `alternates` are the `hreflang` and path of each of its translations, `words` those of its
    blocks that may be utility classes, `hints` elements for its head that they want, `settings`
    those of the app's frames, `problems` warnings. `searches`: the package's reader of indexes
    is among the components.
    """

    about: head.About
    body: str
    first_screen: int | None = None
    components: frozenset[str] = frozenset()
    islands: Islands = field(default_factory=Islands)
    inline_styles: Sequence[str] = ()
    visibility: Visibility = field(default_factory=Visibility)
    title_fill: str = ""
    address: str = ""
    feeds: tuple[tuple[str, str], ...] = ()
    alternates: tuple[tuple[str, str], ...] = ()
    leads_to: str = ""
    words: frozenset[str] = frozenset()
    hints: Sequence[str] = ()
    searches: bool = False
    settings: SiteSettings = NO_SETTINGS
    problems: tuple[Problem, ...] = ()
