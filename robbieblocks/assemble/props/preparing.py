"""Props: a component's schema is compiled once; each block's props are filled in and validated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import jsonschema_rs

from robbieblocks.assemble.placeholders import has_placeholder, resolved_object
from robbieblocks.assemble.props.default_places import default_place
from robbieblocks.assemble.props.defaults import Defaults, DefaultsUnbounded
from robbieblocks.assemble.props.markdown_places import OWN_FORMATS, Places, places_of
from robbieblocks.assemble.props.problems import cut_short, described, faults_of_schema, unbounded
from robbieblocks.assemble.props.schema import MAX_SCHEMA_BYTES, References, Schema, normal_form
from robbieblocks.assemble.props.schema_doubts import doubts_of_schema
from robbieblocks.assemble.props.validation_cost import (
    ValidationCost,
    pattern_options,
)
from robbieblocks.assemble.values import (
    MAX_DEPTH,
    MAX_PROBLEMS,
    MAX_VALUE_BYTES,
    ValueProblem,
    checked_json,
    depth_of,
    no_object,
)
from robbieblocks.model import Json, JsonObject, canonical_json

MAX_WORK = 200_000_000
# Making one error takes as long as 400 checks of a value do, and memory.
_ERROR_COST = 400
# Noting what the schema says of each value takes as long as 20 checks.
_NOTE_COST = 20


class ReadyProps(NamedTuple):
    """Valid props.

    `value` has fallbacks in place of placeholders; `json` is its canonical JSON. `fill`
    is the value before that, or None where there is no placeholder. `places` are the texts that
    something else takes the place of.
    """

    value: JsonObject
    json: str
    fill: JsonObject | None
    places: Places = Places()


class Budget:
    """The work that checking the props of all blocks of a page, and their Markdown, may take."""

    def __init__(self, units: int = 5 * MAX_WORK) -> None:
        self.units = self.markdown_units = units


class CompiledSchema:
    """A component's props schema, compiled to check the props of many blocks.

    `doubts` are what of it checks nothing.
    """

    def __init__(
        self,
        schema: Schema,
        references: References,
        *,
        fills: bool,
        has_own: bool,
        bare: bool = False,
        doubts: tuple[ValueProblem, ...] = (),
    ) -> None:
        self.doubts = doubts
        self._schema = schema
        self._references = references
        self._bare = bare
        self._has_choices = _has_choices(schema)
        self._defaults = Defaults(schema, references) if fills else None
        # JSON Schema leaves `format` to the implementation (2020-12 Validation, section 7); here it
        # is checked.
        self._validator = jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            offline=True,
            pattern_options=pattern_options(),
            formats=OWN_FORMATS if has_own else None,
        )
        self._has_own = has_own
        self._cost = ValidationCost(schema, references)
        self._at_depth = self._cost.at_depth
        unbounded = len(self._at_depth) <= MAX_DEPTH
        self._most_work = MAX_WORK if unbounded else max(self._at_depth)

    @property
    def too_wide(self) -> bool:
        """Whether checking even flat props could take too long."""
        return len(self._at_depth) < 2

    def ready(
        self, props: Json, budget: Budget | None = None
    ) -> ReadyProps | tuple[ValueProblem, ...]:
        """A block's props, ready to render, or what is wrong with them.

        The work is taken from `budget`, where there is one.
        """
        budget = budget or Budget()
        if props is None:
            props = {}
        if not isinstance(props, dict):
            remedy = 'write an object, such as {"mood": "calm"}'
            return (no_object("props are", props, remedy),)
        try:
            filled: JsonObject = self._defaults.fill(props) if self._defaults else props
        except DefaultsUnbounded:
            deep = checked_json(props)
            what = f"the schema's defaults nest without end, or add over {MAX_VALUE_BYTES:,} bytes"
            endless = (ValueProblem("", what, "end the recursion, or shorten them"),)
            return deep if isinstance(deep, tuple) else endless
        text = written = checked_json(filled)
        if isinstance(text, tuple):
            return text
        value = filled
        if "{{" in text:
            value = resolved_object(filled)
            text = canonical_json(value)
        most = min(MAX_WORK, budget.units)
        work = self._work_on(value, len(text), most)
        if work > most:
            return (unbounded(len(text)),)
        budget.units -= work
        if not self._validator.is_valid(value):
            return self._errors(value, budget)
        if not self._has_own:
            fill = filled if value is not filled and has_placeholder(str(written)) else None
            return ReadyProps(value, text, fill)
        fill = filled if value is not filled else None
        most = min(MAX_WORK, budget.units) // _NOTE_COST
        work = self._cost.work_on(value, most)
        if work > most:
            return (unbounded(len(text)),)
        budget.units -= work * _NOTE_COST
        return ReadyProps(value, text, fill, places_of(self._validator, value))

    def filled(self, props: Json) -> Json:
        """Props with the schema's defaults where they have none."""
        if self._defaults is None or not isinstance(props, dict):
            return props
        try:
            return self._defaults.fill(props)
        except DefaultsUnbounded:
            return props

    def default_at(self, props: Json, pointer: str) -> str | None:
        """Where in the schema as it is stored the default stands that gave the value at `pointer`.

        A JSON pointer; None where the `props`, which have no defaults in them, say it themselves.
        """
        if self._defaults is None:
            return None
        place = default_place(self._schema, self._references, props or {}, pointer)
        return None if place is None else _stored_pointer(place, bare=self._bare)

    def _work_on(self, value: JsonObject, size: int, most: int) -> int:
        """How much work it may be to check a value; the quick bounds are tried first."""
        if self._most_work * size <= most:
            return self._most_work * size
        depth = depth_of(value)
        if depth < len(self._at_depth) and max(self._at_depth[: depth + 1]) * size <= most:
            return max(self._at_depth[: depth + 1]) * size
        return self._cost.work_on(value, most)

    def _errors(self, value: JsonObject, budget: Budget) -> tuple[ValueProblem, ...]:
        """What is wrong with a value, as far as there may be few enough errors to make them all.

        The validator makes all of them before it hands out the first, each with a copy of what it
        is about. `validate` makes one, but of a choice all errors of all its branches.
        """
        most = min(MAX_WORK, budget.units) // _ERROR_COST
        work = self._cost.work_on(value, most)
        budget.units -= work * _ERROR_COST
        if work <= most:
            errors = islice(self._validator.iter_errors(value), MAX_PROBLEMS)
            return tuple(described(error, self._schema) for error in errors)
        if not self._has_choices:
            try:
                self._validator.validate(value)
            except jsonschema_rs.ValidationError as error:
                return (described(error, self._schema),)
        what = "the props do not fit the component's props_schema, and are too large to say where"
        return (ValueProblem("", what, "split the block, or take parts away until it fits"),)


def _has_choices(schema: Schema) -> bool:
    text = canonical_json(schema)
    return '"anyOf":' in text or '"oneOf":' in text


def compile_schema(props_schema: Json) -> CompiledSchema | tuple[ValueProblem, ...]:
    """The compiled form of a stored `props_schema`, or what is wrong with it.

    Equal schemas are compiled once.
    """
    text = checked_json(props_schema)
    if isinstance(text, tuple):
        return text
    if len(text) > MAX_SCHEMA_BYTES:
        what = f"the schema takes {len(text):,} bytes, at most {MAX_SCHEMA_BYTES:,}"
        return (ValueProblem("", what, "shorten it"),)
    return _compiled(text)


def schema_problems(props_schema: Json) -> tuple[ValueProblem, ...]:
    """Why a stored `props_schema` can't be used."""
    schema = compile_schema(props_schema)
    return () if isinstance(schema, CompiledSchema) else schema


def props_problems(props_schema: Json, props: Json) -> tuple[ValueProblem, ...]:
    """Why a schema refuses props; nothing where the schema itself can't be used."""
    schema = compile_schema(props_schema)
    if not isinstance(schema, CompiledSchema):
        return ()
    ready = schema.ready(props)
    if isinstance(ready, ReadyProps):
        return ()
    places = [schema.default_at(props, each.pointer) for each in ready]
    return tuple(
        each if at is None else replace(each, what=f"the schema's default at {at}: {each.what}")
        for each, at in zip(ready, places, strict=True)
    )


@lru_cache(maxsize=1024)
def _compiled(text: str) -> CompiledSchema | tuple[ValueProblem, ...]:
    form = normal_form(json.loads(text))
    if isinstance(form, ValueProblem):
        return (form,)
    schema, bare = form
    references = References(schema)
    if wrong := references.problems or list(faults_of_schema(schema)):
        return _as_stored(wrong, bare=bare)
    try:
        made = CompiledSchema(
            schema,
            references,
            fills='"default":' in text,
            has_own=any(f'"{name}"' in text for name in OWN_FORMATS),
            bare=bare,
            doubts=_as_stored(doubts_of_schema(schema), bare=bare),
        )
        made.ready({})
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        message = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        return (ValueProblem("", cut_short(message), "mend the schema (JSON Schema 2020-12)"),)
    if made.too_wide:
        what = "checking props against the schema would take too long"
        return (ValueProblem("", what, "use fewer references"),)
    return made


def _as_stored(found: Iterable[ValueProblem], *, bare: bool) -> tuple[ValueProblem, ...]:
    """The same, with pointers that lead into the schema as it is stored."""
    return tuple(replace(each, pointer=_stored_pointer(each.pointer, bare=bare)) for each in found)


def _stored_pointer(pointer: str, *, bare: bool) -> str:
    return pointer.removeprefix("/properties") if bare else pointer
