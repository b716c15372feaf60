"""The stream that carries results, and whoever stops reading it (`| head`)."""

from __future__ import annotations

import os
import sys


def tell(result: str) -> None:
    """Print a result; a reader who has had enough is no failure of the command's work."""
    try:
        sys.stdout.write(result + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        hang_up()


def hang_up() -> None:
    """Send the rest nowhere, or Python would complain when it flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
