"""The stored catalogue: what the schema file makes of an empty database, read from its file."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FILE = Path(__file__).parent / "schema" / "catalogue.json"


@functools.cache
def stored() -> Mapping[str, str]:
    """The definition of each thing that the schema has, by kind and name.

    `column robbieblocks_pages.page_key` has `character varying(255) not null`.
    """
    return MappingProxyType(json.loads(FILE.read_text("utf-8"))["definitions"])
