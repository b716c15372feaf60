"""Addresses that are given to commands, and end up in comments and pages."""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable

_ADDRESS: Final = re.compile(r"https?://[^\s()<>\[\]\"'\\`]+")


def check_address(option: str, address: str) -> None:
    """Raise UsageError for what is no address; nothing is one that is not given."""
    if address and not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"{option} {printable(address)} is no address\n  -> give one with https://"
        )
