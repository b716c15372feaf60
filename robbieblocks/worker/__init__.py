"""The worker: keeps what is live on one node equal to what the rows say, for months.

`lifecycle.py` says which thread does what.
"""

from robbieblocks.worker.lifecycle import Options, run

__all__ = ["Options", "run"]
