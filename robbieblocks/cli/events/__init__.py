"""`robbieblocks events`: what waits to be told, sending it now, and trying a webhook."""
