"""`robbieblocks sync ...`."""
