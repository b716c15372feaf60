"""Fills every table of the unified schema with rows that fit each other, on the server itself."""

from tools.fill_schema.filling import NotEmptyError, fill

__all__ = ["NotEmptyError", "fill"]
