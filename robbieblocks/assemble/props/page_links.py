"""Links by page in texts of Markdown: `page:<key>` becomes the page's route, and follows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

from robbieblocks.assemble.routes import has_place
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.messages import nearest, printable
from robbieblocks.model import SHARED_APP, PageRow

_SIGN: Final = "page:"
# As the renderer of Markdown writes it; in texts it writes no quote as it is.
_NAMED: Final = re.compile(r'(href|src)="page:([^"?#]*)')


@dataclass(slots=True)
class LinkedPages:
    """The pages that an app's texts may link to: its own and shared ones. A node with the app has
    them all. `routes` are theirs by key, or None as long as no text has asked for one.
    """

    rows: Iterable[PageRow]
    app: str
    routes: Mapping[str, str] | None = None
    _by_key: dict[str, PageRow] = field(default_factory=dict[str, PageRow])

    def all_routes(self) -> Mapping[str, str]:
        """The routes of all of them, by key; a route may be one that no page can have."""
        if self.routes is None:
            apps = (self.app, SHARED_APP)
            self._by_key = {row.key: row for row in self.rows if row.app in apps}
            self.routes = {key: row.route for key, row in self._by_key.items()}
        return self.routes

    def is_own(self, key: str) -> bool:
        """Whether the page is one of the app itself."""
        return key in self.all_routes() and self._by_key[key].app == self.app

    def route(self, key: str) -> str | None:
        """The route of a page; None where there is no such page, or nobody can get there."""
        found = self.all_routes().get(key)
        return found if found is not None and has_place(self._by_key[key]) else None


@dataclass(slots=True)
class PageLinks:
    """The links by page of one page's texts. `found` are the routes that they lead to, by key.

    `abroad` are the keys that they name of pages which are none of the app: shared ones, or none.
    """

    pages: LinkedPages
    found: dict[str, str] = field(default_factory=dict[str, str])
    abroad: set[str] = field(default_factory=set[str])
    _wrong: int = 0

    def html(self, html: str, text: str) -> str | ValueProblem:
        """The HTML of a Markdown text with the routes of pages; or what is wrong with a link."""
        if f'="{_SIGN}' not in html:
            return html
        wrong: list[ValueProblem] = []

        def with_route(named: re.Match[str]) -> str:
            if wrong:
                return named[0]
            address = self.address(named[2], text, named[1])
            if isinstance(address, str):
                return f'{named[1]}="{address}'
            wrong.append(address)
            return named[0]

        made = _NAMED.sub(with_route, html)
        return wrong[0] if wrong else made

    def address(self, named: str, text: str, attribute: str) -> str | ValueProblem:
        """The address of a page that an attribute in a text names by its key, with what follows
        that (`hours#lunch`); or what is wrong with it.
        """
        written = named.partition("#")[0].partition("?")[0]
        key = unquote(written)
        route = self.pages.route(key) if attribute == "href" else None
        if not self.pages.is_own(key):
            self.abroad.add(key)
        if route is None:
            return self._problem(attribute, key, text)
        self.found[key] = route
        return quote(route) + named[len(written) :]

    def _problem(self, attribute: str, key: str, text: str) -> ValueProblem:
        at = text.find(_SIGN + key)
        line = text.count("\n", 0, at) + 1 if at >= 0 else None
        name = printable(_SIGN + key)
        if attribute == "src":
            remedy = "write [text](page:<key>), or ![](media:<key>) for a picture"
            return ValueProblem("", f"{name} is no picture", remedy, line=line)
        known = self.pages.all_routes()
        if key in known:
            what = f"the page {printable(key)} has a route that no page can have"
            return ValueProblem("", what, "mend its page_route", line=line)
        self._wrong += 1
        # Comparing a name with thousands takes milliseconds.
        near = " or ".join(nearest(key, known if self._wrong <= MAX_PROBLEMS else ()))
        remedy = f"did you mean {near}?" if near else "publish it; of another app write the address"
        what = f"there is no page {printable(key)} in this app, nor a shared one"
        return ValueProblem("", what, remedy, line=line)
