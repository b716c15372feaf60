"""Reads `hosts` and `scripts`: what pages may take from other sites."""

from __future__ import annotations

import re
from typing import Final, get_args

from robbieblocks.messages import printable
from robbieblocks.model import ANY_HOST, Host, HostUse, SiteScript
from robbieblocks.names import name_problem
from robbieblocks.site_settings.stated import Stated

# A page's policy names each, and browsers look through them with each request.
_MOST_HOSTS: Final = 100
_MOST_SCRIPTS: Final = 20
_MOST_DATA: Final = 20
_CATEGORY_LENGTH: Final = 50

USES: Final[tuple[HostUse, ...]] = get_args(HostUse)
LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PORT: Final = r"(?::[0-9]{1,5})?"
_HOST: Final = re.compile(
    rf"(?:https|wss)://(?:{LABEL}(?:\.{LABEL}){{0,30}}|\*\.{LABEL}(?:\.{LABEL}){{1,30}}){PORT}"
)
_LOCAL: Final = re.compile(rf"(?:http|ws)://(?:localhost|127\.0\.0\.1){PORT}")
# Without what means something in a policy: semicolons, commas, quotes, spaces.
_SCRIPT: Final = re.compile(
    rf"(?:https://{LABEL}(?:\.{LABEL}){{0,30}}{PORT})?/(?!/)[A-Za-z0-9._~:/@!$&()*+=%?-]*"
)
_INTEGRITY: Final = re.compile(r"sha(?:256|384|512)-[A-Za-z0-9+/]{43,86}={0,2}")
_DATA_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def read_hosts(stated: Stated) -> tuple[Host, ...]:
    """The hosts of an object: each with a list of what it is allowed."""
    found: list[Host] = []
    for origin, inner in stated.entries(_MOST_HOSTS).items():
        wrong = host_problem(origin)
        if wrong:
            inner.report(*wrong)
            continue
        uses = tuple(dict.fromkeys(each.choice(USES) for each in inner.items(len(USES))))
        if origin.startswith(("http:", "ws:", "wss:")) and set(uses) - {"connects"}:
            scheme = origin.partition(":")[0]
            inner.report(f"a host with {scheme} allows connects alone", 'write ["connects"]')
        found.append(Host(origin, uses))  # type: ignore[arg-type] # choice gives words of USES
    return tuple(found)


def host_problem(origin: str) -> tuple[str, str] | None:
    """What is wrong with the origin of another site, and the remedy; or None."""
    if origin == ANY_HOST:
        return None
    if _HOST.fullmatch(origin) or _LOCAL.fullmatch(origin):
        _, _, port = origin.partition("://")[2].partition(":")
        if port and not 0 < int(port) < 65_536:
            return f"{printable(origin)} has no port that there is", "write 1 to 65535"
        return None
    what = f"{printable(origin)} is no host that pages may be allowed"
    if not origin.isascii():
        return what, "write its name as DNS has it: xn--..., such as https://xn--mnchen-3ya.example"
    if origin != origin.lower():
        return what, f"write {printable(origin.lower())}"
    if "*" in origin:
        return what, "write a wildcard as in https://*.cdn.example"
    if origin.startswith("http://"):
        return what, "use https; http is for http://localhost:8080, in development"
    return what, "write scheme, host and port alone, such as https://maps.example"


def read_scripts(stated: Stated) -> tuple[SiteScript, ...]:
    """The scripts of a list of objects."""
    return tuple(_script(each) for each in stated.items(_MOST_SCRIPTS))


def _script(stated: Stated) -> SiteScript:
    known = ("src", "async", "integrity", "consent", "data")
    members = stated.members(known, required=("src",))
    src = members["src"].text() if "src" in members else ""
    if src and not _SCRIPT.fullmatch(src):
        remedy = "write an https URL or a path, other letters percent-encoded; no fragment"
        members["src"].report(f"{printable(src)} is no address of a script", remedy)
    integrity = members["integrity"].text() if "integrity" in members else ""
    if integrity and not _INTEGRITY.fullmatch(integrity):
        what = f"{printable(integrity)} is no hash of a script"
        members["integrity"].report(
            what, "write sha384- and the hash in base64, as its site has it"
        )
    category = members["consent"].text() if "consent" in members else ""
    wrong = name_problem(category, longest=_CATEGORY_LENGTH) if category else None
    if wrong:
        members["consent"].report(f"the category {wrong}", "such as statistics")
    return SiteScript(
        src=src,
        is_async=members["async"].flag() if "async" in members else False,
        integrity=integrity,
        consent=category,
        data=_data(members["data"]) if "data" in members else (),
    )


def _data(stated: Stated) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for name, inner in stated.entries(_MOST_DATA).items():
        if len(name) > _CATEGORY_LENGTH or not _DATA_NAME.fullmatch(name):
            inner.report(
                f"data-{printable(name)} is no attribute", "such as domain, for data-domain"
            )
        found.append((name, inner.text()))
    return tuple(sorted(found))
