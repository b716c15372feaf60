"""`[[freeze.windows]]` in robbieblocks.toml: when by the calendar nothing goes out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from robbieblocks.messages import did_you_mean, printable

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

NAME: Final = "freeze"
WINDOWS_MEANING: Final = (
    "when by the calendar nothing goes out: in each window of the kind deny, and outside of all "
    "windows of the kind allow"
)
KINDS: Final = ("deny", "allow")

_DURATION: Final = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?", re.ASCII)
_SECONDS: Final = (86_400, 3_600, 60)
_LONGEST_S: Final = 366 * 86_400
_FIELDS: Final = 5
_CRON_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWindow:
    """A window that begins whenever `cron` says so in `zone`, and lasts `duration_s`.

    `kind` is `deny` or `allow`. Without `nodes` it concerns all of them, without `apps` all apps.
    """

    kind: str
    cron: str
    duration_s: int
    zone: str
    reason: str
    nodes: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()

    def concerns(self, node: str, app: str) -> bool:
        """Whether it is about an app of a node."""
        return (not self.nodes or node in self.nodes) and (not self.apps or app in self.apps)

    def __str__(self) -> str:
        return f"{self.kind} {self.cron} ({self.zone}) for {_written(self.duration_s)}"


def read_freeze_windows(table: Table) -> tuple[FreezeWindow, ...]:
    """The windows of the file; mistakes are reported."""
    outer = table.table(NAME)
    found = [_window(each) for each in outer.tables("windows")]
    outer.finish()
    return tuple(window for window in found if window is not None)


def _window(table: Table) -> FreezeWindow | None:
    """A window, or None with a problem."""
    before = len(table.collector.problems)
    kind = table.string("kind") or KINDS[0]
    cron = table.string("cron", required=True) or ""
    duration = table.string("duration", required=True) or ""
    zone = table.string("zone", required=True) or ""
    reason = table.string("reason", required=True) or ""
    nodes, apps = table.strings("nodes"), table.strings("apps")
    table.finish()
    if not table.values or len(table.collector.problems) > before:
        return None
    if kind not in KINDS:
        table.report("kind", f'is "{printable(kind)}"', did_you_mean(kind, KINDS))
    seconds = _seconds(duration)
    if not 0 < seconds <= _LONGEST_S:
        table.report(
            "duration",
            f'is "{printable(duration)}"',
            "write days, hours and minutes, such as 2d, 12h or 1h30m; at most 366d",
        )
    if not reason.strip():
        table.report("reason", "is empty", "say why: whoever waits for a change will ask")
    if problem := _zone_problem(zone):
        table.report("zone", *problem)
    elif problem := _cron_problem(cron):
        table.report("cron", *problem)
    if len(table.collector.problems) > before:
        return None
    return FreezeWindow(
        kind=kind,
        cron=cron,
        duration_s=seconds,
        zone=zone,
        reason=reason.strip(),
        nodes=nodes,
        apps=apps,
    )


def _seconds(duration: str) -> int:
    """A duration in seconds; 0 where it can't be read."""
    match = _DURATION.fullmatch(duration)
    given = match.groups() if match else ()
    return sum(int(part or 0) * each for part, each in zip(given, _SECONDS, strict=False))


def _written(seconds: int) -> str:
    parts: list[str] = []
    for size, unit in zip(_SECONDS, "dhm", strict=True):
        number, seconds = divmod(seconds, size)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts)


def _zone_problem(zone: str) -> tuple[str, str] | None:
    # Most projects have no window, and need neither zones nor cron.
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        remedy = (
            did_you_mean(zone, known)
            if known
            else "this machine has no zones: install its package tzdata"
        )
        return f'is "{printable(zone)}", which is no zone of the IANA database', remedy
    return None


def _cron_problem(cron: str) -> tuple[str, str] | None:
    from cronsim import CronSim, CronSimError

    said = f'is "{printable(cron[:_CRON_MAX])}"'
    remedy = 'write minute, hour, day, month and weekday, such as "0 16 * * FRI"'
    if len(cron) > _CRON_MAX or len(cron.split()) != _FIELDS:
        return f"{said}, which has not five fields", remedy
    try:
        next(CronSim(cron, datetime.now(UTC)))
    except (CronSimError, ValueError) as error:
        return f"{said}: {error}", remedy
    except StopIteration:
        return f"{said}, which never comes", remedy
    return None
