"""The development server: files and rows as pages in the browser, as they are saved.

One process imports files, builds what changed in memory and serves every node. It publishes
nothing: neither the site root nor the queue or the history of runs is touched. Threads: the main
one serves; `builder` imports and builds; `files` watches folders; `database` listens.
"""

from robbieblocks.dev.running import run_dev

__all__ = ["run_dev"]
