"""The record of a node's bucket beside its releases: what was published last, and what failed."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import SiteRoot

_NAME: Final = ".bucket.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Of one node: `writer` names this site root in the bucket, `folder` the node's folder on its
    disk: a copy of the site root has another, and is another writer.

    `builds` were published at `at` to `url`. `error` is why the last try failed, of `tries` since
    `failing_since`; empty where it did not. Times are RFC 3339.
    """

    writer: str
    folder: str = ""
    url: str = ""
    builds: Mapping[str, str] = field(default_factory=dict[str, str])
    at: str = ""
    error: str = ""
    tries: int = 0
    failing_since: str = ""

    def published(self, url: str, builds: Mapping[str, str], now: datetime) -> Record:
        """The record after a push."""
        at = now.isoformat(timespec="seconds")
        return Record(writer=self.writer, folder=self.folder, url=url, builds=dict(builds), at=at)

    def failed(self, error: str, now: datetime) -> Record:
        """The record after a try that failed."""
        since = self.failing_since or now.isoformat(timespec="seconds")
        return replace(self, error=error, tries=self.tries + 1, failing_since=since)


def read_record(site_root: SiteRoot, node: str) -> Record | None:
    """The record; None where there is none, or it is garbled."""
    try:
        given: dict[str, Any] = json.loads(_path(site_root, node).read_bytes())
        record = Record(**given)
        if record.writer:
            return record
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    return None


def own_record(site_root: SiteRoot, node: str) -> Record:
    """The record; where there is none, or it was copied along with its folder, a new one.

    Raises SiteUnavailable.
    """
    record = read_record(site_root, node)
    folder = _folder(site_root, node)
    if record is not None and not record.folder:
        record = replace(record, folder=folder)
        write_record(site_root, node, record)
    if record is None or record.folder != folder:
        # Before anything is in the bucket under that name, so that a kill does not lose it.
        record = Record(writer=uuid.uuid4().hex, folder=folder)
        write_record(site_root, node, record)
    return record


def write_record(site_root: SiteRoot, node: str, record: Record) -> None:
    """Put a record in place of the last. Raises SiteUnavailable."""
    path = _path(site_root, node)
    aside = path.with_name(f"{_NAME}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(asdict(record), indent=2) + "\n")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise SiteUnavailable(
            f"could not note in {path} what is in the bucket: {error.strerror}"
        ) from error


def _folder(site_root: SiteRoot, node: str) -> str:
    """What tells a node's folder from a copy of it."""
    path = site_root.path / node
    try:
        return str(path.stat().st_ino)
    except OSError as error:
        raise SiteUnavailable(f"could not look at {path}: {error.strerror}") from error


def _path(site_root: SiteRoot, node: str) -> Path:
    return site_root.path / node / _NAME
