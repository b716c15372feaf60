"""The one object of a node that says what counts; whoever writes it has read the one before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from robbieblocks.errors import UsageError
from robbieblocks.objectstore import Bucket, Stored

ROUTER_KEY: Final = "pointer.json"
FLAT_KEY: Final = ".robbieblocks.json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterPointer:
    """The table that counts. `writer` is the site root that it is from.

    `history` are the tables that counted last, this one first; `days` is the table with which
    each of the last days ended. What they name stays in the bucket.
    """

    generation: int
    writer: str
    builds: Mapping[str, str]
    table: str
    history: tuple[str, ...] = ()
    days: Mapping[str, str] = field(default_factory=dict[str, str])
    layout: Literal["router"] = "router"

    @property
    def kept_tables(self) -> set[str]:
        """The tables whose objects stay."""
        return {self.table, *self.history, *self.days.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPointer:
    """What was put into the bucket: digest and tag of each object; no tag while it is uploaded.

    `removing` are objects that are to go. `retired` are assets that no page names since that day.
    """

    generation: int
    writer: str
    builds: Mapping[str, str]
    objects: Mapping[str, tuple[str, str]]
    uploading: bool = False
    removing: tuple[str, ...] = ()
    retired: Mapping[str, str] = field(default_factory=dict[str, str])
    layout: Literal["flat"] = "flat"


@dataclass(frozen=True, slots=True)
class Held:
    """What a read of a pointer found, and the tag to which a write over it is bound."""

    pointer: RouterPointer | FlatPointer
    etag: str


def key_of(layout: str) -> str:
    """The key of the pointer."""
    return ROUTER_KEY if layout == "router" else FLAT_KEY


def read(bucket: Bucket, layout: Literal["router", "flat"]) -> Held | None:
    """The pointer of a layout, or None. Raises BucketUnavailable; UsageError for another object."""
    key = key_of(layout)
    found = bucket.get(key)
    if found is None:
        return None
    try:
        given: dict[str, Any] = json.loads(found.data)
        if given["format"] != _FORMAT or given["layout"] != layout:
            raise ValueError("another format")  # noqa: TRY301 -- told as any other mistake
        return Held(_router(given) if layout == "router" else _flat(given), found.etag)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{bucket.address}{key} can't be read: {error!r}\n"
            "  -> remove it, and `robbieblocks bucket push --adopt`"
        ) from error


def stored(pointer: RouterPointer | FlatPointer) -> Stored:
    """The object of a pointer. Equal pointers have equal bytes."""
    text = json.dumps({"format": _FORMAT, **asdict(pointer)}, ensure_ascii=False, sort_keys=True)
    return Stored(
        key=key_of(pointer.layout),
        data=text.encode(),
        content_type="application/json",
        cache_control="no-store",
    )


def _router(given: dict[str, Any]) -> RouterPointer:
    return RouterPointer(
        generation=int(given["generation"]),
        writer=str(given["writer"]),
        builds=_texts(given["builds"]),
        table=str(given["table"]),
        history=tuple(map(str, given["history"])),
        days=_texts(given["days"]),
    )


def _flat(given: dict[str, Any]) -> FlatPointer:
    return FlatPointer(
        generation=int(given["generation"]),
        writer=str(given["writer"]),
        builds=_texts(given["builds"]),
        objects={str(key): (str(d), str(tag)) for key, (d, tag) in given["objects"].items()},
        uploading=bool(given["uploading"]),
        removing=tuple(map(str, given["removing"])),
        retired=_texts(given["retired"]),
    )


def _texts(given: dict[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()}
