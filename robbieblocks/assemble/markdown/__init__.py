"""Markdown of rows as HTML."""
