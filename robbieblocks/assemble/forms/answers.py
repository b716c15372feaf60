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


class AnswerWords(NamedTuple):
    """What is said of a wrong answer. `thousands` stands between the digits of large numbers."""

    tick: str = "Tick this box."
    fill_in: str = "Fill in this field."
    too_long: str = "Write at most {most} characters."
    thousands: str = ","
    characters: str = "Take out characters that can't be kept."
    choose: str = "Choose one of the options."
    pattern: str = "Write it in the form that is asked for."
    email: str = "Write an email address, such as ada@example.org."
    number: str = "Write a number."
    date: str = "Write a date, such as 2026-11-30."


ENGLISH: Final = AnswerWords()


def checked_answers(
    fields: Sequence[FormField], sent: Mapping[str, str], words: AnswerWords = ENGLISH
) -> Answers:
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
        if problem := _problem(each, given, words):
            wrong[each.name] = each.error or problem
    return Answers(kept, wrong)


def _problem(asked: FormField, given: str, words: AnswerWords) -> str | None:
    if not given.strip():
        if not asked.required:
            return None
        return words.tick if asked.type == "checkbox" else words.fill_in
    most = TEXTAREA_MAX if asked.type == "textarea" else TEXT_MAX
    if len(given) > most:
        return words.too_long.format(most=f"{most:,}".replace(",", words.thousands))
    if text_problem(given) or (asked.type != "textarea" and "\n" in given):
        return words.characters
    if asked.type in WITH_OPTIONS or asked.type == "checkbox":
        known = given in asked.options if asked.options else given == _CHECKED
        return None if known else words.choose
    match asked.type:
        case "email" if not _EMAIL.fullmatch(given):
            return words.email
        case "number" if not _NUMBER.fullmatch(given):
            return words.number
        case "date" if not _is_date(given):
            return words.date
        case _:
            pass
    if asked.pattern and asked.type != "textarea" and not _pattern(asked.pattern).is_valid(given):
        return words.pattern
    return None


def _is_date(given: str) -> bool:
    try:
        return _DATE.fullmatch(given) is not None and bool(date.fromisoformat(given))
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> jsonschema_rs.Draft202012Validator:
    """A pattern, which has to fit the whole of an answer (HTML, `pattern`)."""
    return jsonschema_rs.Draft202012Validator(
        {"pattern": f"^(?:{pattern})$"}, offline=True, pattern_options=pattern_options()
    )
