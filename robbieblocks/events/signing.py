"""Signs what is sent by the Standard Webhooks specification 1.0.0, with one or more secrets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

from robbieblocks.errors import UsageError

_PREFIX: Final = "whsec_"
_SHORTEST_BYTES: Final = 24
_LONGEST_BYTES: Final = 64


def read_secrets(text: str, variable: str) -> tuple[str, ...]:
    """The secrets that an environment variable has. Raises UsageError, which tells none of them."""
    secrets = tuple(text.split())
    if not secrets:
        raise UsageError(
            f"{variable} is not set, and a webhook is signed with what it has\n"
            f"  -> set it to {_PREFIX} and 24 to 64 bytes in base64, where the worker runs"
        )
    for number, secret in enumerate(secrets, start=1):
        if not _SHORTEST_BYTES <= _length(secret) <= _LONGEST_BYTES:
            raise UsageError(
                f"secret {number} of {variable} is no {_PREFIX} with 24 to 64 bytes in base64\n"
                '  -> make one: python -c "import base64, os; '
                f"print('{_PREFIX}' + base64.b64encode(os.urandom(32)).decode())\""
            )
    return secrets


def signed_headers(
    secrets: Sequence[str], event_id: str, at: datetime, body: bytes
) -> Mapping[str, str]:
    """The headers of an attempt at `at`: the id, its time, and a signature with each secret.

    A receiver takes the message where it knows one of them, so that a secret is replaced without a
    moment in which messages are refused.
    """
    text = body.decode()
    moment = at.astimezone(UTC)
    signatures = (Webhook(secret).sign(event_id, moment, text) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _length(secret: str) -> int:
    """The bytes of a secret, 0 where it is none."""
    if not secret.startswith(_PREFIX):
        return 0
    try:
        return len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
    except binascii.Error:
        return 0
