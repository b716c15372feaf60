"""What JSON that was read has where it is an object or a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value that came from JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether a value that came from JSON is a list."""
    return isinstance(value, list)


def node_of(payload: Mapping[str, object]) -> str:
    """The node that an event's payload is about; empty where it is about all, or damaged."""
    data = payload.get("data")
    return str(data.get("node", "")) if is_object(data) else ""
