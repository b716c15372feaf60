"""Reads the settings that become headers: `framed_by`, `permissions`, `report_only`, `reports`."""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.messages import printable
from robbieblocks.model import ANY_HOST, PolicyTrial
from robbieblocks.site_settings.hosts import LABEL, PORT, host_problem, read_hosts
from robbieblocks.site_settings.stated import Stated

_MOST_FRAMING: Final = 20
_MOST_ORIGINS: Final = 10
_LONGEST: Final = 500
_SELF: Final = "self"
REFERRER: Final = (
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
)
# W3C, "Permissions Policy" and the documents that name features of it.
FEATURES: Final = (
    "accelerometer",
    "ambient-light-sensor",
    "attribution-reporting",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "cross-origin-isolated",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "speaker-selection",
    "storage-access",
    "sync-xhr",
    "usb",
    "web-share",
    "window-management",
    "xr-spatial-tracking",
)
# What stands in a policy and in a quoted text of a header (RFC 9651) as it is, and is nothing to
# web servers: no semicolon, comma, quote, dollar, brace or space.
_ADDRESS: Final = re.compile(
    rf"(?:(?:https://{LABEL}(?:\.{LABEL}){{0,30}}|http://(?:localhost|127\.0\.0\.1)){PORT})?"
    r"/(?!/)[A-Za-z0-9._~:/@!&()*+=%?-]*"
)


def framed_by(stated: Stated) -> tuple[str, ...]:
    """The origins whose pages may show the site in a frame; none at all for an empty list."""
    return tuple(dict.fromkeys(_origin(each) for each in stated.items(_MOST_FRAMING)))


def permissions(stated: Stated) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each feature of browsers with the origins that may use it in pages; `self` is the site."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for feature, inner in stated.members(FEATURES).items():
        origins = [
            _SELF if each.value == _SELF else _origin(each, any_host=False)
            for each in inner.items(_MOST_ORIGINS)
        ]
        found.append((feature, tuple(dict.fromkeys(origins))))
    return tuple(sorted(found))


def reports(stated: Stated) -> str:
    """The address that browsers send reports to: a URL with https, or a path of the site."""
    address = stated.text(_LONGEST)
    if address and not _ADDRESS.fullmatch(address):
        what = f"{printable(address)} is no address that browsers send reports to"
        remedy = "write an https URL or a path, other letters percent-encoded; no fragment"
        stated.report(what, remedy)
    return address


def report_only(stated: Stated) -> PolicyTrial:
    """A policy that is tried: browsers report what it would refuse, and refuse nothing."""
    members = stated.members(("hosts", "trusted_types"))
    return PolicyTrial(
        hosts=read_hosts(members["hosts"]) if "hosts" in members else None,
        trusted_types=members["trusted_types"].flag() if "trusted_types" in members else False,
    )


def _origin(stated: Stated, *, any_host: bool = True) -> str:
    origin = stated.text(_LONGEST)
    if not origin:
        return ""
    if wrong := host_problem(origin):
        stated.report(*wrong)
    elif origin.startswith(("ws:", "wss:")) or (origin == ANY_HOST and not any_host):
        stated.report(f"{printable(origin)} is no site", "write such as https://portal.example")
    return origin
