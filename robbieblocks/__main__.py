"""`python -m robbieblocks` is the command `robbieblocks`."""

from robbieblocks.cli import main

main()
