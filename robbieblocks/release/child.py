"""The process beside: `python -m robbieblocks.release.child compare|"bring up" FOLDER RELEASE`.

It answers by its exit status; what went wrong stands on stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import disk
from robbieblocks.release.making import HERE, NO, YES

_FAILED: Final = 3


def main(what: str, folder: Path, release: Path) -> int:
    """Do one of the two, and return the exit status."""
    do = {"compare": HERE.is_same, "bring up": HERE.bring_up}[what]
    try:
        with disk.attempt("make a spare release in", folder.parent):
            return YES if do(folder, release) else NO
    except SiteUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED


if __name__ == "__main__":
    process.die_with_parent()
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
