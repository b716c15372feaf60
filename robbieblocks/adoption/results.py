"""What an adoption gives: each file with all that was found, and what concerns several files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from robbieblocks.adoption.drafting import Drafts
from robbieblocks.adoption.drafts import Draft
from robbieblocks.adoption.record import FileMerge
from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.sources.reading import SourceFolder
from robbieblocks.adoption.trying import Tried
from robbieblocks.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedFile:
    """One file of the source: what it became, what is done with it, and how it works.

    `merges` has what is done with each file of the component, by name. With an error among
    `problems` it does not build; `through` are the components for which it then does not.
    """

    draft: Draft
    merges: Mapping[str, FileMerge]
    tried: Tried
    problems: tuple[Problem, ...]

    @property
    def works(self) -> bool:
        """Whether it builds, and nothing was found that can't work."""
        return self.tried.builds and all(each.severity != "error" for each in self.problems)

    @property
    def conflicts(self) -> list[str]:
        """The files of the component that both sides have changed."""
        return [name for name, merge in self.merges.items() if merge.action == "conflict"]


class MissingImport(NamedTuple):
    """An import of a package that the toolchain has not, the place of it, and what to do."""

    package: str
    place: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What an adoption does, or did.

    `left` are components whose file is gone from the source, by key. `page_sheets` are stylesheets
    that no component owns. `left_out` says why files and folders became nothing. `missing` are the
    imports of packages that the toolchain has not.
    """

    folder: SourceFolder
    files: tuple[AdoptedFile, ...]
    left: Mapping[str, str] = field(default_factory=dict[str, str])
    page_sheets: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    missing: tuple[MissingImport, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether every file works, and nothing is in conflict."""
        readable = not self.folder.unreadable
        return readable and all(each.works and not each.conflicts for each in self.files)


def all_problems(draft: Draft, result: Tried) -> tuple[Problem, ...]:
    """What was found in a file, and what compiling it told beside that, by place.

    An import of which compiling said nothing imports a type alone: the code runs without it.
    """
    told = {(each.key, each.line, each.column) for each in result.problems}
    known = {(each.key, each.line, each.column) for each in draft.problems if each.line}
    own = (
        replace(each, severity="warning")
        if (each.line, each.column) in draft.import_places
        and (each.key, each.line, each.column) not in told
        else each
        for each in draft.problems
    )
    further = (each for each in result.problems if (each.key, each.line, each.column) not in known)
    return tuple(sorted((*own, *further), key=lambda each: (each.line or 0, each.column or 0)))


def missing_imports(file: AdoptedFile, folder: SourceFolder) -> Iterator[MissingImport]:
    """The imports of missing packages that matter: types alone are gone when the code runs."""
    told = {problem.line for problem in file.tried.problems}
    for missing in file.draft.missing:
        if missing.line in told:
            place = f"{folder.name_of(file.draft.file)}:{missing.line}"
            yield MissingImport(missing.name, place, missing.remedy)


def left_out(modules: SourceModules, made: Drafts, found: Iterable[AdoptedFile]) -> dict[str, str]:
    """Why files and folders became nothing, by path."""
    drafts = {draft.file for draft in made.by_key.values()}
    removed = drafts - {each.draft.file for each in found}
    gone = "its component was removed here: take it back from git, if that was not meant"
    return {
        **modules.folder.skipped,
        **dict.fromkeys(modules.trees.keys() - drafts, "only hands on what others export"),
        **dict.fromkeys(modules.entries, "starts the app, which a page does"),
        **dict.fromkeys(removed, gone),
    }
