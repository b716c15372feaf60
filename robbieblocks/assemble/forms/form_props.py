"""Props that name a form (`"format": "form"`), beside which are the form's fields."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from robbieblocks.assemble.collections.filling import with_columns
from robbieblocks.assemble.forms.fields import FormField, read_fields
from robbieblocks.assemble.props.markdown_places import Path
from robbieblocks.assemble.props.preparing import CompiledSchema, compile_schema
from robbieblocks.assemble.routes import route_problem
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import BlockRow, Json, JsonObject

NO_FORMS: Final[Mapping[str, str]] = MappingProxyType({})
NO_COLUMNS: Final[JsonObject] = MappingProxyType({})
FIELDS: Final = "fields"
NEXT: Final = "next"


class Form(NamedTuple):
    """A form as a block states it. `next` is the page that thanks, or empty."""

    fields: tuple[FormField, ...]
    next: str = ""


@dataclass(slots=True)
class PageForms:
    """The forms of a page, as they are found.

    `actions` has the address of each form of the settings, by name. `page` is the key of the row
    that states a form: the page's own, or that of a frame.
    """

    actions: Mapping[str, str]
    page: str
    found: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def origins(self) -> list[str]:
        """The origins elsewhere to which forms are sent."""
        there = [action for action in self.found.values() if not action.startswith("/")]
        return list(dict.fromkeys("/".join(action.split("/")[:3]) for action in there))

    def value(
        self, props: JsonObject, path: Path, row: BlockRow
    ) -> JsonObject | tuple[ValueProblem, ...]:
        """What a prop that names a form becomes; or what is wrong with it and the fields beside."""
        around, at = _at(props, path[:-1]), json_pointer(*path)
        name = str(_at(around, path[-1:]))
        # Of a list of names none has fields beside it.
        beside = around if isinstance(around, dict) else {}
        action = self.actions.get(name)
        if action is None:
            known = did_you_mean(name, self.actions) if self.actions else ""
            remedy = (
                known
                if "mean" in known
                else f"add [forms.{name or 'contact'}] to robbieblocks.toml"
            )
            return (
                ValueProblem(at, f"there is no form {printable(name)} in the settings", remedy),
            )
        identity = f"form-{row.frame}-{name}" if row.frame else f"form-{name}"
        if identity in self.found:
            what = f"the form {name} is on the page twice"
            return (ValueProblem(at, what, "add another form to robbieblocks.toml, or drop one"),)
        self.found[identity] = action
        read = _read(beside, json_pointer(*path[:-1]))
        if not isinstance(read, Form):
            return read
        value: JsonObject = {"name": name, "action": action, "id": identity}
        return {**value, "page": row.frame or self.page} if action.startswith("/") else value


def stated_form(
    props_schema: Json, props: Json, name: str, columns: JsonObject = NO_COLUMNS
) -> Form | None:
    """The form of this name in a block's stored props, None where none of it is right.

    Found by its shape, since pages and lists that the props refer to are not known here. `columns`
    are those of the row that the page is made of, where a collection's is.
    """
    schema = compile_schema(props_schema)
    given = with_columns(props, columns)
    filled = schema.filled(given) if isinstance(schema, CompiledSchema) else given
    for each in _objects(filled):
        if isinstance(each.get(FIELDS), list) and name in each.values():
            read = _read(each, "")
            if isinstance(read, Form):
                return read
    return None


def thanking_pages(props: Json) -> Iterator[str]:
    """The addresses of pages that thank for forms in a block's props: `next`, beside the fields."""
    for each in _objects(props):
        following = each.get(NEXT)
        if isinstance(each.get(FIELDS), list) and isinstance(following, str) and following:
            yield following


def _read(given: JsonObject, at: str) -> Form | tuple[ValueProblem, ...]:
    fields = read_fields(given.get(FIELDS), f"{at}/{FIELDS}")
    wrong = [each for each in fields if isinstance(each, ValueProblem)]
    following = given.get(NEXT) or ""
    if not isinstance(following, str):
        wrong.append(ValueProblem(f"{at}/{NEXT}", "expected a page's address", "/thanks/"))
    elif following and (problem := route_problem(following)):
        wrong.append(ValueProblem(f"{at}/{NEXT}", *problem))
    if wrong:
        return tuple(wrong)
    return Form(tuple(each for each in fields if isinstance(each, FormField)), str(following))


def _at(value: Json, path: Path) -> Json:
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step]
        elif isinstance(value, dict):
            value = value[str(step)]
    return value


def _objects(value: Json) -> Iterator[JsonObject]:
    """The objects in a value, the outer ones first."""
    waiting = deque((value,))
    while waiting:
        each = waiting.popleft()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
