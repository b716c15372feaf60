"""The worker: keeps what is live on one node equal to the database's rows, for months.

`lifecycle.py` says which thread does what; docs/run-states.md what each safeguard is for.
"""

from robbieblocks.worker.health import DEFAULT_PORT
from robbieblocks.worker.lifecycle import Options, check_node, run
from robbieblocks.worker.log import Log, open_log
from robbieblocks.worker.systemd import UnitSettings, render_unit
from robbieblocks.worker.timing import Timing

__all__ = [
    "DEFAULT_PORT",
    "Log",
    "Options",
    "Timing",
    "UnitSettings",
    "check_node",
    "open_log",
    "render_unit",
    "run",
]
