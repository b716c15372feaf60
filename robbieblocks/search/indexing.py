"""Makes an index in a child process, which is bounded and may be stopped at any time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks import process
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, Sha256, sha256
from robbieblocks.search.documents import Tags
from robbieblocks.search.listing import Listing, read_listing
from robbieblocks.source_hash import source_hash

_HERE: Final = Path(__file__).resolve().parent
_CODE: Final = source_hash(_HERE)
JOB: Final = "job.json"
LISTING: Final = "listing.json"
MADE: Final = "made"
CHANGED: Final = 10
# Measured: 10,000 pages of 300 words each take 49 s and 1.6 GB.
_TIMEOUT_S: Final = 900.0
_MEMORY_BYTES: Final = 4 << 30
_SAID: Final = 600


class SearchPage(NamedTuple):
    """A page to be indexed: its route, the file that has it, the hash of that file's bytes, and its
    tags.
    """

    route: str
    file: str
    digest: Sha256
    tags: Tags = ()


@dataclass(frozen=True, slots=True)
class Index:
    """An index and the bytes of its assets by name."""

    listing: Listing
    assets: Mapping[str, Asset]


def index_key(program: str, pages: Iterable[tuple[str, Sha256, Tags]]) -> str:
    """What an index is made from: the program, this code, each page's route, bytes and tags, in
    order.
    """
    # A route begins with a slash, and JSON with none.
    lines = [
        f"{digest} {json.dumps(tags) if tags else ''}{route}\n" for route, digest, tags in pages
    ]
    return sha256("".join([f"{program} {_CODE}\n", *lines]))


def make_index(
    program: Path,
    key: str,
    pages: Iterable[SearchPage],
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> Index | None:
    """The index of these pages; None where a file of them is not as it was any more.

    Raises ProcessFailed where it can't be made, took too long, or `go_on` says no; OSError where
    there is no room for temporary files.
    """
    with process.temporary_folder() as folder:
        (folder / MADE).mkdir()
        job = {"program": str(program), "key": key, "pages": list(pages)}
        (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
        child = (sys.executable, "-X", "utf8", "-m", "robbieblocks.search.indexing_process")
        done = process.run(
            [*child, folder], timeout=_TIMEOUT_S, memory_bytes=_MEMORY_BYTES, go_on=go_on
        )
        if done.returncode == CHANGED:
            return None
        listing = _listing(folder) if done.returncode == 0 else None
        if listing is None:
            said = done.stderr.decode(errors="replace").strip()[-_SAID:]
            raise ProcessFailed(
                f"the index for search was not made (exit code {done.returncode}): {said}"
            )
        made = sorted((folder / MADE).iterdir())
        return Index(listing, {each.name: Asset(each.name, each.read_bytes()) for each in made})


def _listing(folder: Path) -> Listing | None:
    try:
        return read_listing((folder / LISTING).read_bytes())
    except FileNotFoundError:
        return None
