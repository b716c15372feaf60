"""Ending a worker by signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from robbieblocks.worker.shutdown import EXIT_CODE, ForcedStop, Shutdown

# The default method of the timeout plug-in uses the very signal and timer that are tested here.
pytestmark = pytest.mark.timeout(60, method="thread")


def stopping(grace: float) -> Shutdown:
    return Shutdown(threading.Event(), threading.Event(), grace)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks(number: signal.Signals) -> None:
    """SIGTERM and SIGINT set the flags and cut nothing short."""
    made = stopping(60)
    with made.signals():
        os.kill(os.getpid(), number)
        assert made.wake.wait(10)
        assert made.stopped.wait(10)


def test_the_second_signal_cuts_short() -> None:
    """Whoever asks twice does not want to wait."""
    made = stopping(60)
    with made.signals():
        os.kill(os.getpid(), signal.SIGTERM)
        assert made.stopped.wait(10)
        with pytest.raises(ForcedStop):
            os.kill(os.getpid(), signal.SIGTERM)


def test_after_the_grace_the_main_thread_is_interrupted() -> None:
    """A build that does not end in time is cut short where it stands, even in a wait."""
    made = stopping(0.05)
    with made.signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(ForcedStop):
            threading.Event().wait(30)


def test_no_error_handler_swallows_the_end() -> None:
    """ForcedStop is no Exception, and psycopg takes it for an interrupt that cancels the query."""
    assert not issubclass(ForcedStop, Exception)
    assert issubclass(ForcedStop, KeyboardInterrupt)


def test_handlers_are_given_back() -> None:
    """Afterwards signals do what they did before."""
    before = signal.getsignal(signal.SIGTERM)
    with stopping(60).signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_signal_in_the_middle_of_the_flags_own_lock_hangs_nobody() -> None:
    """The handler takes no lock, so it may interrupt a thread that holds that very one."""
    made = stopping(60)
    with made.signals():
        deadline = time.monotonic() + 10
        os.kill(os.getpid(), signal.SIGTERM)
        while not made.stopped.is_set():
            assert time.monotonic() < deadline
            made.wake.clear()


_HANGS = """
import os, signal, threading
from robbieblocks.worker import shutdown
shutdown.EXIT_AFTER_S = 0.1
made = shutdown.Shutdown(threading.Event(), threading.Event(), 0.05)
with made.signals():
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        try:
            threading.Event().wait()
        except BaseException:
            pass
"""


def test_a_process_that_hangs_even_then_ends_itself() -> None:
    """Where being cut short does not help either, the process is over all the same."""
    done = subprocess.run([sys.executable, "-c", _HANGS], timeout=60, check=False)
    assert done.returncode == EXIT_CODE
