"""Pages by the texts of their files: a text is parsed once, by this process or an earlier one.

Only pages of one file without a mistake are remembered: what they are depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from robbieblocks.cache import Cache
from robbieblocks.content.shape import Block, Page
from robbieblocks.model import Sha256, sha256
from robbieblocks.source_files import exact_json
from robbieblocks.source_hash import source_hash

_CONTENT: Final = Path(__file__).parent.parent
_CODE: Final = source_hash(_CONTENT, _CONTENT.parent / "source_files")
_KIND: Final = "page file"
_FIELDS: Final = (
    *("key", "name", "app", "route", "layout", "title", "description", "status", "version"),
    *("created_by", "metadata"),
)
_BLOCK_FIELDS: Final = ("order", "zone", "component", "props", "conditions", "line")


class PageMemory:
    """The pages of files that were read; `save` brings those that are new into the cache."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._known: dict[Sha256, Page] = {}
        self._unsaved: dict[Sha256, Page] = {}

    def find(self, texts: Mapping[Path, str]) -> dict[Path, Page]:
        """The pages of those files whose text was read before, under the same name."""
        keys = {file: _key(file, text) for file, text in texts.items()}
        unread = [key for key in keys.values() if key not in self._known]
        for key, entry in self._cache.get_many(_KIND, unread).items():
            self._known[Sha256(key)] = _decoded(entry)
        return {
            file: replace(self._known[key], file=file)
            for file, key in keys.items()
            if key in self._known
        }

    def keep(self, file: Path, text: str, page: Page) -> None:
        """Remember the page of a text without a mistake, unless it names other files."""
        if not any(block.texts for block in page.blocks):
            key = _key(file, text)
            self._known[key] = self._unsaved[key] = page

    def save(self) -> None:
        """Bring what was kept into the cache."""
        entries: dict[str, bytes] = {key: _encoded(page) for key, page in self._unsaved.items()}
        self._cache.put_many(_KIND, entries)
        self._unsaved.clear()


def _key(file: Path, text: str) -> Sha256:
    # A page's key is its file's name, unless the text says another.
    return sha256("\0".join((_CODE, file.stem, text)))


def _encoded(page: Page) -> bytes:
    moment = page.published_at
    return exact_json.dumps(
        {
            **{name: getattr(page, name) for name in _FIELDS},
            "published_at": moment.isoformat() if moment else None,
            "blocks": [
                {name: getattr(block, name) for name in _BLOCK_FIELDS} for block in page.blocks
            ],
        }
    ).encode()


def _decoded(entry: bytes) -> Page:
    row: Any = exact_json.loads(entry.decode())
    moment = row.pop("published_at")
    blocks = tuple(Block(**block) for block in row.pop("blocks"))
    return Page(
        **row, published_at=datetime.fromisoformat(moment) if moment else None, blocks=blocks
    )
