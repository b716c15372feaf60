"""Checks what a visitor sent by the rules of a form's fields, as browsers check it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import jsonschema_rs

from robbieblocks.assemble.forms.fields import TEXT_MAX, TEXTAREA_MAX, WITH_OPTIONS, FormField
from robbieblocks.assemble.props.validation_cost import pattern_options
from robbieblocks.model import Json, JsonObject
from robbieblocks.names import text_problem

# What browsers take for an address (HTML, "valid e-mail address").
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_NUMBER: Final = re.compile(
    r"-?(?:[0-9]{1,30}(?:\.[0-9]{1,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CHECKED: Final = "on"
# What a terminal would obey (ECMA-48) is in no answer: people paste it, and others forge it. NUL
# and lone surrogates are left for `text_problem`.
_CONTROLS: Final = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Answers(NamedTuple):
    """What was sent, by field, as it is kept; and what is wrong with it, by field."""

    kept: JsonObject
    wrong: Mapping[str, str]


def checked_answers(fields: Sequence[FormField], sent: Mapping[str, str]) -> Answers:
    """The answers to a form's fields. What belongs to no field is left out."""
    kept: dict[str, Json] = {}
    wrong: dict[str, str] = {}
    for each in fields:
        if each.type == "hidden":
            kept[each.name] = each.value
            continue
        given = sent.get(each.name, "").replace("\r\n", "\n").replace("\r", "\n")
        given = _CONTROLS.sub("", given)
        kept[each.name] = given == _CHECKED if each.type == "checkbox" else given
        if problem := _problem(each, given):
            wrong[each.name] = each.error or problem
    return Answers(kept, wrong)


def _problem(asked: FormField, given: str) -> str | None:
    if not given.strip():
        if not asked.required:
            return None
        return "Tick this box." if asked.type == "checkbox" else "Fill in this field."
    most = TEXTAREA_MAX if asked.type == "textarea" else TEXT_MAX
    if len(given) > most:
        return f"Write at most {most:,} characters."
    if text_problem(given) or (asked.type != "textarea" and "\n" in given):
        return "Take out characters that can't be kept."
    if asked.type in WITH_OPTIONS or asked.type == "checkbox":
        known = given in asked.options if asked.options else given == _CHECKED
        return None if known else "Choose one of the options."
    check = _KINDS.get(asked.type)
    if check is not None and (problem := check(given)):
        return problem
    if asked.pattern and asked.type != "textarea" and not _pattern(asked.pattern).is_valid(given):
        return "Write it in the form that is asked for."
    return None


def _email(given: str) -> str | None:
    return None if _EMAIL.fullmatch(given) else "Write an email address, such as ada@example.org."


def _number(given: str) -> str | None:
    return None if _NUMBER.fullmatch(given) else "Write a number."


def _date(given: str) -> str | None:
    try:
        is_date = _DATE.fullmatch(given) is not None and bool(date.fromisoformat(given))
    except ValueError:
        is_date = False
    return None if is_date else "Write a date, such as 2026-11-30."


_KINDS: Final = {"email": _email, "number": _number, "date": _date}


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> jsonschema_rs.Draft202012Validator:
    """A pattern, which has to fit the whole of an answer (HTML, `pattern`)."""
    return jsonschema_rs.Draft202012Validator(
        {"pattern": f"^(?:{pattern})$"}, offline=True, pattern_options=pattern_options()
    )
