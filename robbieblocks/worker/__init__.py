"""The worker: keeps what is live on one node equal to what the rows say, for months.

The main thread has the loop (loop.py): look, build what is due, wait. What is due is decided by a
value without clocks or threads (agenda.py). Beside it run the listener (ear.py), the health server
(health.py), the stop thread (stopping.py) and a pulse for systemd and the guard (life.py).
"""

from robbieblocks.worker.life import Options, run

__all__ = ["Options", "run"]
