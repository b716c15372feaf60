"""Takes pictures of scenes: each in a profile of its own, within a time, and alike each time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.pictures.browser import Browser, Launcher
from robbieblocks.pictures.scenes import HEIGHT_MAX, Scene, Taken
from robbieblocks.pictures.traffic import Traffic

if TYPE_CHECKING:
    from playwright.async_api import Browser as Running
    from playwright.async_api import BrowserContext, Page

_JS: Final = Path(__file__).resolve().parent / "js"
# The instant that components find when they are prerendered (prerender/isolate/js/here.js).
_NOW: Final = datetime(2025, 1, 1, tzinfo=UTC)
# Of the page's clock, which stands still between: what a page does by and by is done, and what
# it does for ever is as far each time.
_STEPS_MS: Final = (1_000, 1_000, 1_000)
# A page has come to rest where two pictures in a row agree.
_PICTURES_MAX: Final = 6
_CLOSE_TIMEOUT_S: Final = 5.0
_ALL_TIMEOUT_S: Final = 600.0
# A browser that failed for a reason of its own, such as memory, may not do so twice.
_ATTEMPTS: Final = 2
_AT_ONCE: Final = 2
_PROGRESS_INTERVAL_S: Final = 3.0

_ENDLESS: Final = (
    "it was not drawn within {:g} s: a script runs on and on, or what it loads never ends"
)
_RESTLESS: Final = "it goes on changing by itself, so that no two pictures agree"
# Playwright takes a page that would go on to another one for one that never loads.
_LOADED: Final = """new Promise((done) => {
  if (document.readyState === "complete") done();
  addEventListener("load", () => done());
})"""
_LATE: Final = f"not taken: all pictures together took longer than {_ALL_TIMEOUT_S / 60:g} minutes"


def take(
    scenes: Iterable[Scene],
    browser: Browser,
    progress: Callable[[str], None],
    *,
    timeout_s: float = 20.0,
) -> Mapping[Scene, Taken]:
    """The picture of each scene. Whatever a page does, the others are taken.

    A scene has `timeout_s` seconds. Raises UsageError where no browser can be had.
    """
    return asyncio.run(_taken(list(dict.fromkeys(scenes)), browser, progress, timeout_s))


async def _taken(
    scenes: list[Scene], browser: Browser, progress: Callable[[str], None], timeout_s: float
) -> Mapping[Scene, Taken]:
    found: dict[Scene, Taken] = {}
    until = asyncio.get_running_loop().time() + _ALL_TIMEOUT_S
    places = asyncio.Semaphore(_AT_ONCE)

    report = _reporting(progress, len(scenes))

    async def one(studio: _Studio, scene: Scene) -> None:
        async with places:
            late = asyncio.get_running_loop().time() > until
            found[scene] = Taken(problem=_LATE) if late else await studio.picture(scene, timeout_s)
            report(len(found))

    async with browser.running() as launcher:
        studio = _Studio(launcher, await launcher.launch())
        try:
            async with asyncio.TaskGroup() as group:
                for scene in scenes:
                    group.create_task(one(studio, scene))
        finally:
            await studio.close()
    return found


def _reporting(progress: Callable[[str], None], total: int) -> Callable[[int], None]:
    """Says how far it is, every few seconds."""
    clock = asyncio.get_running_loop().time
    said = clock()

    def report(done: int) -> None:
        nonlocal said
        if clock() - said >= _PROGRESS_INTERVAL_S:
            said = clock()
            progress(f"taking pictures: {done} of {total}")

    return report


class _Studio:
    """A browser, which is started again where it has ended."""

    def __init__(self, launcher: Launcher, running: Running) -> None:
        self._launcher = launcher
        self._running = running
        self._starting = asyncio.Lock()

    async def picture(self, scene: Scene, timeout_s: float) -> Taken:
        """The picture of a scene, or why there is none."""
        from playwright.async_api import Error

        problem = ""
        for _attempt in range(_ATTEMPTS):
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._picture(scene)
            except TimeoutError:
                return Taken(problem=_ENDLESS.format(timeout_s))
            except UsageError as error:
                return Taken(problem=str(error))
            except Error as error:
                said = printable(error.message.strip().partition("\n")[0])
                problem = f"the browser could not draw it: {said}"
        return Taken(problem=problem)

    async def close(self) -> None:
        """End the browser. What hangs in it ends with Playwright."""
        from playwright.async_api import Error

        with contextlib.suppress(Error, TimeoutError):
            await asyncio.wait_for(self._running.close(), _CLOSE_TIMEOUT_S)

    async def _picture(self, scene: Scene) -> Taken:
        from playwright.async_api import Error

        context = await self._context(scene)
        try:
            page = await context.new_page()
            traffic = Traffic(scene.app, page)
            await context.route("**/*", traffic.answer)
            try:
                return await _drawn(page, scene, traffic)
            except Error as error:
                # A page that leaves in the middle of a step makes the step fail, before its
                # address is another.
                left = "it goes away" if "because of a navigation" in error.message else ""
                if problem := traffic.gone() or left:
                    return Taken(problem=problem)
                raise
        finally:
            await self._gone(context)

    async def _context(self, scene: Scene) -> BrowserContext:
        async with self._starting:
            if not self._running.is_connected():
                self._running = await self._launcher.launch()
        context = await self._running.new_context(
            viewport={"width": scene.screen.width, "height": scene.screen.height},
            device_scale_factor=1,
            color_scheme=scene.theme,
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="UTC",
            service_workers="block",
            accept_downloads=False,
        )
        await context.add_init_script(path=_JS / "still.js")
        await context.clock.pause_at(_NOW)
        return context

    async def _gone(self, context: BrowserContext) -> None:
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                # Requests that are still being answered fail without a word.
                await context.unroute_all(behavior="ignoreErrors")
                await context.close()
        except TimeoutError:
            await self.close()
        except Error:
            return


async def _drawn(page: Page, scene: Scene, traffic: Traffic) -> Taken:
    await traffic.open(scene.route)
    await page.evaluate(_LOADED)
    height = 0
    for step in _STEPS_MS:
        await page.clock.run_for(step)
        height = await _at_rest(page, traffic)
    before = b""
    for _ in range(_PICTURES_MAX):
        picture = await page.screenshot(
            full_page=True,
            clip={"x": 0, "y": 0, "width": scene.screen.width, "height": min(height, HEIGHT_MAX)},
            animations="disabled",
            caret="hide",
        )
        if problem := traffic.gone():
            return Taken(problem=problem)
        if picture == before:
            return Taken(picture=picture, height=height, notes=traffic.notes)
        before = picture
        height = await _at_rest(page, traffic)
    return Taken(problem=_RESTLESS, notes=traffic.notes)


async def _at_rest(page: Page, traffic: Traffic) -> int:
    """The page's height in pixels, once it asks for nothing more."""
    settle = (_JS / "settle.js").read_text("utf-8")
    while True:
        answered = traffic.answered
        found: Any = await page.evaluate(settle, HEIGHT_MAX)
        if traffic.is_quiet and traffic.answered == answered:
            return _told(found, traffic)


def _told(found: Any, traffic: Traffic) -> int:
    """What the page told: its scripts may have put anything in place of it."""
    match found:
        case [int(height), [*families]]:
            for family in families:
                traffic.note(f"the font {family} could not be loaded")
            return max(1, height)
        case _:
            return 1
