"""`robbieblocks templates copy`, and what a project's templates were copied from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.cli.output import print_result
from robbieblocks.cli.version import version
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.file_reading import read_file
from robbieblocks.messages import did_you_mean
from robbieblocks.model import sha256
from robbieblocks.settings import Settings

# In these a comment changes no page: Jinja and the CSS compiler leave it out.
_COMMENTS: Final = {".j2": ("{#", "#}"), ".css": ("/*", "*/")}
# The package's holds nothing: a project's takes no styles away.
_OWN_STYLES: Final = "site.css"
_ORIGIN: Final = re.compile(rb"copied from RobbieBlocks (\S+), sha256 ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A file of the project's templates that takes the place of the package's.

    `version` is the one that it was copied from, empty where its first line does not say so.
    `outdated`: the package's file has changed since; None where that is not known. `equal`: it says
    what the package's says.
    """

    name: str
    own: Path
    packaged: Path
    version: str
    outdated: bool | None
    equal: bool


def copy(names: list[str]) -> None:
    """Copy templates of the package into the project; each notes what it was copied from.

    Raises UsageError for an unknown name, for one that is there, and outside of a project.
    """
    settings = Settings.from_environment()
    own, packaged = _own(settings), settings.templates[-1]
    known = _files(packaged)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no template {name!r}: {did_you_mean(name, known)}")
        if os.path.lexists(own / name):
            raise UsageError(f"{own / name} is there already: remove it first to copy it anew")
    try:
        for name in names:
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            with (own / name).open("xb") as file:
                file.write(_with_origin(name, (packaged / name).read_bytes()))
            print_result(str(own / name))
    except OSError as error:
        raise SiteUnavailable(f"could not write {error.filename}: {error.strerror}") from error


def overrides(settings: Settings) -> Iterator[Override]:
    """The files of the project that take the place of the package's. Raises OSError."""
    *folders, packaged = settings.templates
    for own in folders:
        for name in sorted(_files(own) & _files(packaged) - {_OWN_STYLES}):
            text, ours = read_file(own / name, own), (packaged / name).read_bytes()
            origin = _ORIGIN.search(text.partition(b"\n")[0])
            yield Override(
                name=name,
                own=own / name,
                packaged=packaged / name,
                version=origin[1].decode(errors="replace") if origin else "",
                outdated=origin[2].decode() != sha256(ours) if origin else None,
                equal=text in (ours, _with_origin(name, ours)),
            )


def _own(settings: Settings) -> Path:
    """The project's folder of templates, which need not be there yet."""
    if len(settings.templates) > 1:
        return settings.templates[0]
    if settings.project is None:
        raise UsageError(
            "there is no project here, and ROBBIEBLOCKS_TEMPLATES names no folder\n"
            "  -> robbieblocks new DIR makes a project"
        )
    return settings.project.parent / "templates"


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _with_origin(name: str, content: bytes) -> bytes:
    """A file's content below a line that says where it is from, where it may have comments."""
    if (suffix := Path(name).suffix) not in _COMMENTS:
        return content
    begin, end = _COMMENTS[suffix]
    line = f"{begin} copied from RobbieBlocks {version()}, sha256 {sha256(content)} {end}\n"
    return line.encode() + content
