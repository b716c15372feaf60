"""The worker: keeps what is live on one node equal to the database's rows, for months.

`lifecycle.py` says which thread does what; docs/run-states.md what each safeguard is for.
"""

from robbieblocks.worker.connections import QueryWatchdog, connect_with_retry
from robbieblocks.worker.health import DEFAULT_PORT, HealthServer
from robbieblocks.worker.lifecycle import Options, check_node, run
from robbieblocks.worker.log import Log, open_log, records_logged
from robbieblocks.worker.shutdown import ForcedStop, Shutdown
from robbieblocks.worker.supervisor import supervised
from robbieblocks.worker.systemd import Notifier, UnitSettings, render_unit
from robbieblocks.worker.timing import Timing

__all__ = [
    "DEFAULT_PORT",
    "ForcedStop",
    "HealthServer",
    "Log",
    "Notifier",
    "Options",
    "QueryWatchdog",
    "Shutdown",
    "Timing",
    "UnitSettings",
    "check_node",
    "connect_with_retry",
    "open_log",
    "records_logged",
    "render_unit",
    "run",
    "supervised",
]
