"""Whose a site root is: its marker says that it is there, and from which database it is published.

A disk that is not mounted leaves an empty folder, and a wrong address leads to another database:
publishing there would make a site anew, or replace one, that nobody meant.
"""

from __future__ import annotations

import json
from typing import Final

from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.release.files import disk
from robbieblocks.release.places.layout import nodes
from robbieblocks.release.places.site_root import SiteRoot

_MARKER: Final = "site.json"


def claim(
    site_root: SiteRoot,
    database: str | None,
    *,
    create: bool = False,
    adopt: bool = False,
    note: bool = True,
) -> str:
    """See to it that the site root is there and published from this database; what was noted.

    `database` is the id of the database, or None for one of an earlier version. A root that an
    earlier version made gets its marker, and one that knows no database yet is this one's from now
    on. `create` lets a missing root be made, `adopt` one of another database be taken over. Without
    `note` nothing is written, and the result is what would be noted. Raises SiteUnavailable for a
    root that is missing or may not be read, and UsageError for one of another database; then
    nothing was written.
    """
    marked, known = _marker(site_root)
    if marked and known == database:
        return ""
    path = site_root.path
    if not marked and not create and not nodes(site_root):
        raise SiteUnavailable(
            f"the site root {path} is missing, or is another folder: it has no {_MARKER}\n"
            "  -> mount its disk; a new site root is made by `robbieblocks build`, or by a worker "
            "with --create-root"
        )
    if known is not None and not adopt:
        raise UsageError(
            f"the site root {path} is published from the database {known}, and this one is "
            f"{database or 'of an earlier version, without an id'}\n"
            "  -> check the database's address; --adopt lets this database take over the site"
        )
    if note:
        _mark(site_root, database)
    named = database or "that has no id yet: `robbieblocks db upgrade` gives it one"
    return f"the site root {path} is published from now on from the database {named}"


def _marker(site_root: SiteRoot) -> tuple[bool, str | None]:
    """Whether the marker is there, and the database in it."""
    path = site_root.path / _MARKER
    with disk.attempt("read the marker of the site root", path):
        try:
            text = disk.read_file(path)
        except FileNotFoundError:
            return False, None
    try:
        known = json.loads(text)["database"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SiteUnavailable(
            f"could not read the marker of the site root {path}: {error!r}\n"
            "  -> remove the file; the next build writes it again"
        ) from error
    return True, None if known is None else str(known)


def _mark(site_root: SiteRoot, database: str | None) -> None:
    text = json.dumps({"database": database}) + "\n"
    with disk.attempt("make the site root", site_root.path):
        site_root.path.mkdir(parents=True, exist_ok=True)
        with disk.folder(disk.real(site_root.path)) as fd:
            disk.replace_file(_MARKER, text.encode(), dir_fd=fd)
        disk.sync_folder(disk.real(site_root.path))
