"""The one door to Postgres."""

from robbieblocks.database.connection import connect
from robbieblocks.database.faults import translated

__all__ = ["connect", "translated"]
