"""The keys with which nodes sign the results that they share.

This installation's goes to the master, and those of all that are admitted come back. No sync
depends on them: what fails is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import LiteralString

from robbieblocks import shared_cache
from robbieblocks.database import translated
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.settings import Settings
from robbieblocks.sync.node import NodeDatabase

# Note with which key the master itself signs.
_OWN_KEY: LiteralString = """
    UPDATE sync_nodes
       SET metadata = coalesce(metadata, '{}')
                      || jsonb_build_object('report', jsonb_build_object('cache_key', %s::text))
     WHERE node_id = (SELECT node_id FROM sync_self)
"""
# The keys of all that are admitted.
_KEYS: LiteralString = "SELECT sync_cache_keys()"


class Sharing:
    """Keys beside a cache whose results are shared; nothing without its `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.why = ""

    @classmethod
    def of(cls, settings: Settings) -> Sharing:
        """That of an installation."""
        return cls(settings.cache if settings.shared_cache is not None else None)

    def key(self) -> dict[str, str]:
        """What the master is told: `cache_key`, where there is one."""
        self.why = ""
        if self._folder is None:
            return {}
        try:
            return {"cache_key": shared_cache.public_key(self._folder)}
        except (SiteUnavailable, UsageError) as error:
            self.why = str(error)
            return {}

    def believe(self, keys: Mapping[str, str] | None) -> None:
        """Have entries of these nodes believed here; None: the master knows nothing of keys."""
        if self._folder is None or keys is None:
            return
        try:
            shared_cache.believe(self._folder, keys)
        except SiteUnavailable as error:
            self.why = str(error)

    def tend(self, master: NodeDatabase) -> None:
        """Do both on the master itself. Raises DatabaseUnavailable."""
        if not (own := self.key()):
            return
        with translated("read the nodes' keys"):
            master.connection.execute(_OWN_KEY, (own["cache_key"],))
            ((keys,),) = master.connection.execute(_KEYS).fetchall()
        self.believe(keys)
