"""The indexing process: `python -m robbieblocks.search.indexing_process FOLDER`.

FOLDER has the job, and gets the listing and the assets. What is wrong is on stderr.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from robbieblocks import process
from robbieblocks.model import Json
from robbieblocks.search.documents import Document, document
from robbieblocks.search.indexing import CHANGED, JOB, LISTING, MADE
from robbieblocks.search.listing import Listing
from robbieblocks.search.packing import Shown, pack

_FAILED: Final = 3
_LEAST_URGENT: Final = 19


def main(folder: Path) -> int:
    """Do the job, and return the exit status."""
    job: dict[str, Any] = json.loads((folder / JOB).read_text(encoding="utf-8"))
    documents, made = folder / "documents", folder / "pagefind"
    documents.mkdir()
    shown: dict[str, Shown] = {}
    for route, file, digest, tags in job["pages"]:
        try:
            content = Path(file).read_bytes()
        except OSError:
            return CHANGED
        if hashlib.sha256(content).hexdigest() != digest:
            return CHANGED
        found = document(content.decode("utf-8", "replace"), tags)
        if found is not None:
            # A route may have any characters, and names of files mean something to Pagefind.
            name = hashlib.sha256(route.encode()).hexdigest()[:32] + ".html"
            (documents / name).write_text(found.html, encoding="utf-8", errors="replace")
            shown[f"/{name}"] = _shown(route, found)
    languages: dict[str, Json] = {}
    if shown:
        # A process that is killed has none that goes on for minutes.
        argv = [
            *process.setpriv_prefix(),
            job["program"],
            "--site",
            documents,
            "--output-path",
            made,
            "--quiet",
        ]
        # Without PATH and home no settings file of a user's is found.
        done = subprocess.run(argv, cwd=folder, env={}, capture_output=True, check=False)  # noqa: S603 - the checked program
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            sys.stderr.write(f"Pagefind ended with {done.returncode}: {said}\n")
            return _FAILED
        languages = pack(made, shown, folder / MADE)
    (folder / LISTING).write_bytes(Listing(job["key"], languages).text())
    return 0


def _shown(route: str, found: Document) -> Shown:
    return Shown(route, found.title, found.description, found.image)


if __name__ == "__main__":
    process.die_with_parent()
    os.nice(_LEAST_URGENT)
    sys.exit(main(Path(sys.argv[1])))
