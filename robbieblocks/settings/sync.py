"""`[sync]` in robbieblocks.toml: the master with which this database is kept in step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from robbieblocks.messages import printable

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

SyncTransport = Literal["auto", "stream", "poll"]
TRANSPORTS: Final[tuple[SyncTransport, ...]] = ("auto", "stream", "poll")
TLS: Final = ("required", "optional")
DIRECTIONS: Final = ("both", "down", "up", "never")
RULES: Final = ("row", "column")
NAME: Final = "sync"
TABLES_MEANING: Final = (
    "direction and rule of tables that are kept in step otherwise than by default"
)
_TABLES: Final = "tables"
# `sync.tables.NAME` has a direction, a rule, or both.
TABLES_PREFIX: Final = "sync.tables."


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """How this database is kept in step. `master` is None on the master itself.

    `tables` has direction and rule by table, for those that are not as they come.
    """

    master: str | None = None
    interval_s: int = 300
    transport: SyncTransport = "auto"
    is_tls_required: bool = True
    tables: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    @classmethod
    def of(cls, in_file: Mapping[str, str], *, master: str | None, interval_s: int) -> SyncSettings:
        """What a project's file says, which its reader has checked."""
        named: dict[str | None, SyncTransport] = {each: each for each in TRANSPORTS}
        return cls(
            master=master,
            interval_s=interval_s,
            transport=named.get(in_file.get("sync.transport"), "auto"),
            is_tls_required=in_file.get("sync.tls") != "optional",
            tables={
                key.removeprefix(TABLES_PREFIX): read_rule(value) or ("both", "row")
                for key, value in in_file.items()
                if key.startswith(TABLES_PREFIX)
            },
        )


def read_sync_tables(table: Table) -> dict[str, str]:
    """`[sync.tables]` of the table `[sync]`, by key; mistakes are reported."""
    found = table.texts(_TABLES)
    for name, value in found.items():
        if read_rule(value) is None:
            table.report(
                _TABLES,
                f'gives {printable(name)} "{printable(value)}"',
                'write a direction (both, down, up, never), a rule (row, column), or both: "down", '
                '"both column"',
                inside=name,
            )
    return {f"{TABLES_PREFIX}{name}": value for name, value in found.items()}


def read_rule(value: str) -> tuple[str, str] | None:
    """Direction and rule out of a text such as `both column`; None where it is none."""
    words = value.split()
    direction = [word for word in words if word in DIRECTIONS]
    rule = [word for word in words if word in RULES]
    if not words or len(direction) > 1 or len(rule) > 1 or len(direction) + len(rule) < len(words):
        return None
    return (direction or ["both"])[0], (rule or ["row"])[0]
