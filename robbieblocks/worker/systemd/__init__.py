"""Running a worker under systemd: its notifications (sd_notify(3)), and a unit file."""

from robbieblocks.worker.systemd.notifier import Notifier
from robbieblocks.worker.systemd.unit import UnitSettings, render_unit

__all__ = ["Notifier", "UnitSettings", "render_unit"]
