"""Indexes that visitors search in their browsers, made of pages as they are published.

Pagefind makes them, in a child process. What it makes are assets; `search-<app>.json` of a release
lists them, so an index goes live, back and away with its release.
"""

from robbieblocks.search.documents import Tags, tags_of
from robbieblocks.search.indexing import Index, SearchPage, index_key, make_index
from robbieblocks.search.listing import Listing, read_listing

__all__ = [
    "Index",
    "Listing",
    "SearchPage",
    "Tags",
    "index_key",
    "make_index",
    "read_listing",
    "tags_of",
]
