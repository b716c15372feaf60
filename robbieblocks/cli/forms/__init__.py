"""`robbieblocks forms`."""
