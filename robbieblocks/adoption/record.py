"""Which files were adopted as what: the record beside the components, and the merge by it.

Each file of an adopted component has three versions: as it was adopted last, as it lies in the
content folder, and as the source makes it now. What only the source changed is written, what only
a person changed is kept, and what both changed is a conflict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from robbieblocks.content import CODE_FILES, FolderFiles
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import Json, sha256
from robbieblocks.source_files import ProblemCollector

RECORD: Final = ".adopted.json"
Action = Literal["add", "update", "remove", "keep", "conflict", "unchanged"]
Side = Literal["theirs", "ours"] | None


@dataclass(slots=True, kw_only=True)
class Adopted:
    """One component: its file, from the content folder's parent, and a hash of each file."""

    source: str
    files: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class FileMerge:
    """What is done with one file: `text` is what it then says, None where it is not there.

    `theirs` is what the source makes of it; `base` the hash that is remembered.
    """

    action: Action
    text: str | None
    base: str | None
    theirs: str | None = None


def merged(new: str | None, held: str | None, base: str | None, side: Side) -> FileMerge:
    """Merge a file: `new` is the source's text, `held` what lies there, `base` a hash."""
    ours, theirs = _hash(held), _hash(new)
    if ours == theirs:
        return FileMerge("unchanged", held, theirs)
    if ours == base or (side == "theirs" and theirs != base):
        action: Action = "remove" if new is None else "add" if held is None else "update"
        return FileMerge(action, new, theirs)
    if theirs == base:
        return FileMerge("keep", held, base)
    if side == "ours":
        return FileMerge("keep", held, theirs)
    return FileMerge("conflict", held, base, new)


def merged_files(
    texts: Mapping[str, tuple[str | None, str | None]], base: Mapping[str, str], side: Side
) -> dict[str, FileMerge]:
    """Merge a component's files by name: of each the source's text and what lies there.

    A component has one file of code. Where the source has it under another name than it lies there,
    and that one stays, both are in conflict; the side that wins has its own alone.
    """
    found = {
        name: merged(new, held, base.get(name), side)
        for name, (new, held) in texts.items()
        if new is not None or held is not None or name in base
    }
    staying = [name for name in CODE_FILES if name in found and found[name].text is not None]
    own = [name for name in staying if texts[name][0] is not None]
    if len(staying) == 1 or not own:
        return found
    new = texts[own[0]][0]
    if side == "theirs":
        found |= {name: FileMerge("remove", None, None) for name in staying if name not in own}
    elif side == "ours":
        found[own[0]] = FileMerge("keep", None, _hash(new))
    else:
        found[own[0]] = FileMerge("conflict", None, base.get(own[0]), new)
    return found


def is_unfinished(
    mistake: Problem, merges: Mapping[str, Mapping[str, FileMerge]], content: Path
) -> bool:
    """Whether a mistake is one of a component that an earlier run was ended over.

    Nothing of a person's is in its folder then, and the next run writes all of it.
    """
    file, folder = content.parent / mistake.key, content / "components"
    if not file.is_relative_to(folder):
        return False
    merge = merges.get(file.relative_to(folder).parts[0])
    return merge is not None and not any(
        each.action in ("keep", "conflict") for each in merge.values()
    )


def read_record(content: Path) -> dict[str, Adopted]:
    """The adopted components of a content folder, by key. Raises ContentError."""
    file = content / RECORD
    if not file.exists():
        return {}
    collector = ProblemCollector(content.parent, (content,))
    found = _adopted(collector.read_json(file))
    if found is None and not collector.problems:
        collector.add(file, "is not as `content adopt` writes it", "take it back from git")
    if collector.problems or found is None:
        raise ContentError(collector.problems)
    return found


def write_record(files: FolderFiles, adopted: Mapping[str, Adopted]) -> None:
    """Write the record where it differs. Raises OSError."""
    value: Json = {
        "components": {
            key: {"source": adopted[key].source, "files": dict(sorted(adopted[key].files.items()))}
            for key in sorted(adopted)
        }
    }
    files.put(files.content / RECORD, json.dumps(value, indent=2) + "\n")


def _adopted(value: Json) -> dict[str, Adopted] | None:
    components = value.get("components") if isinstance(value, dict) else None
    if not isinstance(components, dict):
        return None
    found: dict[str, Adopted] = {}
    for key, entry in components.items():
        if not isinstance(entry, dict):
            return None
        source, files = entry.get("source"), entry.get("files")
        if not isinstance(source, str) or not isinstance(files, dict):
            return None
        hashes = {name: value for name, value in files.items() if isinstance(value, str)}
        found[key] = Adopted(source=source, files=hashes)
    return found


def _hash(text: str | None) -> str | None:
    return None if text is None else sha256(text)
