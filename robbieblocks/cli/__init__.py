"""The command line: parsing and printing, nothing else.

Results go to stdout, progress to stderr. Exit codes: 0 done, 1 wrong content, 2 wrong usage,
3 infrastructure failed.
"""

from __future__ import annotations

import sys

from robbieblocks import collector
from robbieblocks.cli import asked
from robbieblocks.cli.app import app
from robbieblocks.cli.output import print_crash, print_progress
from robbieblocks.errors import RobbieBlocksError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line and exit with its code."""
    collector.disable_for_command()
    sys.excepthook = print_crash
    try:
        asked.only(sys.argv[1:], app)()
    except RobbieBlocksError as error:
        print_progress(f"error: {error}")
        sys.exit(error.exit_code)
    finally:
        collector.skip_at_exit()
