"""`[events]` in robbieblocks.toml: who is told of what happens to the sites."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from robbieblocks.messages import did_you_mean, printable

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

NAME: Final = "events"
KINDS: Final = (
    "run.published",
    "bucket.published",
    "run.failed",
    "run.held",
    "run.recovered",
    "rolled_back",
    "pinned",
    "unpinned",
    "held",
    "released",
    "drift.detected",
    "freeze.started",
    "freeze.ended",
    "form.received",
)
FORMATS: Final = ("standard", "slack")
HOOK: Final = "on_publish"
_AFTER_PUBLISH: Final = ("run.published", "bucket.published", "rolled_back")

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME: Final = re.compile(r"[A-Za-z0-9:][A-Za-z0-9:_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told of events.

    Of `url` and `url_variable`, the environment variable that has it, one is set. `secret_variable`
    has the secrets that sign, with spaces between; a Slack address needs none. `kinds` and `nodes`
    are those it is told of: empty for all. `allow_http`: without TLS is meant.
    """

    name: str
    url: str = ""
    url_variable: str = ""
    secret_variable: str = ""
    kinds: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    format: str = "standard"
    allow_http: bool = False

    def wants(self, kind: str, node: str) -> bool:
        """Whether it is told of such an event; one of all nodes (`node` is empty) concerns each."""
        of_node = not self.nodes or not node or node in self.nodes
        return of_node and (not self.kinds or kind in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """Who is told of events: webhooks, and a command that is run after each publish."""

    webhooks: tuple[Webhook, ...] = ()
    on_publish: tuple[str, ...] = ()

    def receivers(self, kind: str, node: str) -> tuple[str, ...]:
        """The names of the webhooks that are told of such an event, and of the command."""
        names = [each.name for each in self.webhooks if each.wants(kind, node)]
        if self.on_publish and kind in _AFTER_PUBLISH:
            names.append(HOOK)
        return tuple(names)


def read_events(table: Table) -> EventSettings | None:
    """What the file says of events, None where it says nothing; mistakes are reported."""
    inner = table.table(NAME)
    command = inner.strings(HOOK)
    if command and not all(command):
        inner.report(HOOK, "has an empty argument", 'write it as in ["purge-cdn", "--all"]')
    webhooks: list[Webhook] = []
    # An outline of the file takes from a table without values all that may be in it.
    for each in inner.tables("webhooks"):
        webhooks.append(_webhook(each, {known.name for known in webhooks}))
        each.finish()
    inner.finish()
    if not command and not webhooks:
        return None
    return EventSettings(webhooks=tuple(webhooks), on_publish=command)


def url_problem(url: str, *, allow_http: bool) -> tuple[str, str] | None:
    """What is wrong with an address, and the remedy; its secret parts are not told."""
    # Only a project with webhooks needs it.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return "can't be read", 'write it as in "https://hooks.example/robbieblocks"'
    plain = not re.search(r"[\s\x00-\x1f\x7f]", url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        return "is no address of the web", 'write it as in "https://hooks.example/robbieblocks"'
    if not port_is_right:
        return "has a port that there is not", "correct the port"
    if parts.username is not None or parts.password is not None:
        return "has a login in it", "take it out: what is sent is signed"
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        return (
            "has no TLS, so others on the way can read what is sent",
            "write https://, or say that it is meant: allow_http = true",
        )
    return None


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine itself."""
    from ipaddress import ip_address

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _webhook(table: Table, taken: Collection[str]) -> Webhook:
    url, url_variable = table.string("url") or "", table.string("url_variable") or ""
    given = Webhook(
        name=table.string("name") or _host(url),
        url=url,
        url_variable=url_variable,
        secret_variable=table.string("secret_variable") or "",
        kinds=frozenset(table.strings("events")),
        nodes=frozenset(table.strings("nodes")),
        format=table.string("format") or "standard",
        allow_http=table.boolean("allow_http", default=False),
    )
    _check_address(table, given)
    _check_name(table, given.name, taken)
    for kind in sorted(given.kinds - set(KINDS)):
        table.report("events", f'has "{printable(kind)}"', did_you_mean(kind, KINDS))
    if given.format not in FORMATS:
        table.report(
            "format", f'is "{printable(given.format)}"', did_you_mean(given.format, FORMATS)
        )
    for key in ("url_variable", "secret_variable"):
        variable = getattr(given, key)
        if variable and not _VARIABLE.fullmatch(variable):
            what = "is no name of an environment variable"
            table.report(key, what, 'write the name alone, as in "HOOK_SECRET": never the secret')
    return given


def _check_address(table: Table, given: Webhook) -> None:
    if bool(given.url) == bool(given.url_variable):
        both = "and url_variable are both given" if given.url else "is missing"
        table.report("url", both, "name the address, or the environment variable that has it")
    elif given.url and (problem := url_problem(given.url, allow_http=given.allow_http)):
        table.report("url", *problem)
    if given.format == "standard" and not given.secret_variable:
        remedy = "name the environment variable that has the secret: whsec_ and its bytes in base64"
        table.report("secret_variable", "is missing", remedy)


def _check_name(table: Table, name: str, taken: Collection[str]) -> None:
    if not _NAME.fullmatch(name):
        remedy = "give the webhook a name of letters, digits and dashes, which `events list` shows"
        table.report("name", "is missing" if not name else "can't name a webhook", remedy)
    elif name in taken or name == HOOK:
        table.report(
            "name", f'is "{name}", which another one has', "give each webhook another name"
        )


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
