"""The graph of modules that import each other, by the names under which they are imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Importing(Protocol):
    """What has imports: a compiled module, or a component that is still to be compiled."""

    @property
    def imports(self) -> Iterable[str]:
        """The names of what it imports itself."""
        ...


def reachable(names: Iterable[str], modules: Mapping[str, Importing]) -> set[str]:
    """The named modules and all that they import, however deep, as far as there are any."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in modules and name not in found:
            found.add(name)
            pending += modules[name].imports
    return found


def importers(names: Iterable[str], modules: Mapping[str, Importing]) -> set[str]:
    """The names and all modules that import one of them, however indirectly."""
    direct: dict[str, list[str]] = {}
    for name, module in modules.items():
        for imported in module.imports:
            direct.setdefault(imported, []).append(name)
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += direct.get(name, ())
    return found
