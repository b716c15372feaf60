"""The workshop: each component alone, on every node's branding, with props to try.

A component's props make a page of one block, which no database has; it is built as the pages are,
and only while somebody looks at it.
"""

from robbieblocks.dev.workshop.routes import WorkshopServer, workshop_routes
from robbieblocks.dev.workshop.stages import Workshop

__all__ = ["Workshop", "WorkshopServer", "workshop_routes"]
