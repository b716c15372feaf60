"""Reads what a form sends: urlencoded, multipart without files, or a JSON object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl

import orjson

from robbieblocks.model import Json

FIELDS_MAX: Final = 150
BODY_MAX_BYTES: Final = 256 * 1024

_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME: Final = re.compile(rb'(?:^|;)[ \t]*name="([^"\r\n]{1,200})"')


class BodyRefused(Exception):
    """A body that is no form's. The text continues a sentence; `status` is HTTP's."""

    def __init__(self, what: str, status: int = 400) -> None:
        super().__init__(what)
        self.status = status


def read_body(content_type: str, body: bytes) -> dict[str, str]:
    """The values of a body by name. Raises BodyRefused."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        match kind:
            case "application/x-www-form-urlencoded":
                given: Iterable[tuple[str, str]] = parse_qsl(
                    body.decode("utf-8"),
                    keep_blank_values=True,
                    max_num_fields=FIELDS_MAX,
                    # As of a body that is no UTF-8, nobody can say what was written.
                    errors="strict",
                )
            case "multipart/form-data":
                given = _parts(content_type, body)
            case "application/json":
                given = _members(body)
            case _:
                raise BodyRefused("has a content type that is no form's", 415)
        return _by_name(given)
    except ValueError:
        raise BodyRefused("can't be read") from None


def _by_name(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in given:
        if name in found or len(found) >= FIELDS_MAX:
            raise BodyRefused("has a field twice, or too many")
        found[name] = value
    return found


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The parts of a multipart body (RFC 7578)."""
    named = _BOUNDARY.search(content_type)
    if named is None:
        raise BodyRefused("has no boundary")
    delimiter = b"\r\n--" + (named[1] or named[2]).encode()
    parts = (b"\r\n" + body).split(delimiter, FIELDS_MAX + 2)
    for part in parts[1:]:
        if part.startswith(b"--"):
            return
        head, found, content = part.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        disposition = b"".join(
            line.partition(b":")[2]
            for line in lines
            if line[:20].lower() == b"content-disposition:"
        )
        name = _NAME.search(disposition)
        if not found or name is None:
            raise BodyRefused("has a part without a name")
        if b"filename" in disposition.lower():
            raise BodyRefused("has a file, and files are not taken", 415)
        yield name[1].decode("utf-8"), content.decode("utf-8")
    raise BodyRefused("does not end, or has too many fields")


def _members(body: bytes) -> Iterator[tuple[str, str]]:
    value: Json = orjson.loads(body)
    if not isinstance(value, dict):
        raise BodyRefused("is no JSON object")
    for name, member in value.items():
        match member:
            case bool():
                yield name, "on" if member else ""
            case str() | int() | float():
                yield name, str(member)
            case _:
                raise BodyRefused("has a value that is no text")
