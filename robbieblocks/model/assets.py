"""Files that are named by the hash of their content."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property

from robbieblocks.model.values import ASSET_PREFIX, sha256

_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Asset:
    """Immutable bytes served under `/_rb/`, named by the hash of their content."""

    name: str
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, stem: str, extension: str, content: bytes | str) -> Asset:
        """An asset named `<stem>-<16 hex digits>.<extension>`; the stem is made safe."""
        data = content.encode() if isinstance(content, str) else content
        slug = _SLUG.sub("-", stem.lower()).strip("-")[:60] or "asset"
        return cls(f"{slug}-{sha256(data)[:16]}.{extension}", data)

    @property
    def url(self) -> str:
        """The URL path of the asset."""
        return ASSET_PREFIX + self.name

    @cached_property
    def integrity(self) -> str:
        """The value of an `integrity` attribute (W3C Subresource Integrity).

        Hashes don't compress: pages name several, and a longer one is in each page.
        """
        digest = hashlib.sha256(self.content).digest()
        return "sha256-" + base64.b64encode(digest).decode()
