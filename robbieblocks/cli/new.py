"""`robbieblocks new`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from robbieblocks import content
from robbieblocks.cli.output import print_result
from robbieblocks.errors import UsageError


def run(*, folder: Path, app: str | None, nodes: Sequence[str]) -> None:
    """Write a project and print the next commands; what no option names is asked for."""
    if not (app and nodes) and not sys.stdin.isatty():
        raise UsageError(
            "an app and a node are needed, and nobody can be asked: name them\n"
            "  -> robbieblocks new DIR --app site --node day --node night"
        )
    app = app or str(typer.prompt("App: the first part of its pages' address", "site", err=True))
    asked = nodes or str(typer.prompt("Nodes that show it", "day night", err=True)).split()
    content.start_project(folder, app, asked)
    print_result(f"made {folder}; next:")
    if folder.absolute() != Path.cwd():
        print_result(f"  cd {shlex.quote(str(folder))}")
    for command in ("content import", "build", "serve"):
        print_result(f"  robbieblocks {command}")
