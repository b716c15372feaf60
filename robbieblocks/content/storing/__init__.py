"""Reads and writes rows of content in a database, and merges files with them."""
