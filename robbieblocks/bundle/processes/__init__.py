"""Child processes that bundling speaks to, and how long they stay for the next build."""

from robbieblocks.bundle.processes.background import in_background
from robbieblocks.bundle.processes.keep_alive import ChildProgram, KeepAlive
from robbieblocks.bundle.processes.script_isolate import ScriptIsolate

__all__ = ["ChildProgram", "KeepAlive", "ScriptIsolate", "in_background"]
