"""The styles of an app's pages at addresses that stay: a stylesheet and an icon of the release."""

from __future__ import annotations

import re
from typing import Final

# Of any app: no page and no medium may have such a path.
SHEET_FILE: Final = r"styles-[^/]*\.css"
_SHEET_FILE: Final = re.compile(SHEET_FILE)


def sheet_file(app: str) -> str:
    """Where an app's release has it."""
    return f"styles-{app}.css"


def icon_file(app: str) -> str:
    """Where it has the icon in the same colours."""
    return f"styles-{app}.svg"


def is_sheet_file(path: str) -> bool:
    """Whether a release has such a stylesheet at this path."""
    return _SHEET_FILE.fullmatch(path) is not None
