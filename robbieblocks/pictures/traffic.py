"""What a page asks for while its picture is taken: its own site answers, and nothing else does."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from robbieblocks.messages import printable
from robbieblocks.pictures.scenes import ORIGIN, App

if TYPE_CHECKING:
    from playwright.async_api import Dialog, Page, Request, Route

_NOTES_MAX: Final = 5
_ADDRESS_MAX: Final = 100
_WINDOW: Final = "opens a window, which is left out"
_FIRST_ERROR: Final = 400
# Of the answer's bytes as they went over a wire, which none has done.
_OF_TRANSFER: Final = ("content-length", "content-encoding", "transfer-encoding")


class Traffic:
    """Answers a page's requests out of its site's app, and notes what gets no answer."""

    def __init__(self, app: App, page: Page) -> None:
        self._site = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)
        self._page = page
        self._is_opened = False
        self._notes: set[str] = set()
        self._open = 0
        self.answered = 0
        page.on("dialog", self._dismiss)
        page.on("popup", self._close)

    @property
    def is_quiet(self) -> bool:
        """Whether no request waits for its answer."""
        return self._open == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noted, sorted."""
        found = sorted(self._notes)
        more = len(found) - _NOTES_MAX
        return (*found[:_NOTES_MAX], *([f"and {more} more of such"] if more > 0 else []))

    def note(self, text: str) -> None:
        """Note something, once."""
        self._notes.add(printable(text))

    async def open(self, route: str) -> None:
        """Open a page of the site."""
        await self._page.goto(ORIGIN + route, wait_until="commit")

    def gone(self) -> str:
        """Why the page is not the one that was opened; empty where it is."""
        here = self._page.url
        return "" if here.startswith(f"{ORIGIN}/") else f"it goes away to {_cut(here)}"

    async def answer(self, route: Route) -> None:
        """Answer a request, refuse it, or hold the page where it is."""
        self._open += 1
        try:
            await self._answer(route)
        finally:
            self._open -= 1
            self.answered += 1

    async def _answer(self, route: Route) -> None:
        request = route.request
        shown = _cut(request.url.removeprefix(ORIGIN))
        if leaves := self._leaves(request):
            self.note(leaves)
            await route.abort("aborted")
        elif not request.url.startswith(f"{ORIGIN}/"):
            self.note(f"asks for {shown}, which is not on the page's own site")
            await route.abort()
        else:
            url = urlsplit(request.url)
            given = await self._site.request(
                request.method,
                url.path + (f"?{url.query}" if url.query else ""),
                headers={"accept-encoding": "identity"},
            )
            if given.status_code >= _FIRST_ERROR:
                self.note(f"asks for {shown}, which is not there ({given.status_code})")
            headers = {k: v for k, v in given.headers.items() if k not in _OF_TRANSFER}
            await route.fulfill(status=given.status_code, headers=headers, body=given.content)

    def _leaves(self, request: Request) -> str:
        """What a request does that would open another page; empty where it does not."""
        from playwright.async_api import Error

        if not request.is_navigation_request():
            return ""
        try:
            itself = request.frame == self._page.main_frame
            own = itself or request.frame.page == self._page
        except Error:  # a window that has no frame yet
            return _WINDOW
        if itself and not self._is_opened:
            self._is_opened = True
            return ""
        if itself:
            shown = _cut(request.url.removeprefix(ORIGIN))
            return f"goes on to {shown}: shown is what is there before"
        return "" if own else _WINDOW

    async def _dismiss(self, dialog: Dialog) -> None:
        from playwright.async_api import Error

        self.note(f"opens a dialog ({dialog.type})")
        with contextlib.suppress(Error):
            await dialog.dismiss()

    async def _close(self, popup: Page) -> None:
        from playwright.async_api import Error

        self.note(_WINDOW)
        with contextlib.suppress(Error):
            await popup.close()


def _cut(address: str) -> str:
    return address if len(address) <= _ADDRESS_MAX else address[: _ADDRESS_MAX - 1] + "…"
