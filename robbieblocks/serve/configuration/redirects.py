"""The redirects of live releases, as nginx and Caddy are told them.

Both compare a pattern with the target of the request as it came: what is behind a wildcard goes
into `Location` as encoded as it is there, so no line break and no space can be in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote

from robbieblocks import release
from robbieblocks.model import (
    REDIRECTS_FILE,
    SHARED_APP,
    WILDCARD,
    Redirect,
    bare_path,
    read_redirects_text,
)
from robbieblocks.release import SiteRoot

_ENCODED: Final = re.compile("%[0-9A-F]{2}")


class Rule(NamedTuple):
    """A redirect for web servers. `pattern` captures the rest of the path and the query.

    The query is captured with its `?`, or without it where `joins` says that `location` has one.
    `location` ends before the rest; `fragment` comes after the query.
    """

    pattern: str
    status: int
    location: str
    with_rest: bool
    joins: bool
    fragment: str


def live_redirects(site_root: SiteRoot, node: str) -> tuple[Redirect, ...]:
    """What the node's live releases redirect, in the order in which it is to be looked for.

    Raises SiteUnavailable.
    """
    found: dict[str, Redirect] = {}
    for app in sorted(release.apps(site_root, node), key=lambda app: (app == SHARED_APP, app)):
        manifest = release.live(site_root, node, app)
        if manifest is not None and REDIRECTS_FILE in manifest.files:
            text = release.read_live(site_root, node, app, REDIRECTS_FILE)
            for each in read_redirects_text(text):
                found.setdefault(each.source if each.covers_all else bare_path(each.source), each)
    return tuple(sorted(found.values(), key=_first_looked_for))


def _first_looked_for(redirect: Redirect) -> tuple[bool, int, str]:
    return redirect.covers_all, -len(redirect.source), redirect.source


def rules_of(redirects: Iterable[Redirect]) -> list[Rule]:
    """The redirects as rules, in the same order."""
    return [_rule(each) for each in redirects]


def _rule(redirect: Redirect) -> Rule:
    if redirect.covers_all:
        path = _pattern(redirect.source.removesuffix(WILDCARD)) + r"(?:/[/\\]*([^?]*))?"
    else:
        path = _pattern(bare_path(redirect.source)) + "/?()"
    with_rest = redirect.target.endswith(WILDCARD)
    target = redirect.target.removesuffix("*") if with_rest else redirect.target
    url = target if target.startswith("https:") else quote(target)
    bare, mark, fragment = url.partition("#")
    joins = "?" in bare
    query = r"(?:\?(.*))?" if joins else r"(\?.*)?"
    return Rule(
        pattern=f"^{path}{query}$",
        status=redirect.status,
        location=bare,
        with_rest=with_rest,
        joins=joins,
        fragment=mark + fragment,
    )


def _pattern(path: str) -> str:
    """A pattern of a path as requests have it, encoded with letters of either case."""
    encoded = quote(path, safe="/~").replace(".", r"\.")
    return _ENCODED.sub(lambda found: _either_case(found[0]), encoded)


def _either_case(octet: str) -> str:
    return "".join(f"[{each}{each.lower()}]" if each.isalpha() else each for each in octet)
