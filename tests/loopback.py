"""Asks servers of this machine, without reading whom the world trusts first.

httpx reads all certificate authorities for each client, also for an address without TLS: that takes
longer than the answer.
"""

from __future__ import annotations

import ssl
from functools import partial
from typing import Final

import httpx

# Trusts no certificate at all.
_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

get: Final = partial(httpx.get, verify=_NOBODY)
client: Final = partial(httpx.Client, verify=_NOBODY)
