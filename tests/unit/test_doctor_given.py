"""What `doctor` shows of the settings: each with its value and its source, and no password."""

from __future__ import annotations

import pytest

from robbieblocks.cli.operating.given import given
from robbieblocks.settings import SETTINGS, Settings


def test_every_setting_is_shown_and_no_password() -> None:
    """Each setting without levels has a value, where nothing is set."""
    shown = {each.setting for each in given(Settings.from_environment(), None)}
    assert {each.key or each.variable for each in SETTINGS if not each.choices} <= shown


@pytest.mark.parametrize("variable", ["ROBBIEBLOCKS_DATABASE_URL", "ROBBIEBLOCKS_SYNC_MASTER_URL"])
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://me:hidden@db.example.org/site", "database site on db.example.org"),
        ("host=db.example.org user=me password=hidden dbname=site", "database site on"),
        ("host=db.example.org password='hidden", "an address that can't be read"),
    ],
)
def test_an_address_is_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str, expected: str
) -> None:
    """In either form, and also where libpq can't read it."""
    monkeypatch.setenv(variable, address)
    lines = [str(each) for each in given(Settings.from_environment(), None)]
    assert [each for each in lines if expected in each and each.endswith(f"({variable})")]
    assert "hidden" not in "\n".join(lines)
