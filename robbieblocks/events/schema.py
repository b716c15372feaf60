"""The JSON Schema of the payloads, made of the values that they are made of."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from inspect import cleandoc
from typing import Any, Literal, get_args, get_origin, get_type_hints

from robbieblocks.events.event import COMMON, EVENTS, ChangedPage, Event


def payload_schema() -> dict[str, Any]:
    """The schema of all payloads (draft 2020-12); `type` says which of them one is."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Payloads of events",
        "oneOf": [_payload(each) for each in EVENTS],
    }


def _payload(event: type[Event]) -> dict[str, Any]:
    own = [each.name for each in fields(event) if each.name not in COMMON]
    hints = get_type_hints(event)
    data = {name: _value(hints[name]) for name in ("node", "app", *own)}
    return {
        "title": event.kind,
        "description": cleandoc(event.__doc__ or ""),
        **_object(
            {
                "type": {"const": event.kind},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": _object(data),
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _value(hint: Any) -> dict[str, Any]:
    if hint is str:
        return {"type": "string"}
    if hint is int:
        return {"type": "integer"}
    if hint == datetime | None:
        return {"type": ["string", "null"], "format": "date-time"}
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _value(get_args(hint)[0])}
    if hint is ChangedPage:
        inner = get_type_hints(ChangedPage)
        return _object({each.name: _value(inner[each.name]) for each in fields(ChangedPage)})
    raise TypeError(f"a field of an event has the type {hint}, which has no schema")
