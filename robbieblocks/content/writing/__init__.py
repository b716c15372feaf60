"""Writes rows as files."""
