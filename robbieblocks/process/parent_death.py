"""Ending a child process when its parent ends, even by SIGKILL: prctl(2), PR_SET_PDEATHSIG.

Linux only. The signal is bound to the *thread* that started the child, so this thread must live as
long as the child.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PARENT_PID: Final = "ROBBIEBLOCKS_PARENT_PID"
_TRIAL_TIMEOUT_S: Final = 10.0


def with_parent_pid(env: Mapping[str, str]) -> dict[str, str]:
    """An environment that tells `die_with_parent` in the child who its parent is."""
    return {**env, _PARENT_PID: str(os.getpid())}


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; elsewhere than on Linux do nothing.

    For children that run our own Python code; `setpriv_prefix` is for other programs.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # No signal comes from a parent that ended before that call.
    parent = os.environ.pop(_PARENT_PID, None)
    if parent is not None and int(parent) != os.getppid():
        os.kill(os.getpid(), signal.SIGKILL)


@functools.cache
def setpriv_prefix() -> tuple[str, ...]:
    """The start of a command that has the kernel kill a program when its parent ends.

    setpriv(1) of util-linux sets the signal between fork and exec, without Python code there. The
    one of BusyBox lacks the option, so it is tried out. Empty where there is none.
    """
    setpriv = shutil.which("setpriv") if sys.platform.startswith("linux") else None
    if setpriv is None:
        return ()
    prefix = (setpriv, "--pdeathsig", "KILL", "--")
    trial = subprocess.run(  # noqa: S603 - a fixed command
        [*prefix, setpriv, "--version"], capture_output=True, check=False, timeout=_TRIAL_TIMEOUT_S
    )
    return prefix if trial.returncode == 0 else ()
