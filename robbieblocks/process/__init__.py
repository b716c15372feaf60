"""Child processes: the one place that starts them, sends them input and makes sure that they end.

Each child leads its own process group, so that a timeout or an error ends it with whatever it
started. On Linux the kernel ends it too when the parent is killed.
"""

from robbieblocks.process.child import Child, answer
from robbieblocks.process.fed import run_fed
from robbieblocks.process.folders import (
    FOLDER_PREFIX,
    held_folder,
    sweep_temporary_folders,
    temporary_folder,
)
from robbieblocks.process.running import (
    ROWS_MEMORY_BYTES,
    Killed,
    NotStarted,
    TimedOut,
    die_with_parent,
    exit_reason,
    run,
    setpriv_prefix,
    was_killed,
)

__all__ = [
    "FOLDER_PREFIX",
    "ROWS_MEMORY_BYTES",
    "Child",
    "Killed",
    "NotStarted",
    "TimedOut",
    "answer",
    "die_with_parent",
    "exit_reason",
    "held_folder",
    "run",
    "run_fed",
    "setpriv_prefix",
    "sweep_temporary_folders",
    "temporary_folder",
    "was_killed",
]
