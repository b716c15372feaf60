"""Writes files into a content folder: whole or not at all, and through no symlink."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.content.reading.media_files import MEDIA_MOST_BYTES
from robbieblocks.content.shape import EXAMPLES
from robbieblocks.file_reading import Refused, read_file


@dataclass(slots=True)
class FolderFiles:
    """The files of a content and a branding folder, while they are written.

    `wanted` are those that were put, `written` the ones of them that differed. Every method raises
    OSError.
    """

    content: Path
    branding: Path
    written: list[Path] = field(default_factory=list[Path])
    removed: list[Path] = field(default_factory=list[Path])
    wanted: set[Path] = field(default_factory=set[Path])
    # Files of rows that can't be read: they stay as they are.
    spared: set[Path] = field(default_factory=set[Path])

    def text(self, file: Path) -> str:
        """The text of a file; empty where it is not there or no text."""
        try:
            return self.content_of(file).decode("utf-8")
        except UnicodeDecodeError:
            return ""

    def content_of(self, file: Path) -> bytes:
        """The bytes of a file; none where it is not there."""
        try:
            return read_file(file, self.content, self.branding, most=MEDIA_MOST_BYTES)
        except FileNotFoundError:
            return b""

    def put(self, file: Path, text: str) -> None:
        """Write a file where its bytes differ, whole or not at all, and through no symlink."""
        self.put_bytes(file, text.encode())

    def put_bytes(self, file: Path, data: bytes) -> None:
        """The same for what is no text."""
        self.wanted.add(file)
        if os.path.lexists(file) and self.content_of(file) == data:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        self._check(file)
        temporary = file.with_name(f".{file.name}.new")
        # Whatever somebody left there is neither followed nor waited for.
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as aside:
            aside.write(data)
        temporary.replace(file)
        self.written.append(file)

    def remove(self, file: Path) -> None:
        """Remove a file or a symlink, and a row's folders where nothing else is in them."""
        self._check(file.parent)
        file.unlink()
        for folder in (
            file.parent,
            *([file.parent.parent] if file.parent.name == EXAMPLES else ()),
        ):
            if not any(folder.iterdir()):
                folder.rmdir()
        self.removed.append(file)

    def _check(self, path: Path) -> None:
        """Refuse a symlink below the two folders; they themselves may be ones."""
        folder = self.branding if path.is_relative_to(self.branding) else self.content
        if os.path.realpath(path) != str(Path(os.path.realpath(folder), path.relative_to(folder))):
            raise Refused(errno.ELOOP, "it is a symlink, or lies behind one", str(path))
