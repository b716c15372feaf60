"""The master as a node sees it: one connection that asks and tells."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from robbieblocks import database
from robbieblocks.errors import (
    DatabaseUnavailable,
    MasterUnavailable,
    Permanent,
    RightsMissing,
    RobbieBlocksError,
    SchemaOutdated,
)
from robbieblocks.settings import Settings
from robbieblocks.sync.address import master_address
from robbieblocks.sync.hints import hinted
from robbieblocks.sync.master_values import Changes, Hello, Page, Part, TableRule
from robbieblocks.sync.patience import be_patient

_ROLE_IS_MISSING: Final = re.compile('role "[^"]*" does not exist')
# What is asked for at once: few rows at first, more while they come at once, fewer where they take
# long. A line that breaks now and then has to bring a page in between.
_ROWS_FIRST: Final = 25
_ROWS_MAX: Final = 5_000
_QUICK_S: Final = 1.0
_LONG_S: Final = 5.0
# A page that is smaller took long for other reasons than the line.
_LONG_CHARACTERS: Final = 65_536
_MAY_NOT_LOG_IN: Final = "is not permitted to log in"
_SEE_THERE: Final = (
    "see on the master that the node is admitted (`robbieblocks sync admit`), and that this "
    "address is of its role"
)

# Tell the master of this node and its clock, and learn of the master.
_HELLO: LiteralString = "SELECT sync_hello(%s, %s, %s)"
# In which schema the master's functions are, and whether this role may use that.
_WHERE: LiteralString = """
    SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE')
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.proname = 'sync_hello' ORDER BY 2 DESC, 1 LIMIT 1
"""
# The master's clock. As it asks for changes, it is refused where the node is.
_CLOCK: LiteralString = "SELECT clock_timestamp() FROM sync_changes(%s, NULL, 1)"
# Have the master apply a batch of the outbox; the answer goes back as it is.
_APPLY: LiteralString = "SELECT sync_apply(%s, %s::jsonb, %s)::text"
# The keys of some nodes, or of all.
_KEYS_OF: LiteralString = "SELECT sync_keys_of(%s, %s, %s::text[]::xid8[])"
# Which tables are kept in step, how, and what columns they have there.
_TABLES: LiteralString = """
    SELECT table_name, direction, rule, has_deletes, sync_schema(table_name)
      FROM sync_settings() ORDER BY table_name
"""
# A page of a table's rows and tombstones in the order of their keys, and where more follow the last
# key.
_COPY: LiteralString = """
    SELECT page::text, jsonb_array_length(page),
           CASE WHEN (page -> -1 -> 'is_more')::boolean THEN page -> -1 ->> 'row_key' END
      FROM sync_copy(%s, %s, %s, %s, %s) AS page
"""
# Hashes of a table by ranges of its keys.
_HASHES: LiteralString = """
    SELECT part, from_key, to_key, row_count, hash FROM sync_hashes(%s, %s, %s, %s, %s)
"""
# What changed after a place in the log.
_CHANGES: LiteralString = """
    SELECT (answer -> 'entries')::text, jsonb_array_length(answer -> 'entries'),
           (answer -> 'after')::text, (answer -> 'is_more')::boolean,
           coalesce((answer -> 'is_anew')::boolean, false)
      FROM sync_changes(%s, %s::jsonb, %s) AS answer
"""
# Read what the master has sent unasked, with the answer.
_HEED: LiteralString = "SELECT 1"
# Be woken where the log gets a row.
_LISTEN: LiteralString = "LISTEN sync_log"


class MasterLink:
    """A connection to the master, as the role of `node`. Methods raise MasterUnavailable where it
    is lost, and RightsMissing where the master refuses.
    """

    def __init__(
        self,
        connection: Connection,
        node: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connection
        self.node = node
        # Through a pooler the master can wake nobody.
        self.is_pooled = False
        self._monotonic = monotonic
        self._rows = _ROWS_FIRST

    @classmethod
    def open(
        cls,
        settings: Settings,
        node: str,
        watch: Callable[[str, Connection], None] = lambda _name, _connection: None,
    ) -> MasterLink:
        """Connect. Raises UsageError and MasterUnavailable; no message has a password."""
        there = replace(settings, database_url=master_address(settings))
        try:
            connection = database.connect(there, application_name=f"robbieblocks sync {node}")
        except DatabaseUnavailable as error:
            if _ROLE_IS_MISSING.search(str(error)):
                raise MasterUnavailable(
                    f"the master has no such role: there, `robbieblocks sync admit {node}` makes "
                    "that of this node, and prints the address to use here"
                ) from error
            if _MAY_NOT_LOG_IN in str(error):
                raise MasterUnavailable(
                    f"the master does not let the role of {node} log in: it was locked out, it "
                    f"seems; there, `robbieblocks sync admit {node} --new-password` lets it in "
                    "again, and prints the address to use here"
                ) from error
            raise MasterUnavailable(f"the master can't be reached: {error}") from error
        watch("master", connection)
        link = cls(connection, node)
        try:
            with asked("begin a session at the master"):
                link.is_pooled = be_patient(connection)
        except BaseException:
            link.close()
            raise
        return link

    def hello(self, at: datetime, report: dict[str, object]) -> Hello:
        """Tell the master of this node, by the node's clock."""
        with self._found(), asked("say hello to the master"):
            row = self.connection.execute(_HELLO, (self.node, at, Jsonb(report))).fetchone()
        said: dict[str, Any] = row[0] if row else {}
        tombstones = said.get("tombstones_from")
        return Hello(
            master=said["master"],
            at=datetime.fromisoformat(said["at"]),
            skew_ms=int(said.get("skew_ms") or 0),
            schema_version=said.get("schema_version") or "",
            tombstones_from=datetime.fromisoformat(tombstones) if tombstones else None,
            is_other=bool(said.get("is_other")),
            cache_keys=said.get("cache_keys"),
        )

    def keys_of(self, nodes: Collection[str] | None, told: Collection[int] = ()) -> dict[str, str]:
        """The public keys with which these nodes sign, or all do; of who has none, nothing.

        `told` are the transactions of the master by which keys changed: they are waited for, a
        second at most.
        """
        with asked("ask the master for the nodes' keys"):
            given = None if nodes is None else sorted(nodes)
            values = self.node, given, [str(each) for each in told]
            ((keys,),) = self.connection.execute(_KEYS_OF, values).fetchall()
        found: dict[str, str] = keys
        return found

    def clock(self) -> datetime:
        """The master's time, asked without a word about this node: its sync may not run."""
        with self._found(), asked("ask the master for the time"):
            ((at,),) = self.connection.execute(_CLOCK, (self.node,)).fetchall()
        found: datetime = at
        return found

    def apply(self, entries: str, at: datetime) -> str:
        """Have a batch applied; the answer is for the node's `settle`."""
        with asked("send changes to the master"):
            row = self.connection.execute(_APPLY, (self.node, entries, at)).fetchone()
        return str(row[0]) if row else "[]"

    def tables(self) -> tuple[TableRule, ...]:
        """Which tables are kept in step."""
        with asked("ask the master for its tables"):
            rows = self.connection.execute(_TABLES).fetchall()
        return tuple(TableRule(row[0], row[1], row[2], row[3], row[4] or {}) for row in rows)

    def copy(self, table: str, after: str | None, to: str | None, limit: int) -> Page:
        """A page of a table, of `limit` entries or less; the last one has no `last`."""
        began, rows = self._monotonic(), min(limit, self._rows)
        with asked(f"copy {table} from the master"):
            row = self.connection.execute(_COPY, (self.node, table, after, to, rows)).fetchone()
        page = Page(*row) if row else Page("[]", 0, None)
        self._brought(page, rows, began)
        return page

    def hashes(self, table: str, low: str | None, high: str | None, parts: int) -> list[Part]:
        """Hashes of a range of keys."""
        with asked(f"compare {table} with the master"):
            rows = self.connection.execute(_HASHES, (self.node, table, low, high, parts))
            return [Part(*row) for row in rows]

    def changes(self, after: str | None, limit: int) -> Changes:
        """What changed after a place: whole transactions, of some `limit` rows together."""
        began, rows = self._monotonic(), min(limit, self._rows)
        with asked("ask the master for changes"):
            found = self.connection.execute(_CHANGES, (self.node, after, rows)).fetchall()
        ((entries, count, place, is_more, is_anew),) = found
        page = Page(entries, count, None)
        self._brought(page, rows, began)
        return Changes(page=page, after=place, is_more=is_more, is_anew=is_anew)

    def _brought(self, page: Page, rows: int, began: float) -> None:
        """Ask for more or fewer rows from here on."""
        took_s = self._monotonic() - began
        if took_s > _LONG_S and len(page.entries) > _LONG_CHARACTERS:
            self._rows = max(1, min(self._rows, page.count) // 2)
        elif took_s < _QUICK_S and page.count * 2 >= rows:
            self._rows = min(_ROWS_MAX, self._rows * 2)

    def listen(self) -> None:
        """Have the master wake this connection where its log gets a row, if it can."""
        if self.is_pooled:
            return
        with asked("listen at the master"):
            self.connection.execute(_LISTEN)

    def heed(self) -> None:
        """Read what the master has sent unasked: a notification, or that the line has ended."""
        with asked("read what the master sent"):
            self.connection.execute(_HEED)

    @contextmanager
    def _found(self) -> Generator[None]:
        """Say why none of the master's functions is found, where that is so."""
        try:
            yield
        except SchemaOutdated as error:
            raise self._without_functions() from error

    def _without_functions(self) -> RobbieBlocksError:
        """The error where none of the master's functions is found."""
        with asked("look for the functions of the sync at the master"):
            found = self.connection.execute(_WHERE).fetchone()
        info = self.connection.info
        if found is None:
            return MasterUnavailable(
                f"the database {info.dbname!r}, to which the address of the master "
                "leads, takes part in no sync: correct the address (ROBBIEBLOCKS_SYNC_MASTER_URL, "
                "or `sync.master`), or run `robbieblocks sync init-master` there"
            )
        schema, may_use = found
        role = f"the role {info.user} of this node"
        return RightsMissing(
            f"{role} does not look into the schema {schema} of the master, where the functions of "
            f'the sync are: there, ALTER ROLE "{info.user}" IN DATABASE "{info.dbname}" '
            f'SET search_path = "{schema}"'
            if may_use
            else f"{role} may not use the schema {schema} of the master: there, GRANT USAGE ON "
            f'SCHEMA "{schema}" TO "{info.user}", or `robbieblocks sync admit {self.node}` again'
        )

    def close(self) -> None:
        """Close the connection."""
        with suppress(Exception):
            self.connection.close()


@contextmanager
def asked(what: str) -> Generator[None]:
    """Raise our errors in place of the driver's, for a question to the master.

    `what` is as for `database.translated`.
    """
    try:
        with hinted(what, _SEE_THERE):
            yield
    except DatabaseUnavailable as error:
        raise MasterUnavailable(str(error)) from error
    except Permanent as error:
        if isinstance(error.__cause__, psycopg.errors.ObjectNotInPrerequisiteState):
            # It answers, and is no master at the moment.
            raise RightsMissing(str(error)) from error
        raise
