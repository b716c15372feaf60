"""Redirects that rows state, and where they lead on a node."""
