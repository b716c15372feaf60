"""Which definitions serve as well as those that the schema file makes: equal or wider ones."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Postgres writes these back as they were given, and they are the same moment.
_NOW = frozenset({"now()", "CURRENT_TIMESTAMP", "transaction_timestamp()"})

_VARCHAR = re.compile(r"character varying(?:\((\d+)\))?")
_CAST = re.compile(r"::(?:text|character varying)(?:\(\d+\))?(?:\[\])?")
_ONE_OF = re.compile(r"CHECK (\w+)=ANY(?:ARRAY\[(.*)\]|'\{(.*)\}')")
_ONE = re.compile(r"CHECK (\w+)=('(?:[^']|'')*')")


@dataclass(frozen=True, slots=True)
class ColumnParts:
    """The parts of a column's description; `default` is empty where there is none."""

    type: str
    not_null: bool
    default: str


def column_parts(definition: str) -> ColumnParts:
    """Take a description such as `text not null default 'x'::text` apart.

    Defaults that mean the same become the same text.
    """
    declared, _, default = definition.partition(" default ")
    declared_type = declared.removesuffix(" not null")
    return ColumnParts(
        declared_type, declared != declared_type, "now()" if default in _NOW else default
    )


def satisfies(kind: str, found: str, expected: str) -> bool:
    """Whether what was found of a kind does all that the schema file's definition does.

    A text column may be longer or without a limit, and a check of words may admit more of them.
    """
    if found == expected:
        return True
    if kind == "column":
        here, wanted = column_parts(found), column_parts(expected)
        same_rest = (here.not_null, _plain(here.default)) == (
            wanted.not_null,
            _plain(wanted.default),
        )
        return same_rest and _is_as_wide(here.type, wanted.type)
    if kind == "constraint":
        admitted, needed = _words(found), _words(expected)
        return (
            admitted is not None
            and needed is not None
            and admitted[0] == needed[0]
            and admitted[1] >= needed[1]
        )
    # Over a text column Postgres writes no casts to text.
    return kind in ("view", "index") and _bare(found) == _bare(expected)


def _bare(definition: str) -> str:
    return re.sub(r"[()\s]", "", _CAST.sub("", definition))


def _plain(default: str) -> str:
    """A default without the cast to its column's type."""
    return _CAST.sub("", default)


def _is_as_wide(found: str, expected: str) -> bool:
    limit = _VARCHAR.fullmatch(expected)
    if found == expected or limit is None:
        return found == expected
    if found == "text":
        return True
    here = _VARCHAR.fullmatch(found)
    if here is None or (here[1] and not limit[1]):
        return False
    return not here[1] or int(here[1]) >= int(limit[1])


def _words(definition: str) -> tuple[str, frozenset[str]] | None:
    """The column and the words that a check admits, however it is spelled; None for another."""
    bare = _CAST.sub("", definition.removesuffix(" NOT VALID"))
    bare = re.sub(r"[()]", "", bare).replace(" = ", "=").replace("=ANY ", "=ANY")
    listed = _ONE_OF.fullmatch(bare)
    if listed:
        column, quoted, braced = listed.groups()
        words = braced.split(",") if braced is not None else quoted.split(",")
        return column, frozenset(word.strip().strip("'\"") for word in words)
    single = _ONE.fullmatch(bare)
    return (single[1], frozenset({single[2].strip("'")})) if single else None
