"""Whatever a library raises over one row's text is that row's problem, and no other's.

Each test puts a stand-in in the place of a library's call: it raises over one text. Those of
`snapshot` and `bundle` are beside their other tests, which need Postgres and esbuild.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
import tinycss2
from tinycss2 import color4

from robbieblocks.assemble import Relations, assemble, page_fields, values
from robbieblocks.assemble import routes as assemble_routes
from robbieblocks.assemble.conditions import reading
from robbieblocks.assemble.props import preparing, problems
from robbieblocks.assemble.relations import references
from robbieblocks.brand import brand, branding, schemes
from robbieblocks.bundle.styles import scoped_stylesheet
from robbieblocks.bundle.tailwind import classes
from robbieblocks.bundle.tailwind.classes import KnownClasses
from robbieblocks.errors import ContentError, Problem, ProcessFailed
from robbieblocks.messages import json_pointer
from robbieblocks.model import (
    BrandedNode,
    CollectionRow,
    CollectionSource,
    PageRow,
    RowCollection,
    TokenRow,
)
from robbieblocks.prerender.page.templates import Templates
from robbieblocks.row_faults import blame
from robbieblocks.site_settings import reading as site_settings_reading
from robbieblocks.site_settings.keys import KEYS, ONLY_OF_NODES
from robbieblocks.site_settings.stated import Stated
from robbieblocks.worker.log import open_log, records_logged
from robbieblocks.worker.shutdown import ForcedStop
from tests.unit.rows import (
    LAYOUTS,
    NOW,
    a_block,
    a_component,
    a_node,
    a_page,
    a_snapshot,
    nothing_live,
)

POISON = "poison"


class PanicException(BaseException):
    """As PyO3 makes it for a Rust library that panics."""


PanicException.__module__ = "pyo3_runtime"
FAULTS = [ValueError, RecursionError, MemoryError, OSError, PanicException]
# What no door expects; a ValueError of a date, say, has a message of its own.
UNFORESEEN = [AttributeError, MemoryError, PanicException]
REAL_VALIDATOR = jsonschema_rs.Draft202012Validator


def raising(error: type[BaseException], real: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """A stand-in for a library's call, that raises where what it is given holds the poison."""
    if POISON in str(given):
        raise error("a stand-in \x1b[31mraises")
    return real(*given, **more)


def replaced(
    patch: pytest.MonkeyPatch, module: ModuleType, name: str, error: type[BaseException]
) -> None:
    """Put a stand-in in the place of a library's call in a module."""
    patch.setattr(module, name, partial(raising, error, getattr(module, name)))


class RaisingValidator:
    """A validator that raises over a schema or props with the poison."""

    error: type[BaseException]

    def __init__(self, schema: Any, **options: Any) -> None:
        if POISON in str(schema):
            raise self.error("a stand-in")
        self._real = REAL_VALIDATOR(schema, **options)

    def is_valid(self, value: Any) -> bool:
        return bool(raising(self.error, self._real.is_valid, value))

    def iter_errors(self, value: Any) -> Any:
        return self._real.iter_errors(value)


@pytest.mark.parametrize("error", FAULTS)
def test_a_fault_is_one_problem_with_the_row(error: type[BaseException]) -> None:
    """It names the row, the exception and a remedy, holds nothing unprintable, and is logged."""
    found: list[Problem] = []
    stream = io.StringIO()
    with (
        records_logged(open_log("json", stream)),
        blame(found.append, "component", "bad\x1bkey", "props", page="home", block=3),
    ):
        raising(error, print, POISON)
    (problem,) = found
    assert problem.where == "component bad\\x1bkey, on page home, block 3, props"
    assert error.__name__ in problem.what
    assert str(problem).replace("\n", "").isprintable()
    assert problem.remedy
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"]) == ("row.failed", "error")
    assert error.__name__ in line["problem"]
    assert "in raising" in line["trace"]


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        SystemExit(),
        ForcedStop(),
        ProcessFailed("it died"),
        ContentError([]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_fault_passes_through(error: BaseException) -> None:
    """A signal and our own errors are nobody's row."""
    found: list[Problem] = []
    with pytest.raises(type(error)), blame(found.append, "page", "home"):
        raise error
    assert found == []


def test_outside_of_a_worker_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """A command prints the problem, and no trace."""
    with blame(lambda _: None, "page", "home"):
        raise ValueError
    assert capfd.readouterr() == ("", "")


def canonical(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, values, "canonical_json", error)


def validator(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    kind = type("Raising", (RaisingValidator,), {"error": error})
    patch.setattr(jsonschema_rs, "Draft202012Validator", kind)
    patch.setattr(problems, "_metaschema", lambda: REAL_VALIDATOR({}))


def filling(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, preparing, "resolved_object", error)


def clock(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    class Raising(datetime):
        @classmethod
        def fromisoformat(cls, text: str) -> Any:
            raise error(f"a stand-in over {text}")

    patch.setattr(reading, "datetime", Raising)


def routes(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, page_fields, "route_problem", error)


AT = {"from": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("error", UNFORESEEN)
@pytest.mark.parametrize(
    ("door", "component", "block", "page", "where"),
    [
        (validator, {"schema": {"title": POISON}}, {}, {}, "component bad, props_schema"),
        (canonical, {"schema": {"title": POISON}}, {}, {}, "component bad, props_schema"),
        (
            validator,
            {"schema": {"n": {"type": "string"}}},
            {"props": {"n": POISON}},
            {},
            "component bad, on page bad, block 1, props",
        ),
        (
            canonical,
            {},
            {"props": {"n": POISON}},
            {},
            "component bad, on page bad, block 1, props",
        ),
        (
            filling,
            {},
            {"props": {"n": POISON + "{{a}}"}},
            {},
            "component bad, on page bad, block 1, props",
        ),
        (clock, {}, {"conditions": AT}, {}, "component bad, on page bad, block 1, conditions"),
        (canonical, {}, {}, {"metadata": {"n": POISON}}, "page bad"),
        (routes, {}, {}, {"route": f"/{POISON}/"}, "page bad"),
    ],
)
def test_a_fault_over_a_page_or_component(
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    door: Callable[[type[BaseException], pytest.MonkeyPatch], None],
    component: dict[str, Any],
    block: dict[str, Any],
    page: dict[str, Any],
    where: str,
) -> None:
    """Only the pages of that row are held back; the page beside it is built."""
    door(error, monkeypatch)
    bad = a_page(
        "bad", **{"route": "/bad/", "blocks": (a_block(component="bad", **block),), **page}
    )
    rows = (a_component("bad", **component), a_component("good"))
    good = a_page("good", route="/good/", blocks=(a_block(component="good"),))
    preparing._compiled.cache_clear()
    found = assemble(a_snapshot(bad, good, components=rows), "play", layouts=LAYOUTS)
    assert [each.key for each in found.pages] == ["good"]
    (problem,) = found.held_back["bad"]
    assert problem.where == where
    assert error.__name__ in problem.what
    preparing._compiled.cache_clear()


TOKENS = (
    TokenRow(key="color.good", category="color", default="#fff"),
    TokenRow(key="font.good", category="font", default="'Inter', serif"),
)


def css(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, tinycss2, "parse_component_value_list", error)


def colors(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, color4, "parse_color", error)


def urls(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, branding, "urlsplit", error)


def nothing(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    """The fonts raise."""


@pytest.mark.parametrize("error", UNFORESEEN)
@pytest.mark.parametrize(
    ("door", "tokens", "node", "where"),
    [
        (css, {"a.b": POISON}, {}, "style_token a.b, default_value"),
        (colors, {"color.b": POISON}, {}, "style_token color.b, default_value"),
        (
            css,
            {},
            {"overrides": {"a.c": f"other {POISON}"}},
            "node_branding bad, style_overrides at /a.c",
        ),
        (css, {}, {"custom_css": f"a{{b:{POISON}}}"}, "node_branding bad, custom_css"),
        (urls, {}, {"base_url": f"https://{POISON}"}, "node_branding bad, base_url"),
        (
            nothing,
            {"font.body": f"'{POISON}', serif"},
            {},
            "node_branding bad, style_overrides at /font.body",
        ),
    ],
)
def test_a_fault_over_a_node_or_token(
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    door: Callable[[type[BaseException], pytest.MonkeyPatch], None],
    tokens: dict[str, str],
    node: dict[str, Any],
    where: str,
) -> None:
    """It is a problem of that row, and a node without the row is branded."""

    def fonts(family: str) -> tuple[()]:
        if POISON in family:
            raise error("a stand-in")
        return ()

    door(error, monkeypatch)
    rows = [TokenRow(key=k, category=k.split(".")[0], default=v) for k, v in tokens.items()]
    bad: BrandedNode = brand(a_node("bad", **node), [*TOKENS, *rows], fonts)
    errors = [each for each in bad.problems if error.__name__ in each.what]
    assert [each.where for each in errors] == [where]
    assert [each.severity for each in errors] == ["error"]
    assert "--color-good:#fff" in bad.stylesheet.content.decode()
    good = brand(a_node("good"), TOKENS, lambda _: ())
    assert [each.severity for each in good.problems if each.severity == "error"] == []


SETTINGS: dict[str, Any] = {
    "consent": {"text": POISON, "accept": "Yes", "decline": "No"},
    "framed_by": [f"https://{POISON}.example"],
    "head": {"metas": [{"name": POISON, "content": "x"}]},
    "hosts": {f"https://{POISON}.example": ["images"]},
    "languages": {"default": POISON},
    "icons": {"source": f"media:{POISON}"},
    "manifest": {"short_name": POISON},
    "permissions": {"camera": [f"https://{POISON}.example"]},
    "referrer": POISON,
    "report_only": {"hosts": {f"https://{POISON}.example": ["images"]}},
    "reports": f"https://{POISON}.example/csp",
    "schemes": {"dark": {"color.good": POISON}},
    "scripts": [{"src": f"https://{POISON}.example/x.js"}],
    "social_card": POISON,
    "trusted_types": POISON,
}


def test_each_setting_is_tried() -> None:
    """A new key of `settings` needs a value here."""
    assert set(SETTINGS) == set(KEYS)


def failing_reader(error: type[BaseException], patch: pytest.MonkeyPatch, key: str) -> None:
    """The reader of one setting raises over the poison."""

    def read(stated: Stated) -> object:
        return raising(error, real, stated.value) if POISON in str(stated.value) else real(stated)

    real = KEYS[key]
    patch.setattr(site_settings_reading, "KEYS", {**KEYS, key: read})


@pytest.mark.parametrize("error", UNFORESEEN)
@pytest.mark.parametrize("key", SETTINGS)
def test_a_fault_over_a_setting(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], key: str
) -> None:
    """Of a node it is a problem of that node, and the setting beside it is read; of a frame it
    holds the pages of its app, and of no other; of a page's `head` that page alone."""
    failing_reader(error, monkeypatch, key)
    other = ("referrer", "origin") if key != "referrer" else ("trusted_types", "on")
    bad = brand(a_node("bad", settings={key: SETTINGS[key], other[0]: other[1]}), TOKENS, no_fonts)
    (found,) = [each for each in bad.problems if error.__name__ in each.what]
    assert found.where == f"node_branding bad, settings at /{key}"
    assert getattr(bad.settings, other[0]) == other[1]
    if key in ONLY_OF_NODES:
        return
    metadata: dict[str, Any] = {"frame": True, "settings": {key: SETTINGS[key]}}
    frame = a_page("frame", app="framed", route="", metadata=metadata)
    pages_ = [frame, a_page("in", app="framed", route="/in/"), a_page("good", route="/good/")]
    if key == "head":
        pages_.append(a_page("bad", route="/bad/", metadata={"head": SETTINGS[key]}))
    snapshot = Relations().applied(a_snapshot(*pages_), NOW)
    framed = assemble(snapshot, "framed", layouts=LAYOUTS)
    assert [each.where for each in framed.held_back["in"]] == [
        f"page frame, metadata at /settings/{key}"
    ]
    play = assemble(snapshot, "play", layouts=LAYOUTS)
    assert [each.key for each in play.pages] == ["good"]
    assert set(play.held_back) == ({"bad"} if key == "head" else set())


@pytest.mark.parametrize("error", UNFORESEEN)
def test_a_fault_over_the_other_theme_or_a_social_card(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """It is a problem of the node's settings; its tokens are there."""

    def faults() -> list[str]:
        return [each.where for each in bad.problems if error.__name__ in each.what]

    replaced(monkeypatch, schemes, "flattened_overrides", error)
    dark = {"schemes": {"dark": {"color.good": POISON}}}
    bad = brand(a_node("bad", settings=dark), TOKENS, no_fonts)
    assert faults() == ["node_branding bad, settings at /schemes/dark"]
    replaced(monkeypatch, branding, "card_style", error)
    node = a_node("bad", name=POISON, base_url="https://a.example", settings={"social_card": True})
    bad = brand(node, TOKENS, no_fonts)
    assert faults() == ["node_branding bad, settings at /social_card"]
    assert (bad.card, "--color-good:#fff" in bad.stylesheet.content.decode()) == (None, True)


@pytest.mark.parametrize("error", UNFORESEEN)
def test_a_fault_over_the_rules_of_a_class(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """A word over whose rules the parser fails is no class; the word beside it is one."""
    replaced(monkeypatch, classes, "safe_rules", error)
    known = KnownClasses(roots=frozenset({"p"}))
    words = ["p-1", f"p-[{POISON}]"]
    answer = [".p-1{padding:1px}", ".p-\\[poison\\]{padding:2px}"]
    told = known.with_answer(words, answer, words)
    assert list(told.rules) == ["p-1"]
    assert told.unknown(words) == []


@pytest.mark.parametrize("error", UNFORESEEN)
def test_a_fault_over_a_template(error: type[BaseException], tmp_path: Path) -> None:
    """Whatever a template raises while it is compiled or rendered is a problem with that file."""

    def failing() -> None:
        raise error("a stand-in")

    (tmp_path / "bad.j2").write_text("{{ fails() }}")
    templates = Templates(tmp_path)
    with pytest.raises(ContentError) as raised:
        templates.rendered(templates.compiled("bad.j2"), {"fails": failing})
    (problem,) = raised.value.problems
    assert problem.where == "template bad.j2"
    assert error.__name__ in problem.what
    (tmp_path / "worse.j2").write_text("{{ " + "(" * 5_000 + ")" * 5_000 + " }}")
    with pytest.raises(ContentError, match="template worse"):
        templates.compiled("worse.j2")


@pytest.mark.parametrize("error", UNFORESEEN)
def test_a_fault_over_a_route_among_others(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """The routes of the other pages are compared."""
    replaced(monkeypatch, assemble_routes, "route_problem", error)
    pages_ = [a_page("bad", route=f"/{POISON}/"), a_page("a"), a_page("b")]
    (problem,) = assemble_routes.check_routes(a_snapshot(*pages_), a_node(), nothing_live)
    assert problem.key == "b"


def a_listing(**metadata: Any) -> PageRow:
    """A page that lists all others."""
    props = {"items": {"$pages": {}}, "rows": {"$rows": {"collection": "goods"}}}
    return a_page("list", route="/list/", blocks=(a_block(props=props),), metadata=metadata)


def listing(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, values, "canonical_json", error)


def frames(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    failing_reader(error, patch, "referrer")


def lists(error: type[BaseException], patch: pytest.MonkeyPatch) -> None:
    replaced(patch, references, "read_query", error)


@pytest.mark.parametrize("error", UNFORESEEN)
@pytest.mark.parametrize(
    ("door", "page", "value", "held"),
    [
        (listing, {"metadata": {"n": POISON}}, "", {"bad": "page bad, metadata"}),
        (listing, {}, POISON, {}),
        (
            frames,
            {"metadata": {"frame": True, "settings": {"referrer": POISON}}, "route": ""},
            "",
            dict.fromkeys(("good", "list"), "page bad, metadata at /settings/referrer"),
        ),
        (
            lists,
            {"blocks": (a_block(props={"items": {"$pages": {"where": {POISON: 1}}}}),)},
            "",
            {"bad": "page bad"},
        ),
    ],
)
def test_a_fault_over_what_pages_take_from_others(
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    door: Callable[[type[BaseException], pytest.MonkeyPatch], None],
    page: dict[str, Any],
    value: str,
    held: dict[str, str],
) -> None:
    """It is that row's: lists show the others. Where the machine was short of something, the next
    look at the same rows gives what it would have given."""
    row = CollectionRow(key="a", values={"n": value}, shown={"n": value}, digest="a")
    source = CollectionSource(name="goods", view=("goods",), key="n")
    goods = RowCollection(source=source, columns=("n",), rows=(row,))
    bad = a_page("bad", **{"route": "/bad/", **page})
    content = a_snapshot(bad, a_page("good", route="/good/"), a_listing(), collections=(goods,))
    kept = Relations()
    with monkeypatch.context() as patch:
        door(error, patch)
        found = {each.key: each for each in kept.applied(content, NOW).pages}
    told = {key: each.faults[0] for key, each in found.items() if each.faults}
    if value:
        assert found["list"].faults[0].where == "collection goods/a"
        assert found["list"].faults[0].severity == "warning"
    else:
        assert {key: each.where for key, each in told.items()} == held
    assert all(error.__name__ in each.what for each in told.values())
    again = kept.applied(content, NOW)
    if error is MemoryError:
        assert again.pages == Relations().applied(content, NOW).pages
        assert "MemoryError" not in str(again.pages)


def no_fonts(_: str) -> tuple[()]:
    """No family has files."""
    return ()


DIGITS = "9" * 5_000


@pytest.mark.parametrize("text", [DIGITS, f"-{DIGITS}px", f"calc(1px * {DIGITS})", f"#{DIGITS}"])
def test_a_number_of_5000_digits_in_css(text: str) -> None:
    """A token, an override, a node's CSS and a component's name the number and the place."""
    says = "holds a number of 5,000 digits"
    token = TokenRow(key="space.b", category="space", default=text)
    by_token = brand(a_node(), [token], lambda _: ())
    (problem,) = by_token.problems
    assert problem.where == "style_token space.b, default_value"
    assert says in problem.what
    by_override = brand(a_node(overrides={"space.b": text}), [token], lambda _: ())
    (problem,) = by_override.problems
    assert problem.where == "node_branding vengeance-local, style_overrides at /space.b"
    assert says in problem.what
    sheet = f"a {{ color: red }}\nb {{ width: {text} }}"
    (problem,) = brand(a_node(custom_css=sheet), [], lambda _: ()).problems
    assert (problem.field, problem.line) == ("custom_css", 2)
    assert says in problem.what
    made, (problem,) = scoped_stylesheet(a_component(css=sheet))
    assert (made, problem.field, problem.line) == ("", "css_styles", 2)
    assert says in problem.what


def test_a_problem_says_of_a_long_text_the_ends() -> None:
    """A library may quote all of a row's text: neither terminal nor record gets it."""
    problem = Problem(entity="page", key="a", what="x" * 20_000 + "!", remedy="y" * 20_000)
    assert len(str(problem)) < 2_100
    assert problem.what.endswith("!")
    deep = json_pointer(*["\x0c" * 700] * 60)
    assert len(str(Problem(entity="page", key="a", what="x", field="props", pointer=deep))) < 1_100
