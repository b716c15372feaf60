"""Types of components: schemas as TypeScript, places in stored texts, texts that never end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from robbieblocks import typescript
from robbieblocks.bundle import TypedText, typed_text
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.process import Killed, TimedOut
from robbieblocks.toolchain import Toolchain, TypeScript
from robbieblocks.typescript import checking
from robbieblocks.typescript.places import Places
from robbieblocks.typescript.program import Message
from robbieblocks.typescript.props import props_module
from tests.unit.rows import a_component

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "props"),
    [
        ({}, "any"),
        (None, "any"),
        ({"type": "object"}, "any"),
        ({"a": TEXT}, '{ "a"?: string; }'),
        ({"a": {**TEXT, "default": "x"}}, '{ "a": string; }'),
        ({"type": "object", "properties": {"a": TEXT}, "required": ["a"]}, '{ "a": string; }'),
        ({"a": {"type": ["integer", "null"]}}, '{ "a"?: (number | null); }'),
        ({"a": {"enum": ["x", 1, None, True]}}, '{ "a"?: ("x" | 1 | null | true); }'),
        ({"a": {"const": "x"}}, '{ "a"?: "x"; }'),
        ({"a": {"anyOf": [TEXT, {"type": "number"}]}}, '{ "a"?: (string | number); }'),
        ({"a": {"oneOf": [TEXT, {}]}}, '{ "a"?: any; }'),
        ({"a": {"type": "array", "items": TEXT}}, '{ "a"?: (string)[]; }'),
        ({"a": {"type": "array"}}, '{ "a"?: (any)[]; }'),
        ({"a": {"prefixItems": [TEXT], "items": False, "type": "array"}}, '{ "a"?: (string)[]; }'),
        (
            {"a": {"type": "object", "additionalProperties": TEXT}},
            '{ "a"?: { [name: string]: string }; }',
        ),
        (
            {"a": {"type": "object", "properties": {"b": {**TEXT, "default": ""}}}},
            '{ "a": { "b": string; }; }',
        ),
        ({"a": {"x-unknown": 1}}, '{ "a"?: any; }'),
        ({"a": False}, '{ "a"?: never; }'),
        ({'"; } evil': TEXT}, '{ "\\"; } evil"?: string; }'),
        ({"type": "array"}, "any"),
        ({"a": {"$ref": "https://elsewhere.example/x"}}, "any"),
    ],
)
def test_a_schema_is_a_type(schema: Any, props: str) -> None:
    """Each form of a schema has its type; what has a default is always there."""
    assert props_module(schema) == f"export type Props = {props};\n"


def test_a_schema_that_refers_to_itself_has_a_name() -> None:
    """A tree is a type that names itself, and a default behind a reference counts."""
    schema: Any = {
        "type": "object",
        "properties": {"menu": {"$ref": "#/$defs/menu"}, "size": {"$ref": "#/$defs/size"}},
        "$defs": {
            "menu": {"type": "array", "items": {"$ref": "#/$defs/menu"}},
            "size": {"type": "number", "default": 1},
        },
    }
    assert props_module(schema).splitlines() == [
        'export type Props = { "menu"?: Part1; "size": Part2; };',
        "export type Part2 = number;",
        "export type Part1 = (Part1)[];",
    ]


def test_a_hostile_schema_ends() -> None:
    """A schema that branches without end, or names itself, gives a type of bounded length."""
    tangle: dict[str, Any] = {"anyOf": [{"$ref": "#/$defs/a"}] * 50, "allOf": [{"$ref": "#"}] * 50}
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(60):
        deep = {"type": "object", "properties": {"a": deep}}
    schemas: list[Any] = [{"type": "object", "$defs": {"a": tangle}, **tangle}, deep]
    for schema in schemas:
        assert len(props_module(schema)) < 1_000_000
    many = {"a": {"enum": [str(each) for each in range(100_000)]}}
    assert props_module(many) == 'export type Props = { "a"?: string; };\n'


def text_of(code: str) -> TypedText:
    text = typed_text(a_component(code=code), {"useState"}, "P")
    assert text is not None
    return text


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("export default function A({ b }: P) { return <p/>; }", (1, 27)),
        ("const A = ({ b }: P) => <p/>;", (1, 12)),
        ("export const A: React.FC<P> = ({ b }) => <p/>;", (1, 32)),
        ("const A = React.memo(\n  forwardRef(function A(é: P) { return <p/>; }));", (2, 25)),
        ("/* é🎉 */ export default (props: P) => <p/>;", (1, 26)),
        ("/* é🎉 */ (b: P) => <p/>", (1, 11)),
        ("const A = b => <p/>;\nexport { A as default };", (1, 11)),
        ("export default class A extends React.Component<P> { render() { return <p/>; } }", None),
        ("export default function A() { return <p/>; }", None),
        ("const A = B; const B = A; export default A;", None),
        ("<p>{props.b}</p>", None),
    ],
)
def test_props_have_a_place(code: str, place: tuple[int, int] | None) -> None:
    """Where a component takes its props is found in every shape, in the text as it is stored."""
    found = text_of(code).props
    assert place == (None if found is None else (found.line, found.column))


@pytest.mark.parametrize(
    ("code", "has_types"),
    [
        ("const A = ({ b }) => <p>{b}</p>;", False),
        ("import { b } from 'x'; export default () => <p>{b}</p>;", False),
        ("import { type B, b } from 'clsx'; export default () => <p>{b}</p>;", True),
        ("import type { B } from 'clsx'; export default () => <p/>;", True),
        ("type A = 1; export default () => <p/>;", True),
        ("export default () => <p>{useState<string>('')}</p>;", True),
        ("export default () => <p>{x as string}</p>;", True),
        ("<p>{props.b}</p>", False),
    ],
)
def test_javascript_is_known_by_its_text(code: str, has_types: bool) -> None:
    """A text with any type in it is TypeScript; the column does not say."""
    assert text_of(code).has_types is has_types


@pytest.mark.parametrize(
    ("code", "at", "place"),
    [
        ("const a = 1;\nexport default () => b;", "b;", (2, 22)),
        ("const a = '🎉é'; export default () => b;", "b;", (1, 38)),
        ("const a = 1;\r\nexport default () => b;\r\n", "b;", (2, 22)),
        ("const a = '\u2028'; export default () => b;", "b;", (1, 37)),
        ("  /* 🎉 */ <p>{b}</p>", "b}", (1, 15)),
        ("  <p>\n  {b}</p>", "b}", (2, 4)),
    ],
)
def test_a_place_is_found_in_the_stored_text(code: str, at: str, place: tuple[int, int]) -> None:
    """Lines and columns of the compiler lead to the stored character, whatever stands before it."""
    text = text_of(code)
    before = text.source[: text.source.index(at)].replace("\r\n", "\n").replace("\u2028", "\n")
    last = before.rpartition("\n")[2]
    line, column = before.count("\n") + 1, len(last.encode("utf-16-le")) // 2 + 1
    assert Places(text, code).stored(line, column) == place
    assert Places(text, code).comes_after(code[: code.index(at)][-3:], line, column)
    assert code.split("\n")[place[0] - 1][place[1] - 1 :].startswith(at)


def test_what_was_appended_has_no_place() -> None:
    """A fault of what completes a text is not one of its last line."""
    text = text_of("const A = () => <p>{useState(1)}</p>;")
    assert Places(text, "const A = () => <p>{useState(1)}</p>;").stored(2, 3) is None


Check = Callable[[Mapping[str, str], Callable[[Collection[int]], list[Message]]], list[Problem]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Check:
    """The problems of texts by key, of which the compiler says what is given for their numbers."""

    def no_names(_: TypeScript) -> frozenset[str]:
        return frozenset()

    def checked(
        codes: Mapping[str, str], says: Callable[[Collection[int]], list[Message]]
    ) -> list[Problem]:
        class Program:
            def __init__(self, *_: object) -> None: ...

            def check(self, group: Collection[int], timeout: float) -> list[Message]:
                assert timeout > 0
                return says(group)

        monkeypatch.setattr(checking, "Program", Program)
        monkeypatch.setattr(checking, "react_names", no_names)
        problems = typescript.type_problems(
            {key: a_component(key, code=code) for key, code in codes.items()},
            Toolchain(id="x", root=tmp_path, esbuild=tmp_path, packages={}),
            TypeScript(program=tmp_path, modules=tmp_path),
        )
        return list(problems)

    return checked


def test_a_text_that_takes_for_ever_is_found(check: Check) -> None:
    """Components over which the checker hangs or dies are named; all others are checked. Whom
    others have ended may do the next time, and is nobody's fault."""
    bad = {"b3": TimedOut("slow"), "b6": ProcessFailed("dead"), "b7": Killed("by others")}
    keys = [f"b{number}" for number in range(9)]

    def says(group: Collection[int]) -> list[Message]:
        for number in group:
            if (error := bad.get(keys[number])) is not None:
                raise error
        return [Message("c", number, 1, 8, 2322, "It is wrong.") for number in group]

    problems = check(dict.fromkeys(keys, "export default (a: 1) => <p/>;"), says)
    said = {each.key: each.what for each in problems}
    assert said.keys() == set(keys)
    assert said["b3"].endswith("it takes too long")
    assert said["b6"].endswith("it gave up")
    assert "killed" in said["b7"]
    assert [each.key for each in problems if each.passing] == ["b7"]
    assert {said[key] for key in keys if key not in bad} == {"It is wrong (TS2322)"}


def test_what_was_not_reached_is_not_said_to_be_slow(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others took all the time, a component is told that it is not checked, and why."""
    monkeypatch.setattr(checking, "_ALL_S", 0.0)
    told = check(dict.fromkeys("ab", "export default (a: 1) => <p/>;"), lambda _: [])
    assert [each.key for each in told] == ["a", "b"]
    assert all(each.what.endswith("other components took all the time there is") for each in told)


@pytest.mark.parametrize(
    ("code", "kept"), [("<p>{props.a}</p>", 0), ("export default (p: {}) => <p/>;", 20)]
)
def test_of_many_messages_the_first_are_placed(
    check: Check, monkeypatch: pytest.MonkeyPatch, code: str, kept: int
) -> None:
    """Placing one reads the whole text: those that are not kept are not placed."""
    placed: list[int] = []
    stored = Places.stored

    def counted(self: Places, line: int, column: int) -> tuple[int, int] | None:
        placed.append(column)
        return stored(self, line, column)

    monkeypatch.setattr(Places, "stored", counted)
    columns = [1 + at % 9 for at in range(5_000)]
    found = check({"a": code}, lambda _: [Message("c", 0, 1, at, 2339, "No.") for at in columns])
    assert len(found) == len(placed) == kept
    assert {each.column for each in found} <= {1}


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("No a. Did you mean 'b'?", "No a", "did you mean 'b'?"),
        ("It is wrong.\n  No a. Did you mean 'b'?\n  In c.", "No a. In c", "did you mean 'b'?"),
        ("No 'Did you mean c' in it.", "No 'Did you mean c' in it", ""),
        ("Did you mean " * 3 + "'b'?", "Did you mean Did you mean", "did you mean 'b'?"),
        ("No a.", "No a", ""),
    ],
)
def test_a_suggestion_is_the_remedy(check: Check, text: str, what: str, remedy: str) -> None:
    """What ends a line of a message as a question is no part of what is wrong."""
    code = "export default (a: 1) => <p/>;"
    (problem,) = check({"a": code}, lambda _: [Message("c", 0, 1, 1, 1, text)])
    assert (problem.what, problem.remedy) == (f"{what} (TS1)", remedy)
