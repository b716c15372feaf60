"""The standby process: `python -m ...standby.child_process "compare"|"make equal" FOLDER RELEASE`.

Its exit status is the answer; an error is on stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.files import disk
from robbieblocks.release.site_root import SiteRoot
from robbieblocks.release.standby.executor import IN_PROCESS, NO, YES

_FAILED: Final = 3


def main(task: str, folder: Path, release: Path) -> int:
    """Do one of the two tasks, and return the exit status."""
    do = {"compare": IN_PROCESS.is_equal, "make equal": IN_PROCESS.make_equal}[task]
    try:
        with disk.attempt("make a standby tree in", folder.parent):
            return YES if do(SiteRoot(folder.parent), folder, release) else NO
    except SiteUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED


if __name__ == "__main__":
    process.die_with_parent()
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
