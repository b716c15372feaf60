"""The headers of live releases, as nginx and Caddy are told them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from robbieblocks import release
from robbieblocks.model import HEADERS_FILE, header_lines, read_headers_text
from robbieblocks.release import SiteRoot
from robbieblocks.response_headers import SECURITY

AppHeaders = Mapping[str, Mapping[str, str]]


class Differing(NamedTuple):
    """A line of a header that not every app's pages have alike: its usual value, and those of some
    apps.

    An empty value is not sent. `variable` is its name as a variable of nginx's, which keeps those
    with less than 46 letters in its tables.
    """

    name: str
    variable: str
    usual: str
    by_app: Mapping[str, str]


def live_headers(site_root: SiteRoot, node: str) -> dict[str, dict[str, str]]:
    """What the settings of live releases ask for, by app, where they do. Raises SiteUnavailable."""
    found: dict[str, dict[str, str]] = {}
    for app in release.apps(site_root, node):
        manifest = release.live(site_root, node, app)
        if manifest is not None and HEADERS_FILE in manifest.files:
            found[app] = read_headers_text(release.read_live(site_root, node, app, HEADERS_FILE))
    return {app: headers for app, headers in found.items() if headers}


def differing(headers: AppHeaders) -> list[Differing]:
    """The headers that apps ask for, by name; each line of one that has several by itself."""
    lines: dict[tuple[str, int], dict[str, str]] = {}
    for app, own in sorted(headers.items()):
        for name, value in own.items():
            for place, line in enumerate(header_lines(name, value)):
                lines.setdefault((name, place), {})[app] = line
    return [
        Differing(
            name,
            f"$robbieblocks_header_{number}",
            "" if place else SECURITY.get(name, ""),
            by_app,
        )
        for number, ((name, place), by_app) in enumerate(sorted(lines.items()), 1)
    ]
