"""Starts the Chromium of the kit, watches what a page says, and takes pictures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, Page, Playwright, Request, Response, sync_playwright

from robbieblocks.pictures import DRAWING
from tests.browser import install

if TYPE_CHECKING:
    from pathlib import Path

# Pages under test are this machine's own, so no other name is even looked up; and what is drawn
# is the same on every machine.
_ARGUMENTS = (
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1",
    *DRAWING,
)
_LAUNCH_TIMEOUT_MS = 30_000


@contextmanager
def launched() -> Generator[Browser]:
    """A running Chromium; its process ends with the block, whatever happens in it."""
    kit = install.ensure()
    with sync_playwright() as playwright:
        browser = _launch(playwright, kit)
        try:
            yield browser
        finally:
            browser.close()


def _launch(playwright: Playwright, kit: install.Kit) -> Browser:
    return playwright.chromium.launch(
        executable_path=kit.chromium,
        args=list(_ARGUMENTS),
        env={**kit.environment},
        chromium_sandbox=False,
        timeout=_LAUNCH_TIMEOUT_MS,
    )


@dataclass
class Noise:
    """Everything a page said that a visitor's console or network panel would show."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect from now on; call before the first navigation."""
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", self._broken)
        page.on("response", self._refused)

    def _broken(self, request: Request) -> None:
        # What a page still loads, a font say, is aborted when the test goes on to another.
        if request.failure != "net::ERR_ABORTED":
            self.failed.append(f"{request.url}: {request.failure}")

    def _refused(self, response: Response) -> None:
        if response.status >= HTTPStatus.BAD_REQUEST:
            self.failed.append(f"{response.url}: {response.status}")

    def clear(self) -> None:
        """Forget what was said so far: for a test that has just provoked it."""
        for said in (self.console, self.errors, self.failed):
            said.clear()

    def __str__(self) -> str:
        return "\n".join([*self.console, *self.errors, *self.failed])


def accessibility_violations(page: Page, *, exclude_rules: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds wrong with the page as it stands, one line a node."""
    axe = install.ensure().axe.read_text(encoding="utf-8")
    # Evaluated through the debugger, so the page's own CSP does not refuse it.
    page.evaluate(axe)
    rules = {rule: {"enabled": False} for rule in exclude_rules}
    # Half of its time goes into describing nodes that pass, unless these are not asked for.
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {rules, resultTypes: ['violations']})", rules
    )
    return [
        f"{violation['id']} ({violation['impact']}): {node['html']}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def html_problems(paths: list[Path]) -> list[str]:
    """What html-validate (standard rules) finds wrong with HTML files, one line each."""
    command = [*install.ensure().html_validate, "--formatter=json", "--preset=standard"]
    result = subprocess.run(
        [*command, *map(str, paths)], capture_output=True, timeout=120, check=False
    )
    if not result.stdout.strip():
        raise AssertionError(result.stderr.decode())
    return [
        f"{entry['filePath']}:{message['line']}:{message['column']} "
        f"{message['ruleId']}: {message['message']}"
        for entry in json.loads(result.stdout)
        for message in entry["messages"]
    ]
