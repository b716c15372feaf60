"""Conditions: when a block shows."""
