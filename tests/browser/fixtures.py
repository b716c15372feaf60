"""Browser fixtures, loaded by tests/conftest.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from tests.browser import install
from tests.browser.chromium import Noise, launched
from tests.browser.install import BrowserMissingError
from tests.needs import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole session; each test has its own context in it."""
    try:
        with launched() as running:
            yield running
    except BrowserMissingError as error:
        missing(str(error))


@pytest.fixture(scope="session")
def chromium() -> Mapping[str, str]:
    """The variables with which a command finds the kit's Chromium, and that one its files."""
    try:
        kit = install.ensure()
    except BrowserMissingError as error:
        missing(str(error))
    needed = ("LD_LIBRARY_PATH", "FONTCONFIG_FILE")
    found = {name: kit.environment[name] for name in needed if name in kit.environment}
    return {"ROBBIEBLOCKS_BROWSER": str(kit.chromium), **found}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own, at the size of a laptop's screen."""
    opened = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def noise() -> Noise:
    """What the test's `page` said so far; `noise.clear()` after provoking something."""
    return Noise()


@pytest.fixture
def page(context: BrowserContext, noise: Noise) -> Iterator[Page]:
    """A page that must stay silent: console, errors and failed requests fail the test."""
    opened = context.new_page()
    noise.watch(opened)
    yield opened
    said = str(noise)
    opened.close()
    assert not said, f"the page was not silent:\n{said}"
