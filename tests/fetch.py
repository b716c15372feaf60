"""Fetches what the tests need and no package index of Python has: `python -m tests.fetch`."""

from __future__ import annotations

import os
import sys

from robbieblocks import toolchain
from robbieblocks.errors import ToolchainUnavailable
from robbieblocks.settings import Settings
from tests.browser import install


def main() -> int:
    """Fetch the toolchain and the browser; what can't be had skips its tests, and fails CI."""
    failed = False
    try:
        settings = Settings.from_environment()
        toolchain.ensure(settings, _tell)
        toolchain.ensure_typescript(settings, _tell)
        toolchain.ensure_odiff(settings, _tell)
        toolchain.ensure_pagefind(settings, _tell)
        _tell(f"Chromium: {install.ensure().chromium}")
    except (ToolchainUnavailable, install.BrowserMissingError) as error:
        _tell(str(error))
        failed = True
    return int(failed and os.environ.get("CI") == "true")


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
