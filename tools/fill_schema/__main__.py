"""`python -m tools.fill_schema --rows 100000 DATABASE_URL`: fill a unified schema's tables."""

from __future__ import annotations

import argparse
import sys
import time

import psycopg

from tools.fill_schema import NotEmptyError, fill


def main() -> int:
    """Fill the database, and print the rows of each table; 1 where it is refused."""
    asked = _asked()
    began = time.monotonic()
    try:
        with psycopg.connect(asked.database_url, autocommit=True) as connection:
            made = fill(
                connection, asked.rows, seed=asked.seed, towns=asked.towns, vectors=asked.vectors
            )
    except NotEmptyError:
        sys.stderr.write("the database has towns already: fill an empty one\n")
        return 1
    except psycopg.errors.UndefinedTable:
        sys.stderr.write("no table towns: robbieblocks db init --unified makes the tables\n")
        return 1
    except psycopg.Error as error:
        sys.stderr.write(f"{error}\nnothing was written\n")
        return 1
    for name, rows in sorted(made.items()):
        print(f"{rows:>10,}  {name}")
    print(f"{sum(made.values()):>10,}  in {time.monotonic() - began:.1f} s")
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.fill_schema",
        description="Fill all tables of a database to which the unified schema was applied.",
        epilog="Example: python -m tools.fill_schema --rows 100000 postgresql:///robbieverse. "
        "Changes the database: adds rows, in one transaction.",
    )
    parser.add_argument("database_url", help="the database, as the owner of its tables")
    parser.add_argument("--rows", type=_positive, default=10_000, help="about how many, in all")
    parser.add_argument("--towns", type=_positive, default=2, help="among how many towns")
    parser.add_argument("--seed", type=int, default=1, help="other seeds make other rows")
    parser.add_argument(
        "--vectors", type=int, default=200, help="rows of each table that have an embedding"
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
