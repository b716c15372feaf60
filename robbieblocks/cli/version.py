"""Which version this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """The installed version; `unknown` in a checkout that is not installed."""
    try:
        return installed("robbieblocks")
    except PackageNotFoundError:
        return "unknown"
