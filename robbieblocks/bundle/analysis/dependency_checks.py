"""Checks the `dependencies` column: whether the toolchain has such packages, in these versions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import ComponentRow
from robbieblocks.toolchain import Toolchain

_DEPENDENCY = re.compile(r"(?P<name>@?[^@]+)(?:@(?P<range>.*))?")


def check_dependencies(row: ComponentRow, toolchain: Toolchain) -> Iterator[Problem]:
    """Problems with the `dependencies` column: names, or `name@range` with npm's ranges."""
    versions = {**toolchain.tools, **toolchain.packages}
    for entry in row.dependencies:
        match = _DEPENDENCY.fullmatch(entry.strip())
        if match is None:
            what = f"`{printable(entry)}` names no package"
            yield _dependency(row, what, "write it as name or name@range")
            continue
        name, wanted = printable(match["name"]), printable((match["range"] or "*").strip())
        if name.startswith(("@types/", "@robbieblocks/")):
            continue
        if name not in versions:
            packages = ", ".join(sorted(toolchain.packages))
            yield _dependency(
                row,
                f"the package {name} is not in the toolchain",
                f"there are: {packages}; another one is added to the toolchain's package.json",
            )
        elif wanted not in ("", "*", "latest") and not _satisfies(versions[name], wanted):
            yield _dependency(
                row,
                f"{name} is wanted as {wanted}, and the toolchain has {versions[name]}",
                f"write {name} or {name}@^{versions[name].partition('.')[0]}",
            )


def _satisfies(version: str, wanted: str) -> bool:
    try:
        # Imported where it is used: few components name a version, and it takes 4 ms.
        from semantic_version import NpmSpec, Version

        return NpmSpec(wanted).match(Version(version))
    except ValueError:
        return False


def _dependency(row: ComponentRow, what: str, remedy: str) -> Problem:
    return Problem(entity="component", key=row.key, field="dependencies", what=what, remedy=remedy)
