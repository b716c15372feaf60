"""The address of a bucket, as a person writes it."""

from __future__ import annotations

import pytest

from robbieblocks.errors import UsageError
from robbieblocks.objectstore import Address

SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"s3://AKIAEXAMPLE:{SECRET}@sites/play", ""),
        (f"https://AKIAEXAMPLE:{SECRET}@sites.example.org", ""),
        ("s3://sites/play", f"https://AKIAEXAMPLE:{SECRET}@storage.example.org"),
        ("s3://sites/play", f"https://storage.example.org?X-Amz-Signature={SECRET}"),
    ],
)
def test_credentials_in_an_address_are_refused_and_not_quoted(url: str, endpoint: str) -> None:
    """The error says where they belong, and does not show them: it gets into logs and records."""
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY") as raised:
        Address.parse(url, endpoint=endpoint)
    assert SECRET not in str(raised.value)
