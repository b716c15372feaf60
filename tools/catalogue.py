"""Writes the catalogue with which `robbieblocks db verify` compares a database.

python tools/catalogue.py            run the schema file in the embedded Postgres, and write
python tools/catalogue.py --check    fail where the schema file has changed since
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from robbieblocks import database
from robbieblocks.database import embedded
from robbieblocks.database.catalogue import FILE
from robbieblocks.database.schema import catalogue
from robbieblocks.settings import Settings


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if parser.parse_args().check:
        held = json.loads(FILE.read_text("utf-8"))
        if held["source"] != catalogue.source_digest():
            print(f"{FILE} is outdated: run `make catalogue`", file=sys.stderr)
            return 1
        return 0
    with (
        tempfile.TemporaryDirectory() as home,
        embedded.server(Path(home), progress=print) as address,
        database.connect(
            Settings.from_environment(database_url=address), application_name="catalogue"
        ) as connection,
    ):
        FILE.write_text(catalogue.as_text(catalogue.made(connection)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
