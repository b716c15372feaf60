"""`robbieblocks dev`: from a saved file to what the browser shows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import processes
from benchmarks.apps import component
from benchmarks.processes import OURS, FailedError
from benchmarks.sites import NODE, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

_LATEST_S: Final = 60.0
_PATIENCE_MS: Final = 20_000
# Resolves with the time at which a frame was drawn that shows a text.
_DRAWN: Final = """
    (text) => new Promise((done) => {
      const look = () =>
        document.body.innerText.includes(text)
          ? requestAnimationFrame(() => done(Date.now()))
          : requestAnimationFrame(look);
      look();
    })
"""


class Development:
    """A project whose files are saved, and an open page."""

    def __init__(self, folder: Path, page: Page) -> None:
        self._folder = folder
        self._page = page
        self._numbers = itertools.count(1)

    def until_drawn(self) -> float:
        """Save a component's file with another text; milliseconds until a frame shows it."""
        note = f"saved {next(self._numbers)}"
        # A component that has state, so that it is an island.
        part = component(3, note=note)
        file = self._folder / "content" / "components" / part.key / "component.tsx"
        self._page.evaluate(f"window.drawn = ({_DRAWN})({note!r}); null")
        aside = file.with_name(".saved")
        aside.write_text(part.code)
        began = time.time() * 1000
        aside.replace(file)
        drawn: float = self._page.evaluate("window.drawn")
        return drawn - began


@contextmanager
def development(site: Site) -> Iterator[Development]:
    """`robbieblocks dev` over the site's content as files, and Chromium at a page of it."""
    # Only this scenario needs a browser.
    from playwright.sync_api import Error

    from tests.browser.chromium import launched
    from tests.browser.install import BrowserMissingError

    folder = site.home / "project"
    for command in ("export", "import"):
        argv = (*OURS, "content", command, folder)
        processes.run(argv, env=site.env, cwd=site.home)
    log = site.home / "dev.log"
    env = site.env | {
        "ROBBIEBLOCKS_CONTENT": str(folder / "content"),
        "ROBBIEBLOCKS_NODE_BRANDING": str(folder / "node_branding"),
    }
    serving = (*OURS, "dev", "--port", "0", "--node", NODE)
    try:
        with processes.running(serving, env=env, cwd=site.home, log=log), launched() as browser:
            page = browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(_address(log))
            page.get_by_text("first edition").first.wait_for()
            yield Development(folder, page)
    except (Error, BrowserMissingError) as error:
        raise FailedError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error


def _address(log: Path) -> str:
    """The page's address, which the program prints once it serves."""
    until = time.monotonic() + _LATEST_S
    while time.monotonic() < until:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith(NODE):
                return line.split()[1]
        time.sleep(0.05)
    raise FailedError(f"it does not serve:\n{log.read_text(errors='replace')[-2000:]}")
