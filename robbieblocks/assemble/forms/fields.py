"""The fields of a form, as a block's props describe them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.assemble.props.validation_cost import pattern_states
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import Json, JsonObject

TYPES: Final = (
    "text",
    "email",
    "tel",
    "textarea",
    "select",
    "checkbox",
    "radio",
    "date",
    "number",
    "hidden",
)
WITH_OPTIONS: Final = ("select", "radio")
# The component `form.tsx` tells browsers the same numbers.
TEXT_MAX: Final = 1_000
TEXTAREA_MAX: Final = 20_000

_FIELDS_MAX: Final = 100
_OPTIONS_MAX: Final = 500
_LABEL_MAX: Final = 1_000
_PATTERN_MAX: Final = 500
# A pattern of so many states is checked in linear time, but not in no time.
_STATES_MAX: Final = 65_536
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_TEXTS: Final = ("label", "help", "autocomplete", "pattern", "value", "error")
_KEYS: Final = ("name", "type", "required", "options", *_TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field of a form. `options` are labels by value; `error` is what is said of a wrong answer.

    `value` is what it has at first; of a hidden field it is the answer.
    """

    name: str
    type: str = "text"
    label: str = ""
    help: str = ""
    required: bool = False
    autocomplete: str = ""
    pattern: str = ""
    value: str = ""
    error: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def read_fields(given: Json, at: str) -> tuple[FormField, ...] | tuple[ValueProblem, ...]:
    """The fields of a form, or what is wrong with them. `at` is the JSON pointer to them."""
    if not isinstance(given, list) or not given:
        remedy = 'such as [{"name": "email", "type": "email", "label": "Your email address"}]'
        return (ValueProblem(at, "expected the form's fields, a list", remedy),)
    if len(given) > _FIELDS_MAX:
        what = f"the form has {len(given):,} fields"
        return (ValueProblem(at, what, f"use at most {_FIELDS_MAX}"),)
    problems: list[ValueProblem] = []
    fields: list[FormField] = []
    for index, each in enumerate(given):
        wrong = [*_problems(each, at + json_pointer(index), {one.name for one in fields})]
        problems += wrong
        if not wrong and isinstance(each, dict):
            fields.append(_field(each))
    return tuple(problems) or tuple(fields)


def _problems(given: Json, at: str, taken: set[str]) -> Iterator[ValueProblem]:
    if not isinstance(given, dict):
        yield ValueProblem(at, "expected a field, an object", '{"name": "email", "label": "..."}')
        return
    for key in sorted(given.keys() - set(_KEYS))[:MAX_PROBLEMS]:
        what = f"a field has no {printable(key)}"
        yield ValueProblem(at + json_pointer(key), what, did_you_mean(key, _KEYS))
    for key in _TEXTS:
        if not isinstance(given.get(key, ""), str) or len(str(given.get(key, ""))) > _LABEL_MAX:
            what = f"{key} is no text of at most {_LABEL_MAX:,} characters"
            yield ValueProblem(at + json_pointer(key), what, "write a text, or shorten it")
    if not isinstance(given.get("required", False), bool):
        yield ValueProblem(at + "/required", "required is neither true nor false", "write true")
    name, kind = given.get("name"), given.get("type", "text")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        remedy = "begin with a letter, then letters, digits, dashes and underscores"
        yield ValueProblem(at + "/name", f"{printable(str(name))} can't name a field", remedy)
    elif name in taken:
        yield ValueProblem(at + "/name", f"two fields have the name {name}", "rename one of them")
    if kind not in TYPES:
        what = f"there are no fields of the type {printable(str(kind))}"
        yield ValueProblem(at + "/type", what, did_you_mean(str(kind), TYPES))
        return
    if kind != "hidden" and not given.get("label"):
        yield ValueProblem(at, "a field has no label", 'say what it asks for: "label": "..."')
    yield from _option_problems(given, str(kind), at)
    yield from _pattern_problems(given.get("pattern", ""), at + "/pattern")


def _option_problems(given: JsonObject, kind: str, at: str) -> Iterator[ValueProblem]:
    options, at = given.get("options", []), at + "/options"
    if kind not in WITH_OPTIONS:
        if options:
            yield ValueProblem(at, f"a field of the type {kind} has no options", "take them out")
        return
    if not isinstance(options, list) or not 0 < len(options) <= _OPTIONS_MAX:
        remedy = 'such as ["Question", {"value": "order", "label": "An order"}]'
        what = f"expected a list of 1 to {_OPTIONS_MAX} options"
        yield ValueProblem(at, what, remedy)
        return
    values = [_option(each) for each in options]
    for index, option in enumerate(values):
        if option is None or not option[0]:
            what = "an option is a text, or an object with value and label"
            yield ValueProblem(at + json_pointer(index), what, '{"value": "a", "label": "A"}')
    known = [option[0] for option in values if option]
    if len(set(known)) < len(known):
        yield ValueProblem(at, "two options have one value", "give each another value")


def _option(given: Json) -> tuple[str, str] | None:
    """The value and label of an option; None where it is none."""
    if isinstance(given, dict) and given.keys() <= {"value", "label"}:
        value = given.get("value")
        label = given.get("label", value)
    else:
        value = label = given
    if not isinstance(value, str) or not isinstance(label, str):
        return None
    return (value, label) if max(len(value), len(label)) <= _LABEL_MAX else None


def _pattern_problems(pattern: Json, at: str) -> Iterator[ValueProblem]:
    if not isinstance(pattern, str) or not pattern:
        return
    states = pattern_states(pattern) if len(pattern) <= _PATTERN_MAX else None
    if states is None or states > _STATES_MAX:
        remedy = "write a regular expression without look-around and back-references, or shorten it"
        yield ValueProblem(at, "the pattern can't be checked", remedy)


def _field(given: JsonObject) -> FormField:
    texts = {key: str(given.get(key, "")) for key in _TEXTS}
    listed = given.get("options", [])
    options = map(_option, listed if isinstance(listed, list) else [])
    return FormField(
        name=str(given["name"]),
        type=str(given.get("type", "text")),
        required=given.get("required") is True,
        options={option[0]: option[1] for option in options if option},
        **texts,
    )
