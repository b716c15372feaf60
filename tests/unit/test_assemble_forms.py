"""Props that name a form, the fields beside them, and what visitors answer."""

from __future__ import annotations

import re

import pytest

from robbieblocks.assemble import Assembly, assemble, checked_answers, stated_form
from robbieblocks.assemble.forms.fields import TEXT_MAX, TEXTAREA_MAX, FormField, read_fields
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.builtin import BUILTIN
from robbieblocks.model import BlockRow, Json
from tests.unit.rows import LAYOUTS, a_component, a_page, a_snapshot

_FIELDS: list[Json] = [
    {"name": "name", "label": "Name", "required": True},
    {"name": "mail", "type": "email", "label": "Mail"},
    {"name": "about", "type": "select", "label": "About", "options": ["a", {"value": "b"}]},
    {"name": "code", "label": "Code", "pattern": "[A-Z]{2}|x", "error": "Two letters."},
    {"name": "agreed", "type": "checkbox", "label": "Yes"},
    {"name": "when", "type": "date", "label": "When"},
    {"name": "many", "type": "number", "label": "Many"},
    {"name": "list", "type": "hidden", "value": "spring"},
]
_SCHEMA: Json = {
    "properties": {
        "form": {"type": "string", "format": "form"},
        "fields": {"type": "array", "default": _FIELDS},
    }
}
_FORMS = {"contact": "/_forms/contact", "away": "https://forms.example/f?x=1"}


def _assembled(*props: Json, frame: str = "", metadata: Json = None) -> Assembly:
    blocks = tuple(
        BlockRow(order, "main", "hero", each, {}, frame) for order, each in enumerate(props, 1)
    )
    page = a_page("home", blocks=blocks, metadata=metadata or {})
    snapshot = a_snapshot(page, components=(a_component("hero", schema=_SCHEMA),))
    return assemble(snapshot, "play", layouts=LAYOUTS, forms=_FORMS)


def _wrong(fields: Json) -> list[tuple[str, str]]:
    return [
        (each.pointer, each.what)
        for each in read_fields(fields, "/fields")
        if isinstance(each, ValueProblem)
    ]


def test_a_name_becomes_where_the_form_is_sent() -> None:
    """To the receiver it names the page; a frame's says the frame, and has another id."""
    (page,) = _assembled({"form": "contact"}).pages
    assert page.page.blocks[0].props["form"] == {
        "name": "contact",
        "action": "/_forms/contact",
        "id": "form-contact",
        "page": "home",
    }
    (page,) = _assembled({"form": "contact"}, frame="top").pages
    form = page.page.blocks[0].props["form"]
    assert isinstance(form, dict)
    assert (form["id"], form["page"]) == ("form-top-contact", "top")


def test_the_policy_follows_from_the_endpoint() -> None:
    """Of an endpoint elsewhere the page may send to its origin, beside those that it lists."""
    (page,) = _assembled({"form": "away"}, metadata={"form_action": ["https://a.example"]}).pages
    assert page.page.metadata["form_action"] == ["https://a.example", "https://forms.example"]
    assert page.page.blocks[0].props["form"] == {
        "name": "away",
        "action": "https://forms.example/f?x=1",
        "id": "form-away",
    }


def test_a_form_that_is_not_in_the_settings_is_an_error() -> None:
    """It names the block and the prop, and the form that was meant."""
    found = _assembled({"form": "contcat"}, {"form": "x"}, {"form": "contact"}, {"form": "contact"})
    said = [(each.block, each.pointer, each.what, each.remedy) for each in found.problems]
    assert said == [
        (1, "/form", "there is no form contcat in the settings", "did you mean contact?"),
        (2, "/form", "there is no form x in the settings", "add [forms.x] to robbieblocks.toml"),
        (
            4,
            "/form",
            "the form contact is on the page twice",
            "add another form to robbieblocks.toml, or drop one",
        ),
    ]
    assert not found.pages


def test_fields_that_are_wrong_are_errors_beside_the_name() -> None:
    """Each with the place of the field."""
    problems = _assembled({"form": "contact", "fields": [{"name": "a"}], "next": "//x"}).problems
    assert [each.pointer for each in problems] == ["/fields/0", "/next"]


@pytest.mark.parametrize(
    ("field", "at"),
    [
        ("text", ""),
        ({"name": "_page", "label": "A"}, "/name"),
        ({"name": "a b", "label": "A"}, "/name"),
        ({"name": "a", "label": "A", "type": "file"}, "/type"),
        ({"name": "a", "label": "A", "kind": "text"}, "/kind"),
        ({"name": "a", "label": ["A"]}, "/label"),
        ({"name": "a", "label": "A", "required": "yes"}, "/required"),
        ({"name": "a", "label": "A", "options": ["a"]}, "/options"),
        ({"name": "a", "label": "A", "type": "radio"}, "/options"),
        ({"name": "a", "label": "A", "type": "radio", "options": ["a", "a"]}, "/options"),
        ({"name": "a", "label": "A", "type": "radio", "options": [1]}, "/options/0"),
        ({"name": "a", "label": "A", "pattern": "(a"}, "/pattern"),
        ({"name": "a", "label": "A", "pattern": "a)|(b"}, "/pattern"),
        ({"name": "a", "label": "A", "pattern": "(?=a)a"}, "/pattern"),
        ({"name": "a", "label": "A", "pattern": "(a{999}){999}"}, "/pattern"),
        ({"name": "a", "label": "A", "pattern": "a" * 501}, "/pattern"),
    ],
)
def test_a_field_that_can_t_be_used_is_refused(field: Json, at: str) -> None:
    """With the place of what is wrong with it."""
    assert [pointer for pointer, _ in _wrong([field])] == [f"/fields/0{at}"]


def test_fields_are_bounded_and_have_names_of_their_own() -> None:
    """A list that is too long, or two of one name, is refused."""
    one: Json = {"name": "a", "label": "A"}
    assert _wrong([one, one]) == [("/fields/1/name", "two fields have the name a")]
    assert _wrong([one] * 101) == [("/fields", "the form has 101 fields")]
    assert [at for at, _ in _wrong([])] == [at for at, _ in _wrong({"a": 1})] == ["/fields"]


def _fields() -> tuple[FormField, ...]:
    found = stated_form(_SCHEMA, {"form": "contact"}, "contact")
    assert found is not None
    return found.fields


def test_the_form_is_found_in_stored_props() -> None:
    """With the schema's defaults, in objects and lists; not by another name, nor a wrong one."""
    assert [each.name for each in _fields()][:2] == ["name", "mail"]
    deep: Json = {"parts": [{"form": "contact", "fields": _FIELDS, "next": "/thanks/"}]}
    found = stated_form({}, deep, "contact")
    assert found is not None
    assert found.next == "/thanks/"
    assert stated_form({}, deep, "other") is None
    assert stated_form({}, {"form": "contact", "fields": [{"name": "a b"}]}, "contact") is None


def test_the_form_of_a_collection_s_page_has_the_values_of_its_row() -> None:
    """In any field; without the row, or with one that has no such column, it is none."""
    about: Json = {"name": "about", "type": "hidden", "value": {"$row": "slug"}}
    props: Json = {"form": "contact", "fields": [about]}
    found = stated_form({}, props, "contact", {"slug": "blue-mug"})
    assert found is not None
    assert found.fields[0].value == "blue-mug"
    assert stated_form({}, props, "contact", {"slug": 7}) is None
    assert stated_form({}, props, "contact") is None


def test_what_a_terminal_would_obey_is_in_no_answer() -> None:
    """Tabs and line ends stay; NUL is refused."""
    fields = (FormField(name="a", label="A", type="textarea"),)
    sent = "a\tb\r\n\x1b[31mred\x9b0m\x7f\x0b\u00e4"
    assert checked_answers(fields, {"a": sent}) == ({"a": "a\tb\n[31mred0m\u00e4"}, {})


def test_answers_are_kept_by_field() -> None:
    """A box as true or false, what is hidden as the row says it, and nothing besides."""
    sent = {"name": "Ada", "agreed": "on", "list": "forged", "other": "x", "code": "x"}
    found = checked_answers(_fields(), sent)
    assert found.wrong == {}
    assert found.kept == {
        "name": "Ada",
        "mail": "",
        "about": "",
        "code": "x",
        "agreed": True,
        "when": "",
        "many": "",
        "list": "spring",
    }


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("name", " \n"),
        ("name", "a" * (TEXT_MAX + 1)),
        ("name", "a\nb"),
        ("name", "a\0"),
        ("name", "\ud800"),
        ("mail", "ada"),
        ("mail", "ada@-x"),
        ("mail", "a@" + "a" * 64),
        ("about", "c"),
        ("code", "ABC"),
        ("code", "xx"),
        ("agreed", "yes"),
        ("when", "2026-02-30"),
        ("when", "20260201"),
        ("many", "1e"),
        ("many", "١"),
        ("many", "NaN"),
    ],
)
def test_answers_that_do_not_fit_are_refused(name: str, given: str) -> None:
    """As a browser refuses them, whatever was sent past it."""
    found = checked_answers(_fields(), {"name": "Ada", name: given})
    assert list(found.wrong) == [name]
    assert name != "code" or found.wrong[name] == "Two letters."


@pytest.mark.parametrize("given", ["-1.5e3", ".5", "007"])
def test_numbers_are_those_of_browsers(given: str) -> None:
    """HTML, `valid floating-point number`."""
    assert checked_answers(_fields(), {"name": "Ada", "many": given}).wrong == {}


def test_the_component_has_the_receiver_s_limits() -> None:
    """Else a browser would let through what is refused."""
    code = BUILTIN["form"].code
    said = dict(re.findall(r"const (TEXT\w*_MAX) = (\d+);", code))
    assert said == {"TEXT_MAX": str(TEXT_MAX), "TEXTAREA_MAX": str(TEXTAREA_MAX)}
