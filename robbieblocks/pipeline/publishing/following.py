"""The pages and files of a release, made of those that are live by what differs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from robbieblocks.model import Manifest, PageEntries, PageEntry, ReleaseFiles, Sha256, sha256
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.publishing.node_files import folders

_NOTHING_LIVE: Final = Manifest(node="", app="", files={})


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingPages:
    """The pages of a release. `gone` are live entries that are not among them, `come` those that
    were made now. `displaced` are those of `gone` that were to stay, and whose place is taken.
    """

    entries: PageEntries
    gone: Sequence[PageEntry]
    come: Sequence[PageEntry]
    displaced: Sequence[PageEntry]

    @classmethod
    def of(
        cls, made: Sequence[PageEntry], run: RunPlan, failed: Mapping[str, object]
    ) -> FollowingPages:
        """Those that were `made`, and the live ones that stay, but where a new one has their place.

        A page that is held back stays, and so does one of those that `failed`.
        """
        live = run.live or _NOTHING_LIVE
        leaving = [
            page.live
            for page in run.pages
            if page.live is not None and page.change != "held back" and page.key not in failed
        ]
        left = set(map(id, leaving))
        displaced = [entry for entry in _in_place(made, live) if id(entry) not in left]
        gone = [*leaving, *displaced]
        return cls(
            entries=live.page_entries.altered(gone, made),
            gone=gone,
            come=made,
            displaced=displaced,
        )

    def files(
        self, run: RunPlan, contents: Mapping[str, bytes], beside: Mapping[str, bytes | None]
    ) -> ReleaseFiles:
        """The files of these pages, and those `beside` them; None for one that stays as it is live.

        `contents` are the bytes of the pages that were made now.
        """
        live = run.live or _NOTHING_LIVE
        changes: dict[str, Sha256 | None] = dict.fromkeys(entry.path for entry in self.gone)
        changes |= dict.fromkeys(live.files.keys() - live.page_entries.by_path.keys())
        changes |= {entry.path: sha256(contents[entry.path]) for entry in self.come}
        for path, body in beside.items():
            if body is not None:
                changes[path] = sha256(body)
            elif path in live.files:
                changes[path] = live.files[path]
        return live.release_files.altered(changes)


def _in_place(made: Sequence[PageEntry], live: Manifest) -> Iterator[PageEntry]:
    """The live pages whose file, or folder, is one of these pages' file or folder, each once."""
    found: dict[str, PageEntry | None] = {}
    by_path = live.page_entries.by_path
    for path in [entry.path for entry in made]:
        found[path] = by_path.get(path)
        # Only a path that is not live can be the folder of one that is, or lie in one of its name.
        if path not in live.files:
            found |= {folder: by_path.get(folder) for folder in folders(path)}
            found |= {below: by_path.get(below) for below in _below(path, live.paths)}
    yield from (entry for entry in found.values() if entry is not None)


def _below(folder: str, paths: Sequence[str]) -> Iterator[str]:
    """Those of these paths, which are sorted, that lie in a folder."""
    place = bisect_left(paths, f"{folder}/")
    while place < len(paths) and paths[place].startswith(f"{folder}/"):
        yield paths[place]
        place += 1
