"""The command line: parsing and printing, nothing else.

stdout carries the result, stderr the progress. Exit codes: 0 done, 1 the content is at fault,
2 usage, 3 infrastructure.
"""

from __future__ import annotations

import gc
import sys

from robbieblocks.cli.app import app
from robbieblocks.errors import RobbieBlocksError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line and exit with its code.

    Nearly all that a command makes is there until it ends, and then goes with the process: going
    over it for garbage takes a sixth of a short command. Those that run for long enable it again.
    """
    gc.disable()
    try:
        app()
    except RobbieBlocksError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    finally:
        # Python collects at its end even so; what is frozen is passed over.
        gc.freeze()
