"""The database's address as a URL for other programs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from psycopg.conninfo import conninfo_to_dict

from robbieblocks import database
from robbieblocks.settings import Settings


@pytest.mark.parametrize(
    ("address", "variables", "url"),
    [
        ("postgres://ed:a%40b@h/d", {"PGUSER": "x"}, "postgres://ed:a%40b@h/d"),
        ("host=h port=7 user='a b' password='x@/y' dbname=d", {}, None),
        ("host=::1 dbname=d", {}, "postgresql://[::1]/d"),
        ("host='/run/a b,/x' user=ed sslmode=require", {}, None),
        ("host=a,b port=1,2", {"PGUSER": "ed"}, "postgresql://ed@/?host=a%2Cb&port=1%2C2"),
        ("", {"PGHOST": "h", "PGPORT": "7", "PGPASSWORD": "secret"}, "postgresql://h:7/"),
    ],
)
def test_a_url_says_what_the_address_says(
    monkeypatch: pytest.MonkeyPatch, address: str, variables: dict[str, str], url: str | None
) -> None:
    """A URL is given as it is; anything else is written as one that libpq reads back alike."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = replace(Settings.from_environment(), database_url=address or None)
    if url is None:
        assert conninfo_to_dict(database.url(settings)) == conninfo_to_dict(address)
    else:
        assert database.url(settings) == url
