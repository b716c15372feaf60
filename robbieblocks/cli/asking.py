"""Who asks for something out of the ordinary, and why."""

from __future__ import annotations

import getpass
import os
import socket
from typing import Final

from robbieblocks.errors import UsageError

_REASON_MAX: Final = 1_000


def asking_account() -> str:
    """The account that asks, and its machine; behind sudo the account that called it."""
    try:
        account = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"


def reason_of(text: str) -> str:
    """A reason that a person gave. Raises UsageError for an empty one, and one that is too long."""
    reason = text.strip()
    if not reason:
        raise UsageError("--reason is empty: say why, whoever looks at `status` will ask")
    if len(reason) > _REASON_MAX:
        # Each entry of the audit log has it, and that is kept by number.
        raise UsageError(
            f"--reason has {len(reason):,} characters, and {_REASON_MAX:,} are the most: name "
            "where more is written"
        )
    return reason
