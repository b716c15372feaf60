"""What `settings` of nodes and frames allow of other sites, as far as it is more than they need."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.sources import Place
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import ANY_HOST, Json, canonical_json


class _Stated(NamedTuple):
    """The settings of one row, as it has them."""

    entity: str
    key: str
    field: str
    settings: Mapping[str, Json]
    path: tuple[str, ...] = ()

    def place(self, *inside: str | int) -> Place:
        pointer = json_pointer(*self.path, *inside)
        return Place(self.entity, printable(self.key), self.field, pointer)

    @property
    def hosts(self) -> Mapping[str, Json]:
        found = self.settings.get("hosts")
        return found if isinstance(found, Mapping) else {}

    @property
    def scripts(self) -> list[tuple[int, Mapping[str, Json], str]]:
        """The scripts of other sites: the position, the script and its address."""
        found = self.settings.get("scripts")
        each = enumerate(found) if isinstance(found, list) else ()
        stated = [(at, it, str(it.get("src"))) for at, it in each if isinstance(it, Mapping)]
        return [one for one in stated if urlsplit(one[2]).netloc]


def wide_hosts(checked: Checked) -> Iterator[Found]:
    """Allowances that stand for more than one host."""
    for stated in _stated(checked):
        for host in stated.hosts:
            if host == ANY_HOST or "*" in host:
                what = f"{printable(host)} allows more than one host"
                remedy = "name the hosts that pages need"
                yield Found(stated.place("hosts", host).problem(what, remedy))
        listed = stated.settings.get("framed_by")
        for position, origin in enumerate(listed if isinstance(listed, list) else ()):
            if origin == ANY_HOST or "*" in str(origin):
                what = f"{printable(str(origin))} may show pages in a frame, and is several sites"
                place = stated.place("framed_by", position)
                yield Found(place.problem(what, "name the sites that show them"))


def unused_hosts(checked: Checked) -> Iterator[Found]:
    """Allowances of hosts that nothing names. A script of another site may use what it likes."""
    if not checked.whole:
        return
    texts: list[str] | None = None
    for stated in _stated(checked):
        if stated.scripts:
            continue
        for host in stated.hosts:
            name = host.partition("://")[2].removeprefix("*")
            if not name:
                continue
            texts = _texts(checked) if texts is None else texts
            if not any(name in text for text in texts):
                what = f"nothing that pages have names {printable(host)}"
                yield Found(stated.place("hosts", host).problem(what, "take it out"))


def scripts_without_integrity(checked: Checked) -> Iterator[Found]:
    """Scripts of other sites that may become others without anybody's knowing."""
    for stated in _stated(checked):
        for position, script, src in stated.scripts:
            if not script.get("integrity"):
                what = f"{printable(src)} may change, and visitors would run what it became"
                remedy = "state its integrity, where the other site keeps a version as it is"
                yield Found(stated.place("scripts", position).problem(what, remedy))


def unreachable_reports(checked: Checked) -> Iterator[Found]:
    """Addresses of reports that browsers of visitors don't reach, and trials without one."""
    every = [*_stated(checked)]
    for stated in every:
        address = stated.settings.get("reports")
        if isinstance(address, str) and (why := _unreachable(address, checked)):
            what = f"reports to {printable(address)} reach nobody: {why}"
            remedy = "name an https address that takes reports"
            yield Found(stated.place("reports").problem(what, remedy))
        if stated.settings.get("report_only") and not any(
            other.settings.get("reports") for other in every
        ):
            what = "what is tried is reported to nobody, but for the browser's own console"
            yield Found(stated.place("report_only").problem(what, "state `reports`, too"))


def _unreachable(address: str, checked: Checked) -> str:
    """Why visitors' browsers don't reach it, as far as its form tells; or ""."""
    if address.startswith("/"):
        path = address.partition("?")[0]
        served = checked.settings.applications
        if any(path == at or path.startswith(f"{at}/") for at in served):
            return ""
        return "no application of [applications] answers there, and pages take no reports"
    name = urlsplit(address).hostname or ""
    try:
        is_public = ipaddress.ip_address(name).is_global
    except ValueError:
        is_public = "." in name
    return "" if is_public else f"{name} is no public name, and means another machine elsewhere"


def _stated(checked: Checked) -> Iterator[_Stated]:
    content = checked.inspection.content
    for node in content.nodes:
        if isinstance(node.settings, Mapping):
            yield _Stated("node_branding", node.id, "settings", node.settings)
    for page in (*content.pages, *content.frames):
        metadata = page.metadata if isinstance(page.metadata, dict) else {}
        settings = metadata.get("settings")
        if isinstance(settings, Mapping):
            yield _Stated("page", page.key, "metadata", settings, ("settings",))


def _texts(checked: Checked) -> list[str]:
    """Everything in the rows that may name a host, but for settings."""
    content = checked.inspection.content
    found = [text for row in content.components.values() for text in (row.code, row.css)]
    found += [text for node in content.nodes for text in (node.custom_css, node.custom_scripts)]
    found += [canonical_json(node.overrides) for node in content.nodes]
    found += [token.default for token in content.tokens]
    for page in (*content.pages, *content.frames):
        metadata = page.metadata if isinstance(page.metadata, dict) else {}
        found.append(canonical_json({k: v for k, v in metadata.items() if k != "settings"}))
        found += [canonical_json(block.props) for block in page.blocks]
    return [text for text in found if text]
