"""Where a bucket is, as a person writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable

_URL: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_CREDENTIALS: Final = "credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A bucket, and the prefix of all keys in it, which ends with a slash or is empty.

    `endpoint` is empty for Amazon's; `region` is empty for the environment's, or us-east-1.
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""

    @classmethod
    def parse(cls, url: str, *, endpoint: str = "", region: str = "") -> Address:
        """Read `s3://name/prefix`. Raises UsageError."""
        found = _URL.fullmatch(url)
        prefix = (found[2] or "").strip("/") if found else ""
        if "@" in url:
            # What is before it may be a password: it is not quoted.
            raise UsageError(
                "the address of the bucket has an @, as if credentials were in it\n"
                f"  -> write it as in s3://my-bucket/site; {_CREDENTIALS}"
            )
        if found is None or (prefix and not _PREFIX.fullmatch(prefix)):
            raise UsageError(
                f"{printable(url)} is no address of a bucket\n"
                "  -> write it as in s3://my-bucket/site: names of A-Z a-z 0-9 . _ -"
            )
        if endpoint:
            _check_endpoint(endpoint)
        return cls(
            name=found[1],
            prefix=f"{prefix}/" if prefix else "",
            endpoint=endpoint.rstrip("/"),
            region=region,
        )

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        parts, good = None, False
    if parts is None or not good or parts.username is not None or parts.query or parts.fragment:
        # It may hold a password: it is not quoted.
        raise UsageError(
            "the endpoint of the bucket is no plain http(s) address\n"
            f"  -> write it as in https://storage.example.org; {_CREDENTIALS}"
        )
