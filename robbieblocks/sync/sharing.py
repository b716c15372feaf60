"""The keys with which nodes sign the results that they share.

This installation's goes to the master, and those of all that are admitted come back. No sync
depends on them: what fails is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final, LiteralString

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
# Whoever can notify in the node's database can name nodes: of more than so many all keys are asked.
_NAMED_MAX: Final = 100
_NUMBER: Final = re.compile(r"[0-9]{1,18}")

Ask = Callable[[Collection[str] | None, Collection[int]], Mapping[str, str]]
"""Gives the keys of these nodes, or of all, once these transactions are seen."""


class Sharing:
    """Keys beside a cache whose results are shared; nothing without its `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._keys: Mapping[str, str] = {}
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
        """Have entries of these nodes believed here, and of no others; None: the master knows
        nothing of keys.
        """
        if self._folder is None or keys is None:
            return
        self._keys = keys
        try:
            shared_cache.believe(self._folder, keys)
        except SiteUnavailable as error:
            self.why = str(error)

    def renew(self, notices: Collection[str], ask: Ask) -> None:
        """Believe of the nodes of these notices what the master says now.

        A notice names a node and, where a stream brought it, the master's transaction. Raises what
        `ask` raises.
        """
        if self._folder is None or not notices:
            return
        nodes = {each.partition(" ")[0] for each in notices}
        told = [int(each) for each in map(_transaction, notices) if each]
        if len(nodes) > _NAMED_MAX:
            self.believe(ask(None, told[:_NAMED_MAX]))
            return
        others = {node: key for node, key in self._keys.items() if node not in nodes}
        self.believe(others | dict(ask(nodes, told[:_NAMED_MAX])))

    def tend(self, master: NodeDatabase) -> None:
        """Do both on the master itself. Raises DatabaseUnavailable."""
        if not (own := self.key()):
            return
        with translated("read the nodes' keys"):
            master.connection.execute(_OWN_KEY, (own["cache_key"],))
            ((keys,),) = master.connection.execute(_KEYS).fetchall()
        self.believe(keys)


def _transaction(notice: str) -> str:
    number = notice.partition(" ")[2]
    return number if _NUMBER.fullmatch(number) else ""
