"""Reads folders of a git revision; working tree, index and repository stay as they are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks import process
from robbieblocks.errors import ProcessFailed, UsageError
from robbieblocks.messages import printable

_TIMEOUT_S: Final = 120.0
_FILES: Final = ("100644", "100755")
_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_HEADER_PARTS: Final = 3
_OF_HOOKS: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


class Revision(NamedTuple):
    """A commit of a repository: its full name, and when it was committed (RFC 3339)."""

    repository: Path
    commit: str
    date: str


def find(folder: Path, name: str) -> Revision:
    """The commit that a revision names in the repository of a folder.

    Raises UsageError where the folder is in no repository, or the revision is not there.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(
            f"git finds no repository that it may read around {folder}, so there is no revision "
            f"{printable(name)}\n  -> name a folder or live with --against; where the repository "
            f"is another user's: git config --global --add safe.directory {folder}"
        )
    repository = Path(os.fsdecode(top.rstrip(b"\n")))
    # What begins with a dash is an option to git, whatever stands before it.
    found = (
        None
        if name.startswith("-")
        else _git(
            repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
    )
    if found is None:
        raise UsageError(_missing(repository, name))
    commit = found.decode().strip()
    date = _git(repository, "show", "--no-patch", "--no-show-signature", "--format=%cI", commit)
    return Revision(repository, commit, (date or b"").decode().strip())


def _missing(repository: Path, name: str) -> str:
    shallow = _git(repository, "rev-parse", "--is-shallow-repository")
    remedy = (
        "this clone is shallow: fetch it, e.g. `git fetch --depth=1 origin main`, and name "
        "FETCH_HEAD; or fetch all: `git fetch --unshallow`"
        if shallow is not None and shallow.strip() == b"true"
        else "name a branch, tag or commit (`git branch --all` lists branches), a folder, or live"
    )
    return f"git knows no revision {printable(name)} in {repository}\n  -> {remedy}"


def extract(revision: Revision, folders: Iterable[Path], into: Path) -> tuple[str, ...]:
    """Write files and folders of a revision below `into`, each at its path in the repository.

    Paths count from the repository. The texts are those of the commit: no attribute or filter
    alters them. Returns notes of what could not be read. Raises UsageError, ProcessFailed.
    """
    notes: list[str] = []
    _extract(revision.repository, revision.commit, list(folders), into, notes)
    return tuple(notes)


def _extract(
    repository: Path, commit: str, paths: list[Path], into: Path, notes: list[str]
) -> None:
    wanted: list[tuple[str, str, Path]] = []
    for mode, name, path in _listed(repository, commit):
        inside = any(path.is_relative_to(each) for each in paths)
        if mode == _SUBMODULE:
            # The folders wanted may be in it, or it in one of them.
            below = [each.relative_to(path) for each in paths if each.is_relative_to(path)]
            if inside or below:
                _extract_submodule(repository / path, name, below, into / path, notes)
        elif inside and mode in (*_FILES, _LINK):
            wanted.append((mode, name, path))
    for (mode, _, path), content in zip(
        wanted, _contents(repository, [name for _, name, _ in wanted]), strict=True
    ):
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == _LINK:
            target.symlink_to(os.fsdecode(content))
        else:
            target.write_bytes(content)


def _extract_submodule(
    folder: Path, commit: str, below: list[Path], into: Path, notes: list[str]
) -> None:
    if (
        _git(folder, "cat-file", "-e", f"{commit}^{{commit}}") is None
        or not (folder / ".git").exists()
    ):
        notes.append(
            f"the submodule {folder.name} has no commit {commit[:12]} here, so the base lacks its "
            "files: git submodule update --init"
        )
        return
    _extract(folder, commit, below or [Path()], into, notes)


def _listed(repository: Path, commit: str) -> Iterator[tuple[str, str, Path]]:
    listing = _git(repository, "ls-tree", "-r", "-z", "--full-tree", commit)
    if listing is None:
        raise ProcessFailed(f"git can't list the commit {commit} in {repository}")
    for entry in listing.split(b"\0")[:-1]:
        described, path = entry.split(b"\t", 1)
        mode, _, name = described.decode().split(" ")
        yield mode, name, Path(os.fsdecode(path))


def _contents(repository: Path, names: list[str]) -> Iterator[bytes]:
    """The bytes of objects, in their order."""
    command = [*_command(repository), "cat-file", "--batch"]
    if not names:
        return
    with process.Child(command, env=_environment(), foreign=True) as git:
        for name in names:
            answer = git.converse(f"{name}\n".encode(), _is_whole, _TIMEOUT_S)
            header, content = answer.split(b"\n", 1)
            if len(header.split()) != _HEADER_PARTS:
                # A clone without blobs (--filter) fetches them; where it can't, git says so here.
                raise ProcessFailed(f"git can't read {name} in {repository}: {header.decode()}")
            yield content[:-1]


def _is_whole(answer: bytearray) -> bool:
    """Whether git's answer is complete: `name type size`, the bytes, and a newline."""
    end = answer.find(b"\n")
    if end < 0:
        return False
    header = bytes(answer[:end]).split()
    size = int(header[2]) + 1 if len(header) == _HEADER_PARTS else 0
    return len(answer) >= end + 1 + size


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What a git command prints, or None where it fails. Raises ProcessFailed without git."""
    done = process.run([*_command(folder), *arguments], env=_environment(), timeout=_TIMEOUT_S)
    return done.stdout if done.returncode == 0 else None


def _command(folder: Path) -> list[str]:
    # A repository's own settings may name programs; reading objects needs none of them.
    return [
        "git",
        "-C",
        str(folder),
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]


def _environment() -> dict[str, str]:
    """Git's environment: no lock is taken, nobody is asked, and messages are not translated."""
    own = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    # A hook sets these for its own repository.
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return inherited | own
