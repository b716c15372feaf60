"""Who may send a form, and how often."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

_ADDRESSES_MAX: Final = 10_000
_MINUTE_S: Final = 60.0


@dataclass(slots=True)
class Rates:
    """What each address sent lately, in memory alone: `per_minute` at once, then one by one."""

    per_minute: int
    _left: OrderedDict[str, tuple[float, float]] = field(
        default_factory=OrderedDict[str, tuple[float, float]]
    )

    def wait_s(self, address: str, now_s: float) -> int:
        """Count a request; 0 where it may pass, else the seconds until one may."""
        key = _counted_as(address)
        left, since = self._left.pop(key, (float(self.per_minute), now_s))
        left = min(float(self.per_minute), left + (now_s - since) * self.per_minute / _MINUTE_S)
        passes = left >= 1
        self._left[key] = (left - 1 if passes else left, now_s)
        if len(self._left) > _ADDRESSES_MAX:
            self._left.popitem(last=False)
        return 0 if passes else max(1, math.ceil((1 - left) * _MINUTE_S / self.per_minute))


def _counted_as(address: str) -> str:
    """An address, or of IPv6 the network that one customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_own_origin(
    *, host: str, origin: str | None, fetch_site: str | None, known: Collection[str]
) -> bool:
    """Whether a request is from a page of ours; every browser says where it is from.

    `host` is the request's, `known` are the origins of nodes' sites. `Origin` is RFC 6454's,
    `Sec-Fetch-Site` that of Fetch Metadata.
    """
    if origin is not None:
        return origin in known or (bool(host) and _host_of(origin) == host.lower())
    return fetch_site == "same-origin"


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
