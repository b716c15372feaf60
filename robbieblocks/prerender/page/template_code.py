"""Compiled templates, kept by this process: several builds in it have the same templates."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Final

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_KEPT: Final = 200
_CODE: Final[dict[tuple[str, str, str], CodeType]] = {}


class TemplateCode(BytecodeCache):
    """What templates were compiled to. `state` names all files that a template may inline."""

    def __init__(self, state: Callable[[], str]) -> None:
        self._state = state

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a template, where it is known."""
        bucket.code = _CODE.get(self._key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        if bucket.code is not None:
            _CODE[self._key(bucket)] = bucket.code
            for oldest in [*_CODE][:-_KEPT]:
                _CODE.pop(oldest, None)

    def _key(self, bucket: Bucket) -> tuple[str, str, str]:
        return bucket.key, bucket.checksum, self._state()
