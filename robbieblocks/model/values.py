"""JSON, hashes, and names that all stages use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NewType, TypeAlias

import orjson

# A value that JSON has a form for. Lists and objects are read-only: rows are shared between stages.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]
Sha256 = NewType("Sha256", str)

SHARED_APP = "shared"
ASSET_PREFIX = "/_rb/"
ZONES = ("header", "sidebar", "main", "footer", "overlay")


def sha256(content: bytes | str) -> Sha256:
    """The SHA-256 of bytes, or of a text's UTF-8, as 64 hex digits."""
    data = content.encode() if isinstance(content, str) else content
    return Sha256(hashlib.sha256(data).hexdigest())


_CANONICAL = (
    orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
)
_CANONICAL_FALLBACK = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Json) -> str:
    """JSON that is equal for equal values: keys sorted, no spaces (like RFC 8785).

    NaN and infinity are written as null, or raise ValueError.
    """
    try:
        return orjson.dumps(value, option=_CANONICAL).decode()
    except orjson.JSONEncodeError:
        # For integers beyond 64 bits and values that nest too deep; ten times as slow.
        return _CANONICAL_FALLBACK.encode(value)
