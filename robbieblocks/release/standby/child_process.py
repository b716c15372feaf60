"""The standby process: `python -m ...standby.child_process "compare"|"make equal" FOLDER RELEASE`.

Its exit status is the answer; an error is on stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, cast

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.files import disk
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.standby.executor import NO, YES, Task, in_this_process

_FAILED: Final = 3


def main(task: Task, folder: Path, release: Path) -> int:
    """Do the task, and return the exit status."""
    try:
        with disk.attempt("make a standby tree in", folder.parent):
            done = in_this_process(task, SiteRoot(folder.parent), folder, release)
    except SiteUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return YES if done else NO


if __name__ == "__main__":
    process.die_with_parent()
    # The parent is our own code: it names no other task.
    sys.exit(main(cast("Task", sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
