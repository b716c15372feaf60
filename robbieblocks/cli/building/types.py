"""`robbieblocks types`."""

from __future__ import annotations

import typer

from robbieblocks import content, toolchain
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.settings import PROJECT_FILE, Settings
from robbieblocks.typescript import write_editor_files


def run(settings: Settings) -> None:
    """Write types and schemas into the project; exit with 1 where files have mistakes."""
    if settings.project is None:
        raise UsageError(
            f"there is no {PROJECT_FILE} here or in a folder above, so this is no project\n"
            "  -> change into one, or make one: robbieblocks new DIR"
        )
    found, problems = content.load_sound(settings.content)
    written = write_editor_files(
        settings.project.parent,
        settings.content,
        settings.node_branding,
        found.components,
        toolchain.ensure(settings, print_progress),
        toolchain.ensure_typescript(settings, print_progress),
    )
    for problem in problems:
        print_progress(str(problem))
    print_result(f"wrote .robbieblocks/types: types of {_counted(written.components)}, and schemas")
    for name in written.made:
        print_result(f"made {name}")
    for name, text in written.missing:
        print_result(f"{name} is your own and does not use them; what it needs:")
        print_result("".join(f"  {line}\n" for line in text.splitlines()).rstrip("\n"))
    raise typer.Exit(1 if problems else 0)


def _counted(number: int) -> str:
    return f"{number} component" + ("" if number == 1 else "s")
