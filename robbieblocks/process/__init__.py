"""Child processes: the one place that starts them, sends them input and makes sure that they end.

Each child leads its own process group, so that a timeout or an error ends it with whatever it
started. On Linux the kernel ends it too when the parent is killed.
"""

from robbieblocks.process.child import Child
from robbieblocks.process.frames import answer
from robbieblocks.process.parent_death import die_with_parent
from robbieblocks.process.running import Completed, TimedOut, run

__all__ = ["Child", "Completed", "TimedOut", "answer", "die_with_parent", "run"]
