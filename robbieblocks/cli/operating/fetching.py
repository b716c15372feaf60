"""`robbieblocks toolchain`: fetches what builds need, on a machine or into an image."""

from __future__ import annotations

from robbieblocks import toolchain
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.settings import Settings


def run() -> None:
    """Print the toolchain's folder, which is made first where it is not there."""
    found = toolchain.ensure(Settings.from_environment(), print_progress)
    print_result(str(found.root))
