"""Looks at this machine: its clock, and the worker that runs here."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import httpx

from robbieblocks import events, release, worker
from robbieblocks.cli.operating import systemd
from robbieblocks.cli.operating.doctor.findings import Finding, broken, failed, note, ok
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.messages import counted
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings

_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 1024
_TIMEOUT_S: Final = 5.0
_UNITS: Final = Path("/etc/systemd/system")
_OFF: Final = "off"
_RECENT_S: Final = 7 * 86_400.0


def clock() -> Iterator[Finding]:
    """Whether the kernel's clock is kept by NTP or the like, as adjtimex(2) says; Linux alone."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    # A zeroed struct timex, which is smaller, asks and changes nothing.
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) if adjtimex else -1
    if state == _TIME_ERROR:
        yield note(
            "clock",
            "nothing keeps this machine's clock right",
            "timedatectl set-ntp true, or install chrony; in a container, on its host",
            why="pages with from and until, pins and freezes change at its time",
        )
    elif state >= 0:
        yield ok("clock", "this machine's is kept right")


def health(settings: Settings) -> Iterator[Finding]:
    """What the worker at the configured address says of itself."""
    address = settings.health or f"127.0.0.1:{worker.DEFAULT_PORT}"
    if address == _OFF:
        return
    host, _, port = address.rpartition(":")
    host = "127.0.0.1" if host in ("", "0.0.0.0", "[::]") else host  # noqa: S104 -- asked, not bound
    try:
        alive, said = _asked(f"http://{host}:{port}/healthz")
        ready, _ = _asked(f"http://{host}:{port}/readyz")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if settings.health or _published(settings):
            remedy = "systemctl status 'robbieblocks-*', or robbieblocks worker --node NODE"
            why = "where several run, the others take other ports: robbieblocks status has all"
            yield note("health", f"no worker answers at {host}:{port}: {error}", remedy, why=why)
        return
    if "node" not in said:
        what = f"what answers at {host}:{port} is no worker of RobbieBlocks"
        yield note("health", what, "name another address in ROBBIEBLOCKS_HEALTH")
        return
    node = said["node"]
    if alive != HTTPStatus.OK:
        remedy = f"systemctl restart robbieblocks-{node}"
        yield broken("health", f"the worker of {node} is stuck: {said.get('stuck')}", remedy)
    elif ready != HTTPStatus.OK:
        what = f"the worker of {node} is {said.get('state')}, and not ready: {said.get('unready')}"
        yield broken("health", what, "robbieblocks status --check says what to do")
    else:
        yield ok("health", f"the worker of {node} is {said.get('state')}, and changes go out")


def told(settings: Settings) -> Iterator[Finding]:
    """Who is to be told of events and is not: webhooks that answered 410, and what was given up."""
    if settings.events is None:
        return
    waiting, recent = 0, events.instant(time.time() - _RECENT_S)
    try:
        for folder in events.folders(settings.site_root):
            found = events.state_of(folder, settings.events)
            waiting += len(found.waiting)
            for name in found.gone:
                what = f"{folder.name}: the webhook {name} answered 410, and is told no more"
                remedy = f"correct its address, or: robbieblocks events test {name}"
                yield note("events", what, remedy)
            lost = [each for each in found.given_up if each.at >= recent]
            if lost:
                last = lost[-1]
                what = (
                    f"{folder.name}: {counted(len(lost), 'event')} given up within a week, the "
                    f"last: {last.type} to {last.receiver}: {last.why}"
                )
                yield note("events", what, "mend that; robbieblocks events list names each")
    except RobbieBlocksError as error:
        yield failed("events", error, "let this account read the folder")
    else:
        yield ok("events", f"{counted(waiting, 'event')} to be told")


def _asked(url: str) -> tuple[int, dict[str, Any]]:
    """The status of an answer and its JSON, empty where it is none. Raises httpx.HTTPError."""
    # No proxy: the worker is on this machine.
    answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
    try:
        said = answer.json()
    except ValueError:
        said = None
    return answer.status_code, cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _published(settings: Settings) -> bool:
    try:
        return bool(release.nodes(SiteRoot.of(settings)))
    except RobbieBlocksError:
        return False


def units(settings: Settings) -> Iterator[Finding]:
    """Whether each worker's unit on this machine is what `systemd` would print now."""
    for path in sorted(_UNITS.glob("robbieblocks-*.service")):
        written = path.read_text(encoding="utf-8", errors="replace")
        found = systemd.command_of(written)
        if found is None:
            continue  # another program's
        remedy = f"{found} | sudo tee {path}, then sudo systemctl daemon-reload"
        try:
            printed = systemd.unit(settings, found)
        except RobbieBlocksError as error:
            differs = [str(error)]
        else:
            differs = systemd.differences(written, printed)
            # A unit that is printed without them may name another database, or none.
            if lost := sorted(systemd.variables(written) - systemd.variables(printed)):
                remedy = f"with {', '.join(lost)} set as the unit does: {remedy}"
        if not differs:
            yield ok("systemd", f"{path} is what `robbieblocks systemd` prints")
            continue
        yield note(
            "systemd",
            f"{path} is not what `robbieblocks systemd` prints now: {'; '.join(differs[:3])}",
            remedy,
            why="the unit may be of an earlier version, of other settings, or changed by hand",
        )
