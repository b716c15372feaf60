"""Brings files into the rows, and templates into builds: what can be is, and the rest is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from psycopg import Connection

from robbieblocks import content
from robbieblocks.content import Content, RowMerge, RowName
from robbieblocks.errors import ContentError, Problem
from robbieblocks.pipeline import BuildContext

_DONE: Final = {"add": "added", "update": "changed", "keep": "kept"}
_SAID_MAX: Final = 10
_ENTITIES: Final = {"token": "style_token", "node": "node_branding"}


@dataclass(slots=True, kw_only=True)
class FileImport:
    """A content and a branding folder. `say` takes a line for each row that was written or kept."""

    folder: Path
    branding: Path
    say: Callable[[str], None]
    media_size_max_mb: int
    # The files that have no mistake, as they were read last.
    found: Content = field(default_factory=Content)
    _said: frozenset[str] = frozenset()

    def run(self, connection: Connection) -> tuple[Problem, ...]:
        """Import what has no mistake and is in no conflict; the problems of the rest.

        A page that places a component which is nowhere stays out as well.

        Nothing is removed. Without the content folder nothing is done. Raises SchemaOutdated and
        DatabaseUnavailable.
        """
        # Of a folder that can't be looked at, `load_sound` says why.
        with suppress(OSError):
            if not self.folder.is_dir():
                self.found = Content()
                return ()
        found, mistakes = content.load_sound(self.folder, self.branding)
        large = content.too_large(found.media, self.media_size_max_mb)
        found = found.without(RowName("media", each.key) for each in large) if large else found
        self.found = found
        problems = [*mistakes, *large]
        while True:
            try:
                merged = content.import_(connection, found)
            except ContentError as error:
                problems += error.problems
                left_out = {RowName("page", each.key) for each in error.problems}
            else:
                conflicts = [row for row in merged if row.action == "conflict"]
                problems += map(_conflict, conflicts)
                left_out = {row.name for row in conflicts}
                if not left_out:
                    self._tell(merged, mistakes=bool(problems))
                    return tuple(problems)
            if left_out.isdisjoint(found.rows()):
                # What the database holds is wrong by itself.
                return tuple(problems)
            found = found.without(left_out)

    def _tell(self, merged: tuple[RowMerge, ...], *, mistakes: bool) -> None:
        """Say what was done; what was kept before is not said again.

        A file that stayed out looks like one that is gone: as long as there is one, rows without a
        file are not named.
        """
        told = [row for row in merged if not (mistakes and row.theirs is None)]
        kept = frozenset(f"{row.name}: {row.why}" for row in told if row.action == "keep")
        new = [
            row
            for row in told
            if row.action in _DONE and f"{row.name}: {row.why}" not in self._said
        ]
        for row in new[:_SAID_MAX]:
            self.say(f"{_DONE[row.action]:<8} {row.name}  ({row.why})")
        if len(new) > _SAID_MAX:
            self.say(f"and {len(new) - _SAID_MAX} more rows")
        self._said = self._said | kept if mistakes else kept


def _conflict(row: RowMerge) -> Problem:
    return Problem(
        entity=_ENTITIES.get(row.name.kind, row.name.kind),
        key=row.name.key,
        what=f"the file was not imported: {row.why}\n{content.difference(row)}",
        remedy=f"take a side: robbieblocks content import --theirs {row.name} (the file), "
        f"or --ours {row.name} (the database)",
    )


def read_templates(context: BuildContext, say: Callable[[str], None]) -> tuple[Problem, ...]:
    """Use the templates as they are now; where one can't be read, all stay as they were."""
    try:
        context.refresh(say)
    except ContentError as error:
        return error.problems
    return ()
