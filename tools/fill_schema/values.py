"""What stands in a column of row number `i`: an SQL expression, the same for the same seed.

Rows are dealt to the towns in turn. A row refers to rows of its own turn alone, so whatever a row
of a town leads to, over any number of references, is that town's.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from tools.fill_schema import words
from tools.fill_schema.catalogue import Column, Table

_TOPICS = 50
# Another column of the same row, in an expression that is given.
_NAMED = re.compile(r"\$\[(\w+)\]")
_WIDTH = re.compile(r"\((\d+)(?:,(\d+))?\)")
_ENDS = re.compile(r"^(last_|updated|end_|completed|resolved|modified|retry|processed)|_synced$")
_EXPIRES = re.compile(r"expire|deadline|due_|estimated_completion|close_date|predicted")


@dataclass(frozen=True, slots=True)
class Values:
    """Makes expressions.

    `counts` are the rows of each table, all multiples of `towns`; `vectors` is how many rows of a
    table have one; `offsets` are the largest numbers of each table's key before.
    """

    seed: int
    towns: int
    vectors: int
    tables: Mapping[str, Table]
    counts: Mapping[str, int]
    offsets: Mapping[str, int]

    def of(self, table: Table, column: Column, i: str = "i") -> str:
        """The expression for a column in row `i`, which is itself an expression."""
        given = words.GIVEN.get(f"{table.name}.{column.name}")
        if given is not None:
            given = given.replace("$i", i).replace("$h", self._hash(table, column, i))
            return _NAMED.sub(lambda name: self.of(table, table.columns[name[1]], i), given)
        if words.SELDOM.search(column.name):
            made = self._by_type(table, column, i)
            return f"CASE WHEN {self._hash(table, column, i)} % 20 = 0 THEN {made} END"
        if column.target:
            return self._reference(table, column, i)
        if column.sequence:
            return f"({self.offsets.get(table.name, 0)} + {i})"
        if column.words:
            return _one_of(column.words, self._hash(table, column, i))
        if column.type == "boolean":
            often = column.name in ("is_active", "active", "is_published")
            return f"({self._hash(table, column, i)} % 4 {'<>' if often else '='} 0)"
        return self._by_type(table, column, i)

    def _hash(self, table: Table, column: Column, i: str) -> str:
        """A number from 0 to 2^31 - 1 that depends on the seed, the column and the row."""
        salt = zlib.crc32(f"{self.seed}/{table.name}.{column.name}".encode())
        return f"(hashint8extended({i}::bigint, {salt}) & 2147483647)"

    def _reference(self, table: Table, column: Column, i: str) -> str:
        parent, key = column.target or ("", "")
        if parent == table.name:
            return "NULL"
        step, turns = f"(({i} - 1) / {self.towns})", self.counts[parent] // self.towns
        before, number = 1, None
        for name in sequential(table):
            target = table.columns[name].target
            if name == column.name:
                shift = f" + {step} % {before} * 7919" if before > 1 else ""
                number = f"(({step} / {before}{shift}) % {turns})"
            before *= self.counts[target[0]] // self.towns if target else 1
        if number is None:
            # The product of two draws: a few parents have many children, and most have few.
            drawn = self._hash(table, column, i)
            number = f"(({drawn} % {turns}) * ({drawn} / 1009 % {turns}) / {turns})"
        row = f"({number} * {self.towns} + ({i} - 1) % {self.towns} + 1)"
        return self.of(self.tables[parent], self.tables[parent].columns[key], row)

    def _by_type(self, table: Table, column: Column, i: str) -> str:
        drawn = self._hash(table, column, i)
        kind = column.type
        if kind.endswith("[]"):
            return f"ARRAY[{_one_of(words.TAGS, drawn)}]" if kind.startswith("text") else "'{}'"
        if kind.startswith(("character", "text")):
            return self._text(table, column, i, drawn)
        if kind.startswith(("timestamp", "date")):
            return self._moment(table, column, i)
        if kind.startswith(("integer", "bigint", "smallint", "numeric", "double", "real")):
            return self._number(table, column, i, drawn)
        if kind.startswith("vector"):
            return self._vector(column, i, drawn)
        return {
            "uuid": f"md5('{self.seed}/{table.name}.{column.name}/' || {i})::uuid",
            "inet": f"('10.' || {drawn} % 250 || '.0.' || {i} % 250)::inet",
            "jsonb": "'[]'" if "[" in column.default else f"jsonb_build_object('number', {i})",
        }.get(kind, "NULL")

    def _text(self, table: Table, column: Column, i: str, drawn: str) -> str:
        if "gen_random_uuid" in column.default:
            return f"md5('{self.seed}/{table.name}/' || {i})::uuid::text"
        made = words.text(column.name, i, drawn, unique=_in_key(table, column))
        if made is None:
            width = _WIDTH.search(column.type)
            room = int(width[1]) - 11 if width else 40
            made = f"'{column.name.replace('_', '-')[: max(room, 1)]}-' || {i}"
        return f"({made})::{column.type}"

    def _number(self, table: Table, column: Column, i: str, drawn: str) -> str:
        if names := sequential(table, column):
            before = 1
            for name in names:
                target = table.columns[name].target
                before *= self.counts[target[0]] // self.towns if target else 1
            return f"(({i} - 1) / {self.towns} / {before} + 1)"
        least = column.least or 0
        if column.type.startswith(("integer", "bigint", "smallint")):
            most = 100 if column.most is None else column.most
            return f"({int(least)} + {drawn} % {int(most - least) + 1})"
        width = _WIDTH.search(column.type)
        whole = int(width[1]) - int(width[2] or 0) if width else 0
        most = column.most or {0: 1, 1: 1, 3: 100}.get(whole, 10_000)
        return f"({least} + {drawn} / 2147483648.0 * {most - least})::{column.type}"

    def _moment(self, table: Table, column: Column, i: str) -> str:
        """A moment of the last year; of one row, ends are after beginnings."""
        salt = zlib.crc32(f"{self.seed}/{table.name}".encode())
        drawn = f"(hashint8extended({i}::bigint, {salt}) & 2147483647)"
        later = 5184000 if _EXPIRES.search(column.name) else 3600 * bool(_ENDS.search(column.name))
        made = f"(date_trunc('day', now()) - make_interval(secs => {drawn} % 31536000 - {later}))"
        flag = table.columns.get(column.name.removesuffix("_at"))
        if flag is not None and flag.type == "boolean":
            made = f"CASE WHEN {self.of(table, flag, i)} THEN {made} END"
        return f"({made})::{column.type}"

    def _vector(self, column: Column, i: str, drawn: str) -> str:
        """Near the middle of one of fifty topics, as texts of one subject are near each other."""
        size = column.type[7:-1]
        middle = f"sin(({drawn} % {_TOPICS} + 1) * d)"
        noise = f"(hashint8extended({i}::bigint * {size} + d, {self.seed}) & 65535) / 32768.0 - 1"
        made = f"array_agg({middle} + {noise})::{column.type} FROM generate_series(1, {size}) AS d"
        return f"CASE WHEN {i} <= {self.vectors} THEN (SELECT {made}) END"


def sequential(table: Table, number: Column | None = None) -> tuple[str, ...]:
    """The references that count up, because they alone tell rows apart.

    They are those of a key that has nothing else but, at most, one number. With `number`, only if
    it is that number.
    """
    for key in table.keys:
        columns = [table.columns[name] for name in key if name in table.columns]
        others = [c for c in columns if not c.target and not c.words]
        references = tuple(c.name for c in columns if c.target)
        counted = len(others) <= 1 and all(c.type == "integer" and not c.sequence for c in others)
        if references and counted and (number is None or number in others):
            return references
    return ()


def _in_key(table: Table, column: Column) -> bool:
    return any(column.name in key for key in table.keys)


def _one_of(choice: tuple[str, ...], drawn: str) -> str:
    listed = ", ".join(f"'{word}'" for word in choice)
    return f"(ARRAY[{listed}])[1 + {drawn} % {len(choice)}]"
