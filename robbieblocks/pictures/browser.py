"""Finds a Chromium, and starts it so that it draws the same each time and reaches nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from robbieblocks import process
from robbieblocks.errors import UsageError
from robbieblocks.messages import printable

if TYPE_CHECKING:
    from playwright.async_api import Browser as Running
    from playwright.async_api import BrowserType, Error

# The same pixels from one Chromium on any processor and screen.
DRAWING: Final = (
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
_STEADY: Final = (
    "--disable-lcd-text",
    "--disable-skia-runtime-opts",
    "--disable-partial-raster",
    "--disable-gpu",
)
# Requests are answered before they reach the network. What is not a request (WebSocket, WebRTC,
# WebTransport) finds no host: the rule holds for addresses too, so for this machine's own.
_ISOLATED: Final = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
)
# Of a page's scripts: one that fills its memory crashes alone, before the machine swaps.
_BOUNDED: Final = ("--js-flags=--max-old-space-size=512",)
_NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
_LAUNCH_TIMEOUT_MS: Final = 30_000
_QUOTED_CHARACTERS: Final = 600
_INSTALL: Final = (
    "python -m playwright install --with-deps chromium; or install your system's chromium; or name "
    "one in ROBBIEBLOCKS_BROWSER"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """A Chromium, or Chrome or Edge. `program` is None for Playwright's own.

    Without `sandbox` a page that breaks out of the browser has the rights of this process.
    """

    program: Path | None
    sandbox: bool = True

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Launcher]:
        """What starts the browser, as often as it is needed. All ends with the block."""
        from playwright.async_api import async_playwright

        with process.temporary_folder() as folder:
            with _temporary_files_in(folder):
                playwright = await async_playwright().start()
            try:
                yield Launcher(self, playwright.chromium)
            finally:
                await playwright.stop()


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts a browser."""

    browser: Browser
    kind: BrowserType

    async def launch(self) -> Running:
        """A running browser. Raises UsageError with what to install, or to allow."""
        from playwright.async_api import Error

        found = self.found()
        try:
            return await self.kind.launch(
                executable_path=found.program,
                args=[*DRAWING, *_STEADY, *_ISOLATED, *_BOUNDED],
                chromium_sandbox=found.sandbox,
                timeout=_LAUNCH_TIMEOUT_MS,
            )
        except Error as error:
            raise UsageError(_why(found, error)) from error

    def found(self) -> Browser:
        """The browser, by its path where Playwright has none of its own."""
        if self.browser.program is not None:
            return self.browser
        if Path(self.kind.executable_path).is_file():
            return replace(self.browser, program=Path(self.kind.executable_path))
        for name in _NAMES:
            if program := shutil.which(name):
                return replace(self.browser, program=Path(program))
        raise UsageError(
            f"no Chromium is on this machine, so there are no pictures\n  -> {_INSTALL}"
        )


def find_browser(named: str | None, *, sandbox: bool) -> Browser:
    """The browser that pictures are taken with: the one that is named, else one that is found.

    Raises UsageError without Playwright, for a name that is no program, and where the sandbox can't
    be used.
    """
    if importlib.util.find_spec("playwright") is None:
        raise UsageError(
            "pictures need Playwright, which is not installed\n"
            "  -> pip install 'robbieblocks[pictures]'"
        )
    if sandbox and os.geteuid() == 0:
        raise UsageError(f"root has no sandbox for the scripts of pages\n  -> {_SANDBOX}")
    program = shutil.which(named) if named else None
    if named and program is None:
        raise UsageError(
            f"ROBBIEBLOCKS_BROWSER names {printable(named)}, which is no program\n  -> {_INSTALL}"
        )
    return Browser(program=Path(program) if program else None, sandbox=sandbox)


_SANDBOX: Final = (
    "run it as an ordinary user; or, where nothing on the machine is worth keeping from the pages' "
    "scripts, as in a container of CI: --no-sandbox"
)


def _why(browser: Browser, error: Error) -> str:
    said = error.message
    if "No usable sandbox" in said:
        return (
            "this machine lets Chromium have no sandbox for the scripts of pages (user namespaces)"
            f"\n  -> {_SANDBOX}"
        )
    return (
        f"{browser.program} does not start: {printable(said[:_QUOTED_CHARACTERS])}\n  -> {_INSTALL}"
    )


@contextmanager
def _temporary_files_in(folder: Path) -> Generator[None]:
    """Playwright takes the place for profiles from its environment, and from nowhere else.

    A profile then goes with its folder, whoever is killed.
    """
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
