"""Proof of serving: what visitors get is fetched, compared, and, where it differs, explained.

`proving` asks for pages and their assets at the node's address. What stays wrong is asked for again
past caches, and at the origin; `culprits` decides by these answers who is at fault. All but
`not_served` is imported where there is an address alone.
"""
