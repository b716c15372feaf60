"""The systemd unit of a worker: `worker.service` with its `$names` filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final

# On SIGTERM a worker needs its grace time, and a little more to end.
_STOP_MARGIN_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSettings:
    """What differs between units. `writable` are the only folders that the worker may write."""

    node: str
    program: Path
    folder: Path
    writable: tuple[Path, ...]
    user: str
    environment: Mapping[str, str]
    grace_s: float


def render_unit(settings: UnitSettings) -> str:
    """A unit that runs a node's worker, with access to as little as its work allows.

    It does not set MemoryDenyWriteExecute: V8 compiles JavaScript to machine code.
    """
    command = (str(settings.program), "worker", "--node", settings.node)
    template = (
        resources.files("robbieblocks.worker.systemd").joinpath("worker.service").read_text("utf-8")
    )
    return Template(template).substitute(
        node=_escaped(settings.node),
        command=" ".join(_word(word, dollar="$$") for word in command),
        folder=_escaped(str(settings.folder)),
        user=settings.user,
        environment="\n".join(
            f'Environment="{name}={_escaped(value)}"'
            for name, value in sorted(settings.environment.items())
        ),
        stop_timeout=f"{settings.grace_s + _STOP_MARGIN_S:.0f}",
        writable=" ".join(_word(str(path)) for path in settings.writable),
    )


def _escaped(text: str) -> str:
    """A value without what systemd would expand, or end the line at (systemd.syntax(7))."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped.replace("\n", "\\n")


def _word(value: str, *, dollar: str = "$") -> str:
    """A word of a list, quoted where needed. In a command line `$` must be doubled."""
    text = _escaped(value).replace("$", dollar)
    plain = text == value and not any(c.isspace() or c == "'" for c in text)
    return text if plain else f'"{text}"'
