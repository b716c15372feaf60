"""404 pages: pages without a route of their own, for addresses of their app that have no page.

A page is one where its `metadata.not_found` is true. It stands in the folder in which its app
begins in its language, and answers the addresses below that folder; one of `shared`, in the app's
default language, those of the whole node. Lists, feeds and groups of translations are without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from robbieblocks.assemble.page_settings import language_of
from robbieblocks.assemble.relations.frames import default_language, frame_setting, is_due
from robbieblocks.assemble.routes import has_place, release_path
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import printable
from robbieblocks.model import (
    NOT_FOUND_DEPTH,
    NOT_FOUND_FILE,
    SHARED_APP,
    JsonObject,
    PageRow,
    same,
)
from robbieblocks.names import may_be_listed


def is_not_found_page(row: PageRow) -> bool:
    """Whether a page's metadata says that it is a 404 page."""
    metadata = row.metadata
    return (
        row.relates is not False
        and isinstance(metadata, dict)
        and metadata.get("not_found") is True
        and metadata.get("frame") is not True
    )


@dataclass(slots=True)
class NotFoundPages:
    """The 404 pages of one app, as they were made the last time, by key."""

    _known: dict[str, tuple[PageRow, str | None, PageRow]] = field(
        default_factory=dict[str, tuple[PageRow, str | None, PageRow]]
    )

    def placed(
        self, rows: Sequence[PageRow], shared_frames: Sequence[PageRow], now: datetime
    ) -> list[PageRow]:
        """The rows, which are sorted by key, with each 404 page at its place.

        `shared_frames` are around them, too.
        """
        frames = [row for row in rows if frame_setting(row) is True]
        default = default_language(frames, shared_frames, now)
        stated = [row for row in rows if is_not_found_page(row)]
        due = (
            row
            for row in rows
            if not is_not_found_page(row) and frame_setting(row) is not True and is_due(row, now)
        )
        folders = _folders(due, default)
        made = {row.key: self._made(row, folders, default) for row in stated}
        self._known = made
        return [made[row.key][2] if row.key in made else row for row in rows]

    def _made(
        self, row: PageRow, folders: Mapping[str, str], default_language: str
    ) -> tuple[PageRow, str | None, PageRow]:
        language = language_of(row.metadata, default_language).lower()
        is_nodes = row.app == SHARED_APP and language == default_language.lower()
        folder = "" if is_nodes else folders.get(language)
        known = self._known.get(row.key)
        if known is not None and same(known[0], row) and known[1] == folder:
            return known
        return row, folder, _at(row, folder, language)


def _at(row: PageRow, folder: str | None, language: str) -> PageRow:
    metadata: JsonObject = row.metadata if isinstance(row.metadata, dict) else {}
    if may_be_listed(metadata.get("robots")):
        metadata = {**metadata, "robots": "noindex"}
    if folder is not None:
        route = f"/{folder}{NOT_FOUND_FILE}"
        return replace(row, route=route, metadata=metadata, not_found=True)
    what = f"the app has no page in {printable(language)} that is due: so nothing is below it"
    wrong = ValueProblem("/not_found", what, "publish one in that language, or change lang")
    faults = (*row.faults, wrong.in_row("page", printable(row.key), "metadata"))
    return replace(row, route="", metadata=metadata, not_found=True, faults=faults)


def _folders(rows: Iterable[PageRow], default_language: str) -> dict[str, str]:
    """The folder in which an app begins, by language in small letters: that of the page at
    `/<app>/`, else of the one with the shortest route. It is empty, or ends with a slash.
    """
    found: dict[str, tuple[tuple[bool, int, str], str]] = {}
    for row in rows:
        bare = row.route.strip("/")
        order = bare != row.app, bare.count("/"), row.route
        language = language_of(row.metadata, default_language).lower()
        first = language not in found or order < found[language][0]
        if first and has_place(row):
            found[language] = order, row.route
    return {language: _folder(route) for language, (_, route) in found.items()}


def _folder(route: str) -> str:
    parts = release_path(route).split("/")[:-1]
    return "".join(f"{part}/" for part in parts[:NOT_FOUND_DEPTH])
