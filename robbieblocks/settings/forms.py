"""`[forms]` in robbieblocks.toml: where the forms of pages are sent, and `[receiver]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from robbieblocks.messages import printable
from robbieblocks.names import is_https_origin

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

NAME: Final = "forms"
RECEIVER: Final = "receiver"
RECEIVER_PATH: Final = "/_forms"
FORMS_MEANING: Final = "the forms that pages may have, and where each is sent"
LISTEN: Final = "127.0.0.1:8020"
PROXIES: Final = "127.0.0.1 ::1"

_FORM: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_PATH: Final = re.compile(r"/[!#-&(-;=?-~]{0,2000}")
_LISTEN: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(\d{1,5})"
)
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSettings:
    """A form: its endpoint elsewhere, or the receiver's where `endpoint` is empty.

    `tell` names the fields whose content is in the event that tells of a submission.
    """

    name: str
    endpoint: str = ""
    tell: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """The address to which pages send it."""
        return self.endpoint or f"{RECEIVER_PATH}/{self.name}"

    @property
    def origin(self) -> str:
        """The origin of an endpoint elsewhere."""
        return "/".join(self.endpoint.split("/")[:3])

    @property
    def path(self) -> str:
        """The path and query of an endpoint elsewhere."""
        return self.endpoint.removeprefix(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
    """How submissions are received. `listen` is HOST:PORT, `proxies` are addresses and networks.

    `per_minute` is what one address may send, `keep_days` how long submissions are kept.
    """

    listen: str = LISTEN
    proxies: tuple[str, ...] = tuple(PROXIES.split())
    per_minute: int = 10
    keep_days: int = 365

    @classmethod
    def of(cls, in_file: Mapping[str, str], *, per_minute: int, keep_days: int) -> ReceiverSettings:
        """What a project's file says, which its reader has checked."""
        return cls(
            listen=in_file.get("receiver.listen") or LISTEN,
            proxies=_words(in_file.get("receiver.trusted_proxies") or PROXIES),
            per_minute=per_minute,
            keep_days=keep_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The forms by name, and the receiver of those that have no endpoint elsewhere."""

    by_name: Mapping[str, FormSettings] = field(default_factory=dict[str, FormSettings])
    receiver: ReceiverSettings = field(default_factory=ReceiverSettings)

    @property
    def actions(self) -> dict[str, str]:
        """The address of each form, by its name."""
        return {name: form.action for name, form in self.by_name.items()}

    @property
    def applications(self) -> dict[str, str]:
        """The receiver by its path, as other applications are, where one of the forms needs it."""
        received = any(not form.endpoint for form in self.by_name.values())
        return {RECEIVER_PATH: f"http://{self.receiver.listen}"} if received else {}


def read_forms(table: Table) -> dict[str, FormSettings]:
    """The forms of the file, by name; mistakes are reported."""
    inner = table.table(NAME)
    return {
        name: _form(inner, name, each) for name, each in inner.named_tables(dotted=False).items()
    }


def check_receiver(receiver: Table, values: Mapping[str, str]) -> None:
    """Report what is wrong with `[receiver]`."""
    listen = values.get("receiver.listen") or LISTEN
    port = _LISTEN.fullmatch(listen)
    if port is None or not 0 < int(port[1]) <= _LAST_PORT:
        remedy = f'write host and port: listen = "{LISTEN}"'
        receiver.report("listen", f'is "{printable(listen)}"', remedy)
    for each in _words(values.get("receiver.trusted_proxies", "")):
        try:
            ip_network(each)
        except ValueError:
            remedy = 'write addresses and networks: trusted_proxies = "127.0.0.1 10.0.0.0/8"'
            receiver.report("trusted_proxies", f'has "{printable(each)}"', remedy)


def _form(forms: Table, name: str, table: Table) -> FormSettings:
    given = FormSettings(
        name=name, endpoint=table.string("endpoint") or "", tell=table.strings("tell")
    )
    if not _FORM.fullmatch(name):
        what = f'has "{printable(name)}", which is no name of a form'
        forms.report(name, what, "write small letters, digits and dashes, such as [forms.contact]")
    if given.endpoint and not (is_https_origin(given.origin) and _PATH.fullmatch(given.path)):
        remedy = 'write it as in "https://forms.example/f/contact": https, and no spaces or quotes'
        table.report("endpoint", f'is "{printable(given.endpoint)}"', remedy)
    if given.endpoint and given.tell:
        remedy = "take it out: only the receiver tells of submissions"
        table.report("tell", "and endpoint can't both be given", remedy)
    table.finish()
    return given


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())
