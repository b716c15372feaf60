"""Writes media as files: the bytes as they are, and beside them what there is to say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from robbieblocks.content.file_names import file_names
from robbieblocks.content.reading.media_files import MEDIA, toml_of
from robbieblocks.content.shape import Media, RowName
from robbieblocks.content.storing.stored import Stored
from robbieblocks.content.writing import rows as writing
from robbieblocks.content.writing.folder_files import FolderFiles
from robbieblocks.content.writing.keeping import FileChoice
from robbieblocks.errors import Problem
from robbieblocks.objectstore import Originals

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class MediaFiles:
    """The folder `media/`, while it is written; `unreadable` are rows of which no bytes were found.

    Raises OSError, DatabaseUnavailable and BucketUnavailable.
    """

    def __init__(
        self, target: FolderFiles, choice: FileChoice, originals: Originals | None
    ) -> None:
        self._target, self._choice = target, choice
        self._originals = originals or Originals(None)
        self.unreadable: list[Problem] = []
        self._folder = target.content / MEDIA

    def write(self, database: Stored) -> None:
        """Write every row of a database; a file that holds its row already is not read again."""
        held = {row.key: row for row in self._choice.files.media}
        names = _names(database.content.media, held)
        for row in database.content.media:
            file = self._folder / names[row.key]
            toml = toml_of(file)
            if not self._choice.replaces(RowName("media", row.key), file):
                self._target.spared.update((file, toml))
                continue
            known = held.get(row.key)
            if known is not None and known.file == file and known.hash == row.hash:
                self._target.wanted.add(file)
            elif (content := self._bytes(row)) is None:
                self._target.spared.update((file, toml))
                continue
            else:
                self._target.put_bytes(file, content)
            text = writing.media_toml(row, file.name, self._target.text(toml))
            if text:
                self._target.put(toml, text)
            elif os.path.lexists(toml):
                self._target.remove(toml)
        for kind, key in database.unreadable:
            if kind == "media" and key in held:
                self._target.spared.update((held[key].file, toml_of(held[key].file)))

    def _bytes(self, row: Media) -> bytes | None:
        given = row.read()
        found = given if isinstance(given, bytes) else self._originals.read(given)
        if isinstance(found, bytes):
            return found
        self.unreadable.append(
            Problem(
                entity="media",
                key=row.key,
                field="content_address",
                what=found.what,
                remedy=found.remedy,
            )
        )
        return None


def _names(rows: Iterable[Media], held: dict[str, Media]) -> dict[str, str]:
    """The name of each row's file: the one that states its key, else its own, where it can be."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    others: list[Media] = []
    for row in rows:
        known = held.get(row.key)
        name = known.file.name if known is not None else row.file_name
        usable = _FILE_NAME.fullmatch(name) and not name.endswith(".toml")
        if usable and name.lower() not in taken:
            found[row.key] = name
            taken.add(name.lower())
        else:
            others.append(row)
    # Of these, the key makes the name.
    for key, stem in file_names(row.key for row in others).items():
        suffix = next(row.file_name for row in others if row.key == key).rpartition(".")[2]
        end = f".{suffix.lower()}" if re.fullmatch(r"[A-Za-z0-9]{1,10}", suffix) else ""
        name = f"{stem}{end}"
        while name.lower() in taken:
            name = f"_{name}"
        found[key] = name
        taken.add(name.lower())
    return found
