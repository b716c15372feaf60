"""Components as pages use them, each checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from robbieblocks.assemble.props.preparing import CompiledSchema, compile_schema
from robbieblocks.assemble.values import ValueProblem, no_object
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import ComponentRow, Hydrate, Json
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, name_problem
from robbieblocks.row_faults import blame

HYDRATE: tuple[Hydrate, ...] = get_args(Hydrate)


@dataclass(frozen=True, slots=True)
class CheckedComponent:
    """What pages need of a component's row. Its errors hold back every page that places it.

    `schema` is None where `props_schema` can't be used.
    """

    schema: CompiledSchema | None
    published: bool
    module: bool
    hydrate: Hydrate
    reset: bool | None
    problems: tuple[Problem, ...]


class CheckedComponents:
    """The components of a snapshot, each checked when it is first asked for."""

    def __init__(self, rows: Mapping[str, ComponentRow]) -> None:
        self._rows = rows
        self._checked: dict[str, CheckedComponent | None] = {}

    @property
    def keys(self) -> Iterable[str]:
        """The keys of all components, published or not."""
        return self._rows.keys()

    def of(self, key: str) -> CheckedComponent | None:
        """The component with this key, or None where there is no such row."""
        if key not in self._checked:
            row = self._rows.get(key)
            self._checked[key] = _checked(row) if row is not None else None
        return self._checked[key]


def _checked(row: ComponentRow) -> CheckedComponent:
    problems: list[Problem] = []

    def add(problem: ValueProblem, field: str) -> None:
        problems.append(problem.in_row("component", row.key, field))

    wrong = name_problem(row.key, longest=KEY_LENGTH)
    if wrong:
        add(ValueProblem("", f"the component's key {wrong}", NAME_REMEDY), "component_key")
    schema: CompiledSchema | tuple[ValueProblem, ...] = ()
    with blame(problems.append, "component", row.key, "props_schema"):
        schema = compile_schema(row.props_schema)
    for problem in schema if isinstance(schema, tuple) else ():
        add(problem, "props_schema")
    problems += [
        each.in_row("component", row.key, "props_schema", severity="warning")
        for each in (schema.doubts if isinstance(schema, CompiledSchema) else ())
    ]
    hydrate: Hydrate = "load"
    reset: bool | None = None
    if isinstance(row.metadata, dict):
        chosen = hydrate_of(row.metadata.get("hydrate", "load"), "/hydrate")
        if isinstance(chosen, ValueProblem):
            add(chosen, "metadata")
        else:
            hydrate = chosen
        if isinstance(given := row.metadata.get("reset"), bool):
            reset = given
        elif given is not None:
            what = "expected whether browsers' own styles of text are taken away"
            add(ValueProblem("/reset", what, "write true or false, or leave it out"), "metadata")
    else:
        add(no_object("metadata is", row.metadata, "write an object, or {}"), "metadata")
    return CheckedComponent(
        schema=schema if isinstance(schema, CompiledSchema) else None,
        published=row.published,
        module=row.is_module,
        hydrate=hydrate,
        reset=reset,
        problems=tuple(problems),
    )


def hydrate_of(value: Json, at: str) -> Hydrate | ValueProblem:
    """When a block hydrates, read from metadata, or what is wrong with the value."""
    for known in HYDRATE:
        if value == known:
            return known
    found = printable(value) if isinstance(value, str) else "what is no text"
    known_values = f"known: {', '.join(HYDRATE)}"
    return ValueProblem(at, f"expected when to hydrate, found {found}", known_values)
