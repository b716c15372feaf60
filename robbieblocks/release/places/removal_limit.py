"""How many pages a run may remove without a person's approval; kept in the site root."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.files import disk
from robbieblocks.release.places.site_root import SiteRoot

_FILE = "limits.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalLimit:
    """A run that would remove more than `pages` pages and more than `share` of them is held.

    So is one that would remove all pages of an app. The limit is kept beside the sites and not in
    the database: whoever empties the tables by mistake can't lift it with them.
    """

    pages: int = 5
    share: float = 1 / 3

    @classmethod
    def of(cls, site_root: SiteRoot) -> Self:
        """From `limits.json`: `{"removals": {"pages": 5, "share": 0.33}}`; without it the default.

        Raises SiteUnavailable where the file can't be read, or says something else.
        """
        path = site_root.path / _FILE
        with disk.attempt("read the limits", path):
            try:
                text = disk.read_file(path).decode("utf-8")
            except FileNotFoundError:
                return cls()
            except UnicodeDecodeError as error:
                raise _wrong(str(path), str(error)) from error
        try:
            given = json.loads(text)["removals"]
            limit = cls(pages=int(given["pages"]), share=float(given["share"]))
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
            raise _wrong(str(path), repr(error)) from error
        if limit.pages < 0 or not 0 <= limit.share <= 1:
            raise _wrong(str(path), "pages is 0 or more, share from 0 to 1")
        return limit

    def is_exceeded(self, *, removed: int, live: int) -> bool:
        """Whether removing so many of the live pages needs approval."""
        if removed == 0:
            return False
        return removed == live or (removed > self.pages and removed > self.share * live)


def _wrong(path: str, why: str) -> SiteUnavailable:
    return SiteUnavailable(
        f"could not read the limits {path}: {why}\n"
        '  -> write {"removals": {"pages": 5, "share": 0.33}}, or remove the file'
    )
