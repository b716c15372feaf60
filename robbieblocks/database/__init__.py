"""The one door to Postgres."""

from robbieblocks.database.connection import connect, is_pooled
from robbieblocks.database.faults import translated

__all__ = ["connect", "is_pooled", "translated"]
