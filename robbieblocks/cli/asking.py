"""Who asks for something out of the ordinary, and why."""

from __future__ import annotations

import getpass
import os
import socket

from robbieblocks.errors import UsageError


def asking_account() -> str:
    """The account that asks, and its machine; behind sudo the account that called it."""
    try:
        account = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"


def reason_of(text: str) -> str:
    """A reason that a person gave. Raises UsageError for an empty one."""
    if not text.strip():
        raise UsageError("--reason is empty: say why, whoever looks at `status` will ask")
    return text.strip()
