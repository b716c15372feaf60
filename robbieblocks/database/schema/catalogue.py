"""Makes the stored catalogue: what the schema file makes of an empty database, by `describe`.

A file, so that a database is verified without making anything in it. `make catalogue` writes it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from robbieblocks.database.schema.applying import sources
from robbieblocks.database.schema.describing import describe, use_schema

_SCRATCH = "robbieblocks_catalogue"
# What the catalogue does not tell: comments and seeds.
_UNTOLD = re.compile(
    rb"^-- \(seeds begin\)$.*?^-- \(seeds end\)$|^ *--.*?$", re.DOTALL | re.MULTILINE
)


def made(connection: Connection) -> dict[str, str]:
    """The catalogue, made by running the schema file in a schema of its own, which is not kept."""
    with connection.transaction(force_rollback=True):
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(_SCRATCH)))
        use_schema(connection, _SCRATCH)
        for text in sources(None):
            connection.execute(text)
        return describe(connection, _SCRATCH)


def source_digest() -> str:
    """What the schema files say, as a digest: another one means that the catalogue is outdated."""
    return hashlib.sha256(b"".join(_UNTOLD.sub(b"", text) for text in sources(None))).hexdigest()


def as_text(definitions: Mapping[str, str]) -> str:
    """The text of the file that holds a catalogue."""
    held = {"source": source_digest(), "definitions": definitions}
    return json.dumps(held, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
