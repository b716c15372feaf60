"""Components as pages use them: each is checked once, when a page first places it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from robbieblocks.assemble.fault import Fault
from robbieblocks.assemble.props import Contract, contract
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow, Hydrate, Json
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, name_fault, shown

HYDRATE: tuple[Hydrate, ...] = get_args(Hydrate)


@dataclass(frozen=True, slots=True)
class Part:
    """A component as pages use it: its contract, or the problems that hold its pages back."""

    contract: Contract | None
    published: bool
    hydrate: Hydrate
    problems: tuple[Problem, ...]


class Parts:
    """The components of a snapshot, each checked when a page first uses it."""

    def __init__(self, components: Mapping[str, ComponentRow]) -> None:
        self._rows = components
        self._parts: dict[str, Part | None] = {}

    @property
    def keys(self) -> Iterable[str]:
        """The keys of all components, published or not."""
        return self._rows.keys()

    def of(self, key: str) -> Part | None:
        """The component's part, or None where no row has the key."""
        if key not in self._parts:
            row = self._rows.get(key)
            self._parts[key] = _part(row) if row is not None else None
        return self._parts[key]


def _part(row: ComponentRow) -> Part:
    problems: list[Problem] = []

    def say(fault: Fault, place: str) -> None:
        problems.append(
            Problem(
                entity="component",
                key=shown(row.key),
                field=place,
                pointer=fault.pointer,
                what=fault.what,
                remedy=fault.remedy,
            )
        )

    wrong = name_fault(row.key, longest=KEY_LENGTH)
    if wrong:
        say(Fault("", f"the component's key {wrong}", NAME_REMEDY), "component_key")
    made = contract(row.props_schema)
    for fault in made if isinstance(made, tuple) else ():
        say(fault, "props_schema")
    hydrate: Hydrate = "load"
    if isinstance(row.metadata, dict):
        chosen = hydrate_of(row.metadata.get("hydrate", "load"), "/hydrate")
        if isinstance(chosen, Fault):
            say(chosen, "metadata")
        else:
            hydrate = chosen
    else:
        say(Fault("", "metadata is not an object", "write an object, or {}"), "metadata")
    return Part(
        contract=made if isinstance(made, Contract) else None,
        published=row.published,
        hydrate=hydrate,
        problems=tuple(problems),
    )


def hydrate_of(value: Json, at: str) -> Hydrate | Fault:
    """When a block hydrates, as metadata says it, or what is wrong with that."""
    for known in HYDRATE:
        if value == known:
            return known
    found = shown(value) if isinstance(value, str) else "what is no text"
    return Fault(at, f"expected when to hydrate, found {found}", f"known: {', '.join(HYDRATE)}")
