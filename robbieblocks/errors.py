"""Everything that can go wrong, as one tree.

    RobbieBlocksError
    |-- Transient                 infrastructure failed; trying again can help (exit code 3)
    |   |-- DatabaseUnavailable
    |   |   |-- MasterUnavailable   the database that is kept in step has lost its master
    |   |   `-- ViewEndedSessions   every session ended while a collection's view was read
    |   |-- ToolchainUnavailable
    |   |-- SiteUnavailable       the site root or the cache can't be read or written
    |   |-- ProcessFailed         a child process died, hung or could not be started
    |   |-- GitHubUnavailable     GitHub can't be reached, or asks to wait too long
    |   `-- BucketUnavailable     the bucket can't be reached, or refuses
    `-- Permanent                 the same input fails again
        |-- ContentError          rows, templates or branding are wrong (exit code 1)
        |-- UsageError            the command line or the environment is wrong (exit code 2)
        |-- SchemaOutdated        the database lacks the schema this version needs (exit code 3)
        |   `-- SchemaIncomplete  parts of it are not there (yet), or disabled
        `-- RightsMissing         the database's role lacks a right (exit code 3)

A `Problem` says what is wrong with one row. A `ContentError` carries every problem that was found,
so that an editor can fix all of them at once.

Every public function raises only errors of this tree: driver and system errors are translated in
the package in which they occur.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one row, file or template: where, what, and how to fix it.

    `line` and `column` count from 1 in the text as it is stored; `source` is that line. `pointer`
    is a JSON pointer (RFC 6901) into `field`. `block` is the block_order on `page`. What a library
    says may quote the whole text of a row: of a long text the middle is left out. `rule` is the
    one of `robbieblocks check` that finds the same, and more of it. `passing` says that the machine
    was short of something: nobody keeps it, the next build looks again.
    """

    entity: str
    key: str
    what: str
    remedy: str = ""
    field: str = ""
    line: int | None = None
    column: int | None = None
    source: str = ""
    pointer: str = ""
    page: str = ""
    block: int | None = None
    severity: Severity = "error"
    rule: str = ""
    passing: bool = dataclasses.field(default=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Names in rows may be as long, and nest as deep, as anybody likes.
        for name in ("what", "remedy", "pointer", "field"):
            if len(text := getattr(self, name)) > _TEXT_CHARACTERS:
                half = _TEXT_CHARACTERS // 2
                object.__setattr__(self, name, f"{text[:half]} … {text[-half:]}")

    @property
    def where(self) -> str:
        """The row and the place in it: `component robbie-bar, react_code, line 12:7`."""
        parts = [f"{self.entity} {self.key}"]
        if self.page and not (self.entity == "page" and self.key == self.page):
            parts.append(f"on page {self.page}")
        if self.block is not None:
            parts.append(f"block {self.block}")
        if self.field:
            parts.append(self.field + (f" at {self.pointer}" if self.pointer else ""))
        if self.line is not None:
            column = "" if self.column is None else f":{self.column}"
            parts.append(f"line {self.line}{column}")
        return ", ".join(parts)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}"]
        if self.source and self.line is not None:
            lines += _quote(self.source, self.line, self.column)
        if self.remedy:
            lines.append(f"  -> {self.remedy}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, str | int]:
        """The problem as a JSON object; keys without a value are left out."""
        names = (name for name in self.__dataclass_fields__ if name != "passing")
        return {name: value for name in names if (value := getattr(self, name)) not in ("", None)}


_TEXT_CHARACTERS = 1_000
_QUOTED_WIDTH = 100


def _quote(source: str, line: int, column: int | None) -> list[str]:
    """The source line with a caret under the column, cut to a width that a terminal shows."""
    text = source.replace("\t", " ")
    start = 0
    if column is not None and column > _QUOTED_WIDTH - 20:
        start = column - _QUOTED_WIDTH // 2
    shown = text[start : start + _QUOTED_WIDTH]
    margin = f"  {line} | "
    quoted = [margin + shown]
    if column is not None:
        quoted.append(" " * (len(margin) - 2) + "| " + " " * max(0, column - 1 - start) + "^")
    return quoted


class RobbieBlocksError(Exception):
    """The root of all errors that public functions raise.

    To do: read the message; it says what to do.
    """

    exit_code = 3


class Transient(RobbieBlocksError):
    """Infrastructure failed; the same call may succeed later.

    To do: mend what the message names, or try again. A worker does so by itself.
    """


class DatabaseUnavailable(Transient):
    """The database can't be reached, or the connection was lost.

    To do: check the address that the message names, and that the server runs and takes connections.
    """


class MasterUnavailable(DatabaseUnavailable):
    """The master of a database that is kept in step can't be reached, or the connection was lost.

    To do: check the address that the message names, and the line to it. Edits wait meanwhile.
    """


class ViewEndedSessions(DatabaseUnavailable):
    """Every session of ours ended while the view of a collection was read; `collection` names it.

    To do: see the server's log. Where it comes back with this view, mend the view, or take the
    collection out of robbieblocks.toml; a worker tries it once more, then leaves it alone for a
    while.
    """

    def __init__(self, collection: str, said: str) -> None:
        super().__init__(
            f"every session of the server ended while the view of the collection {collection} was "
            f"read: {said}: see the server's log; where it comes back, mend the view, or take "
            f"[collections.{collection}] out of robbieblocks.toml"
        )
        self.collection = collection


class ToolchainUnavailable(Transient):
    """esbuild, React or a font is not in the cache, and can't be fetched.

    To do: let the machine reach an npm registry once; later builds need none.
    """


class SiteUnavailable(Transient):
    """The site root or the cache can't be read or written.

    To do: check that the disk is mounted, has room, and lets this account write.
    """


class ProcessFailed(Transient):
    """A child process died, hung or could not be started.

    To do: try again; where it comes back, look at the memory of the machine.
    """


class GitHubUnavailable(Transient):
    """GitHub can't be reached, has failed, or asks to wait longer than a command may.

    To do: try again later; a run of GitHub Actions can be started again.
    """


class BucketUnavailable(Transient):
    """The bucket can't be reached, or refuses what was asked; what is live locally stays.

    To do: check its address in the settings, the credentials and their rights; a worker tries again
    by itself.
    """


class Permanent(RobbieBlocksError):
    """The same input would fail again.

    To do: change what the message names.
    """


class ContentError(Permanent):
    """Rows, templates or branding are wrong; `problems` lists everything that was found.

    To do: correct each row or file at the place that is named.
    """

    exit_code = 1

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(Permanent):
    """The command line or the environment is wrong.

    To do: correct the option, variable or file; `--help` lists the options of a command.
    """

    exit_code = 2


class SchemaOutdated(Permanent):
    """The database lacks tables or columns that this version needs.

    To do: `robbieblocks db upgrade`, as the owner of the tables.
    """


class SchemaIncomplete(SchemaOutdated):
    """Tables, triggers or functions are missing or disabled, as while a dump is restored.

    To do: let the restore end; where none is running, `robbieblocks db upgrade`.
    """


class RightsMissing(Permanent):
    """The database's role lacks a right; the message has the GRANT that gives it.

    To do: let the owner of the tables run that GRANT, or `schema/roles.sql`.
    """
