"""Which files an export may replace: those that were not edited since they were last imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from robbieblocks.content.packaged import is_packaged
from robbieblocks.content.reading.folder import load_sound
from robbieblocks.content.shape import Content, ContentRow, RowName, Token
from robbieblocks.content.storing.merging import Side, row_hash
from robbieblocks.content.storing.stored import Stored

_MISTAKE = "has a mistake, which `robbieblocks content import --dry-run` names"


class KeptFile(NamedTuple):
    """A file that an export kept, the row it holds, and why; `chosen` where a side was taken."""

    file: Path
    name: RowName | None
    why: str
    chosen: bool


class Tokens(NamedTuple):
    """What `tokens.toml` is to hold; `strange` are those of it that have no row."""

    rows: tuple[Token, ...]
    strange: tuple[RowName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChoice:
    """What an export does with the file of each row, and what it has decided so far.

    `held` has what files and folders of components hold now. `own` says that rows are imported from
    these folders.
    """

    database: Stored
    rows: Mapping[RowName, ContentRow]
    files: Content
    held: Mapping[Path, RowName]
    mistaken: bool
    side: Callable[[RowName], Side]
    own: bool
    kept: list[KeptFile] = field(default_factory=list[KeptFile])
    in_step: list[RowName] = field(default_factory=list[RowName])

    @classmethod
    def of(
        cls,
        database: Stored,
        folder: Path | None,
        branding: Path,
        side: Callable[[RowName], Side],
        *,
        own: bool,
    ) -> Self:
        """The choice for a content folder and a folder of branding files, as they are now."""
        files, problems = load_sound(folder, branding)
        held = {file: RowName("node", key) for key, file in files.node_files.items()}
        held |= {row.file: RowName("page", row.key) for row in files.pages}
        in_folders = (row for row in files.components if not is_packaged(row))
        held |= {row.file.parent: RowName("component", row.key) for row in in_folders}
        held |= {row.file: RowName("media", row.key) for row in files.media}
        return cls(
            database=database,
            rows=database.content.rows(),
            files=files,
            held=held,
            mistaken=bool(problems),
            side=side,
            own=own,
        )

    def replaces(self, name: RowName, path: Path) -> bool:
        """Whether a row may be written into a file, or into the folder of a component."""
        if not any(path.glob("[!.]*")) if path.is_dir() else not path.exists():
            return self._stands(name, None)
        held = self.held.get(path)
        given = held and self.files.rows()[held]
        if self._decided(name, path, held, given):
            return self._stands(name, given if held == name else None)
        return False

    def tokens(self, file: Path, *, prune: bool) -> Tokens | None:
        """What the file of the tokens is to hold; None where it stays as it is."""
        given = {token.key: token for token in self.files.tokens}
        unread = self.mistaken and not given and file.exists() and file.stat().st_size > 0
        if unread and not self._decided(None, file, None, None):
            return None
        rows: dict[str, Token] = {}
        for row in self.database.content.tokens:
            name, held = RowName("token", row.key), given.pop(row.key, None)
            if held is None or self._decided(name, file, name, held):
                self._stands(name, held)
                rows[row.key] = row
            else:
                rows[row.key] = held
        unreadable = {name.key for name in self.database.unreadable if name.kind == "token"}
        left = {key: row for key, row in given.items() if not prune or key in unreadable}
        strange = tuple(RowName("token", key) for key in left if key not in unreadable)
        return Tokens((*rows.values(), *left.values()), strange)

    def _decided(
        self, name: RowName | None, file: Path, held: RowName | None, given: ContentRow | None
    ) -> bool:
        """Whether what a file holds is in the database already, or may be lost."""
        why = _MISTAKE
        if held is not None and given is not None:
            ours, base = self.rows.get(held), self.database.imported.get(held)
            if row_hash(given) in (base, ours and row_hash(ours)):
                return True
            why = "was edited since it was last imported" if base else "was never imported"
        side = self.side(name or RowName("token", ""))
        if side != "ours":
            self.kept.append(KeptFile(file, name, why, chosen=side == "theirs"))
        return side == "ours"

    def _stands(self, name: RowName, given: ContentRow | None) -> bool:
        """Note that a row's file says what it says, where the file is one that is imported."""
        if self.own or (given and row_hash(given) == self.database.imported.get(name)):
            self.in_step.append(name)
        return True
