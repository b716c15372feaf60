"""How a stored text becomes a module: the four shapes, what is in scope, what is refused."""

from __future__ import annotations

from collections import Counter
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.bundle.analysis import Analysis, analyse, queries
from robbieblocks.bundle.analysis.completion import subset_specifier
from robbieblocks.model import ComponentRow
from tests.counting import lines_executed

REACT = frozenset({"default", "useState", "useEffect", "memo", "forwardRef", "use", "Component"})


def analysis(code: str, key: str = "the-card") -> Analysis:
    row = ComponentRow(id=UUID(int=0), key=key, name="", type="widget", code=code)
    return analyse(row, REACT, {"lucide-react"})


def exported(code: str, key: str = "the-card") -> str:
    found = analysis(code, key)
    assert not found.problems
    return found.source.removeprefix(code).replace('import*as React from"react";', "").strip("\n;")


@pytest.mark.parametrize(
    "code",
    [
        "export default function Card() { return <p/>; }",
        "export default () => <p/>",
        "export default class Card extends React.Component { render() { return <p/>; } }",
        "const Card = () => <p/>;\nexport default Card;",
        "const Card = () => <p/>;\nexport { Card as default };",
        "const Card = () => <p/>;\nexport default React.memo(Card);",
        "export default React.forwardRef((props, ref) => <p ref={ref}/>)",
        "export const Other = () => <i/>;\nexport default () => <p/>",
    ],
)
def test_default_export(code: str) -> None:
    """A default export is the component, and no other export is added."""
    assert "as default" not in exported(code)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("export const TimeSaved: React.FC<{n: number}> = ({ n }) => <b>{n}</b>;", "TimeSaved"),
        ("export function Card() { return <p/>; }", "Card"),
        ("export class Card extends Component { render() { return null; } }", "Card"),
        ("const Card = () => <p/>;\nexport { Card };", "Card"),
        ("export const LIMIT = 3;\nexport const Card = () => <p/>;", "Card"),
        (
            "export const TYPES = ['a'];\nexport const useX = () => 1;\nexport const C = memo(f);",
            "C",
        ),
        ("export type Props = { a: string };\nexport const Card = (p: Props) => <p/>;", "Card"),
        ("export const Row = () => <i/>;\nexport const TheCard = () => <Row/>;", "TheCard"),
        ("export const Row = () => <i/>;\nexport const Grid = () => <Row/>;", "Grid"),
        ("export const clock = () => <time/>;", "clock"),
    ],
)
def test_named_export(code: str, name: str) -> None:
    """Without a default export, the export that is a component is it."""
    assert exported(code).startswith(f"export{{{name} as default}}")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("const RobbieBar = ({ mood }) => { return <b>{mood}</b>; };", "RobbieBar"),
        ("function Card(props) { return <p/>; }", "Card"),
        ("class Card extends React.Component { render() { return <p/>; } }", "Card"),
        ("const Card = memo(() => <p/>);", "Card"),
        ("const Card = forwardRef(function (props, ref) { return <p ref={ref}/>; });", "Card"),
        ("interface P { a: 1 }\ntype Q = P;\nlet Card = (p: P) => <p/>;", "Card"),
        ("const Row = () => <li/>;\nconst List = () => <ul><Row/></ul>;", "List"),
        ("const Card = () => <p/>;\nCard.displayName = 'Card';", "Card"),
        ("const COLORS = ['red'];\nconst Card = () => <p>{COLORS}</p>;", "Card"),
        ("const useX = () => 1;\nconst Card = () => <p>{useX()}</p>;", "Card"),
    ],
)
def test_bare_declaration(code: str, name: str) -> None:
    """A text without exports is completed by an export of its component."""
    assert exported(code).startswith(f"export{{{name} as default}}")


@pytest.mark.parametrize(
    "code",
    [
        "<div>{props.greeting}</div>",
        "<>\n  <p>{props.a}</p>\n</>",
        "(<p/>)",
        "// a greeting\n<p>{props.a}</p>;",
        "const shout = (s) => s + '!';\n<p>{shout(props.a)}</p>",
    ],
)
def test_fragment(code: str) -> None:
    """Bare JSX becomes a function of props, and its lines stay where they are."""
    found = analysis(code)
    assert not found.problems
    assert "export default function Fragment(props){return " in found.source
    assert found.source.startswith(code.split("<")[0].split("(")[0])
    assert found.shift is not None


@pytest.mark.parametrize("code", ["({ a }) => <p>{a}</p>", "function (props) { return <p/>; }"])
def test_anonymous_function(code: str) -> None:
    """A function alone in the text is the component."""
    assert analysis(code).source.startswith(f"export default ({code})")


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("", "no component was found"),
        ("const limit = 3;", "no component was found"),
        ("const A = () => <a/>;\nconst B = () => <b/>;", "several components: A, B"),
        ("<a/>\n<b/>", "several JSX elements"),
        ("module.exports = () => <p/>;", "module is not"),
        ("exports.Card = () => <p/>;", "exports is not"),
        ("const fs = require('fs');\nexport default () => <p/>;", "require is not"),
        ("import fs = require('fs');\nexport default () => <p/>;", "require is not"),
        ("export default () => <p>{import('x')}</p>;", "import() is not"),
        ("type A = B;\nexport default () => <p>{import('x') as A}</p>;", "import() is not"),
        ("export default () => <p>{import.meta.url}</p>;", "import.meta is not"),
    ],
)
def test_refused(code: str, what: str) -> None:
    """What can't be a component is named, and there is a remedy."""
    problems = analysis(code).problems
    assert len(problems) == 1
    assert what in problems[0].what
    assert problems[0].remedy


@pytest.mark.parametrize(
    ("code", "name", "column"),
    [
        ("const r = require; r('x');", "require", 11),
        ("const o = { require };", "require", 13),
        ("require.call(null, 'x');", "require", 1),
        ("(0, require)('x');", "require", 5),
        ("let r = (require ??= 0);", "require", 10),
        ("[require] = [0]; const f = module;", "module", 28),
        ("typeof module === 'object';", "module", 8),
        ("declare const require: any; require('x');", "require", 29),
        ("declare function require(a: string): any; require('x');", "require", 43),
        ("const p = <require.Foo/>;", "require", 12),
        ("const t = `${exports}`;", "exports", 14),
        ("@module.x class A {}", "module", 2),
        ("const x = module as any;", "module", 11),
        ("class A { module = module }", "module", 20),
        ("function f(a = require) {}", "require", 16),
        ("namespace N { export const a = exports }", "exports", 32),
    ],
)
def test_the_variables_of_common_js_are_refused(code: str, name: str, column: int) -> None:
    """Any use of a variable that only CommonJS has is an error with its place, called or not."""
    (problem,) = analysis(f"export default () => <p/>;\n{code}").problems
    assert problem.what == f"{name} is not available here"
    assert (problem.line, problem.column) == (2, column)
    assert problem.remedy


@pytest.mark.parametrize(
    "code",
    [
        "const module = 1; const b = module;",
        "function f(require, { exports }, [module]) { return require(exports, module) }",
        "const f = require => require('x');",
        "try {} catch (exports) { f(exports) }",
        "for (const module of all) f(module);",
        "import { a as require, module as b } from 'react'; require(b);",
        "import require from 'react'; require();",
        "import * as exports from 'react'; exports.x;",
        "class module {}; new module();",
        "enum exports { a } f(exports.a);",
        "const { a: require, ...module } = props; require(module);",
        "const f = ({ module = 1, a: exports = 2 }) => module + exports;",
        "export { f as module, g as exports } from 'react';",
        "const p = <module require='1'><exports/></module>;",
        "const o = { module: 1, require() {}, exports: 2 }; o.module; o.require(); o['exports'];",
        "type T = { module: string; require(exports: number): void; [exports: string]: any };",
        "const t = 'require(\"x\")'; // module.exports = require",
        "const p = <p>require module exports</p>;",
    ],
)
def test_names_of_common_js_may_be_ones_own(code: str) -> None:
    """A variable, property, element or word with such a name is legal."""
    assert analysis(f"export default () => <p/>;\n{code}").problems == ()


def test_a_line_for_the_shell_is_refused_at_its_place() -> None:
    """A first line that begins with `#!` would fail in the browser, without a line."""
    (problem,) = analysis("#!/usr/bin/env node\nexport default () => <p/>;").problems
    assert (problem.line, problem.column, problem.source) == (1, 1, "#!/usr/bin/env node")
    assert "(#!) is not available here" in problem.what
    assert not analysis("export default () => <p>#!</p>;\n#!").problems


def test_place_of_a_problem() -> None:
    """A problem has the line and column of the stored text, and quotes the line."""
    (problem,) = analysis("const é = 1;\nexport default () => <p>é{require('x')}</p>").problems
    assert (problem.line, problem.column) == (2, 27)
    assert problem.source == "export default () => <p>é{require('x')}</p>"


@pytest.mark.parametrize(
    "code",
    [
        "export interface Product { id: string }\nexport type Id = string;",
        "export const Theme = React.createContext(null);",
        "export const A = () => <p/>;\nexport const B = () => <i/>;",
        "export * from '@robbieblocks/other';",
        "console.log(1);",
    ],
)
def test_a_module_needs_no_component_and_gets_no_export(code: str) -> None:
    """What its `component_type` says is no component is compiled as it is written."""
    row = ComponentRow(id=UUID(int=0), key="m", name="", type="module", code=code)
    found = analyse(row, REACT)
    assert not found.problems
    assert "default" not in found.exports
    assert "as default" not in found.source


@pytest.mark.parametrize(
    "code",
    [
        "type A = import('react').ReactNode;",
        "const a: typeof import('react') = null!;",
        "let a: import('react').FC<import('react').PropsWithChildren>;",
        "const a = null as unknown as import('react').ReactNode;",
        "interface A extends B<import('react').Key> { b: import('react').Key[] }",
        "const [a, b] = useState<import('react').ReactNode>();",
        "const a = useState<import('react').Key | null>(null);",
        "const a = useRef<Map<string, import('react').FC<import( 'react').Key>[]>> (b);",
        "const a = useState<typeof import('react')>();",
    ],
)
def test_an_import_in_a_type_is_no_dynamic_import(code: str) -> None:
    """Types are erased, and what they import is never loaded."""
    assert not analysis(f"{code}\nexport default () => <p/>;").problems


@pytest.mark.parametrize(
    "code",
    [
        "const a = 1 < import('react');",
        "const a = b<c, d = import('react');",
        "const a = b<import('react') + c;",
        "const a = b<import('react') && (c > d);",
    ],
)
def test_a_comparison_stays_one(code: str) -> None:
    """An import whose module is loaded is found beside signs that could be of types."""
    (found,) = analysis(f"{code}\nexport default () => <p/>;").problems
    assert "import" in str(found)


def test_hooks_need_no_import() -> None:
    """React's names that a text uses and nowhere declares are imported behind it."""
    source = analysis(
        "const A = memo(() => { const [n] = useState(0); return <p>{n}</p>; });"
    ).source
    assert 'import{memo,useState}from"react"' in source
    assert "useEffect" not in source


@pytest.mark.parametrize(
    "code",
    [
        "import { useState } from 'react';\nexport default () => { useState(0); return <p/>; }",
        "import { useState } from 'zustand';\nexport default () => { useState(0); return <p/>; }",
        "const useState = () => [1];\nexport default () => { useState(0); return <p/>; }",
        "const { useState } = React;\nexport default () => { useState(0); return <p/>; }",
        "const { a: useState } = React;\nexport default () => { useState(0); return <p/>; }",
    ],
)
def test_own_names_stay(code: str) -> None:
    """A name that the text imports or declares at its top is not imported again."""
    assert "import{useState}" not in analysis(code).source


def test_inner_names_shadow() -> None:
    """A hook's name that only an inner scope declares is still imported for the others."""
    source = analysis(
        "const f = (use) => use;\nexport default () => { use(f); return <p/>; }"
    ).source
    assert 'import{use}from"react"' in source


def test_react_namespace() -> None:
    """`React` is in scope, unless the text has its own."""
    assert "import*as React" in analysis("const A = () => React.createElement('p')").source
    assert (
        "import*as" not in analysis("import React from 'react';\nexport default () => <p/>").source
    )


def test_nothing_moves() -> None:
    """What is added stands behind the text, which stays byte for byte as it is."""
    code = "// ä\nconst A = () => {\n  const [n] = useState(0);\n  return <p>{n}</p>;\n};"
    assert analysis(code).source.startswith(code + "\n")


def test_types_are_no_imports() -> None:
    """Imports of types, said or only used so, are not asked for."""
    code = (
        "import type { A } from 'a';\nimport { type B } from 'b';\nimport { C } from 'c';\n"
        "export default (p: { a: A; b: B; c: C }) => <p/>;"
    )
    assert analysis(code).imports == ()


def test_an_import_that_nothing_uses_is_kept_apart() -> None:
    """esbuild drops it, and its name may be misspelt all the same."""
    code = "import _ from 'lodash';\nimport { A } from 'a';\nexport default (p: A) => <p/>;"
    found = analysis(code)
    assert found.imports == ()
    assert [each.specifier for each in found.unused_imports] == ["lodash"]


def test_imports_that_nothing_uses_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is read once for all of them: once for each took minutes over thousands."""
    read: list[int] = []

    def counted(text: bytes) -> Counter[str]:
        read.append(len(text))
        return Counter()

    monkeypatch.setattr(queries, "_names", counted)
    code = "".join(f'import {{ a{number} }} from "x";\n' for number in range(100))
    assert len(analysis(code).unused_imports) == 100
    assert sum(read) <= 2 * len(code)


def test_imports() -> None:
    """Imports are found with what they take, and where they stand."""
    code = (
        "import React, { useState as s } from 'react';\nimport * as d from \"date-fns\";\n"
        "import 'side';\nexport { x } from 'y';\nexport default () => <p>{s()}{d}{React}</p>;"
    )
    found = {each.specifier: (each.names, each.position.line) for each in analysis(code).imports}
    assert found == {
        "react": (frozenset({"default", "useState"}), 1),
        "date-fns": (None, 2),
        "side": (frozenset(), 3),
        "y": (frozenset({"x"}), 4),
    }


def test_icons_come_by_name() -> None:
    """A package that comes by name is asked for the names that are used, in one module."""
    code = (
        "import { Clock, type LucideIcon } from 'lucide-react';\n"
        "import { Home as H } from 'lucide-react';\nexport default () => <p><Clock/><H/></p>;"
    )
    found = analysis(code)
    specifier = subset_specifier("lucide-react", {"Home", "Clock"})
    assert found.subsets == {specifier: ("lucide-react", frozenset({"Home", "Clock"}))}
    assert found.source.count(specifier) == 2


def test_a_whole_package() -> None:
    """A namespace import takes the whole package."""
    code = "import * as icons from 'lucide-react';\nexport default () => <icons.Clock/>;"
    assert analysis(code).subsets == {}


def test_words() -> None:
    """Words that may be classes come from strings, templates, attributes and object keys."""
    code = (
        "export default ({ on }) => <p className=\"p-4 [&>a]:m-1 &lt;\" title='Hi There'>"
        "<b className={`w-2 ${on ? 'bg-red' : \"x:y\"} h-3`}/>"
        "<i className={clsx({ hidden: on })}/></p>"
    )
    words = analysis(code).words
    assert {"p-4", "[&>a]:m-1", "w-2", "bg-red", "x:y", "h-3", "hidden"} <= words
    assert "Hi" not in words


def test_syntax_errors_are_left_to_the_compiler() -> None:
    """A text that does not parse is broken, and gets no second-hand problem."""
    found = analysis("const A = (p) => (<div>")
    assert found.broken
    assert not found.problems


@pytest.mark.parametrize(
    "code",
    [
        "export default () => " + "(" * 5000 + "1" + ")" * 5000,
        "export default () => " + "<a>" * 3000 + "</a>" * 3000,
        "const " + "{a:" * 400 + "b" + "}" * 400 + " = {};",
        "\0",
        "\u202eexport default () => <p/>",
        "export default () => <p/>" + " " * 100_000,
    ],
    ids=["parentheses", "elements", "patterns", "nul", "right-to-left", "long"],
)
def test_hostile_texts(code: str) -> None:
    """Deep, odd or long texts have a shape or a problem, and nothing is raised."""
    analysis(code)


@given(st.text(alphabet="<>/{}()=;:'\"`$ax \n.,export default const import from", max_size=80))
def test_any_text(code: str) -> None:
    """No text makes the analysis fail."""
    analysis(code)


def test_the_first_places_are_told() -> None:
    """Of very many faults of one kind the first ones are told, in order."""
    found = analysis("import('x');\n" * 3000 + "export default () => <p/>")
    assert [each.line for each in found.problems] == list(range(1, 21))


def test_the_last_of_several_exported_imports_is_the_one_that_nothing_uses() -> None:
    """Of imported names that are exported again, the one that no declaration uses is it."""
    code = 'import { A, B } from "@robbieblocks/other";\nconst c = () => <A/>;\nexport { A, B };'
    assert exported(code) == "export{B as default}"


@pytest.mark.parametrize(
    "part",
    [
        'import {{ a{0} }} from "x"; a{0};\n',
        'import {{ a{0} }} from "lucide-react"; a{0}; ',
        'import {{ a{0} }} from "x";\n',
        'export {{ a{0} }} from "@robbieblocks/x";\n',
        "function A{0}() {{ return A{1}; }}\n",
        "function A() {{ return A; }}\n",
        "const a{0} = () => <b/>;\n",
        "const exports = {0};\n",
        "declare const exports: {0};\n",
        "f<import('x{0}').A>(1);\n",
        "exports.a{0} = 1; require('x'); import('y'); import.meta.a;\n",
        "<p/>; (() => {0});\n",
    ],
)
def test_work_grows_as_the_text_does(part: str) -> None:
    """Four times the text is four times the work, counted in executed lines."""
    few, many = (
        lines_executed(partial(analysis, "".join(part.format(n, n + 1) for n in range(count))))
        for count in (500, 2000)
    )
    assert many < 5 * few


@pytest.mark.parametrize(
    ("code", "classes"),
    [
        ("<p className='grid p-4'/>", {"grid", "p-4"}),
        ("<p class='grid'/>", {"grid"}),
        ("<P labelClassName='grid'/>", {"grid"}),
        ("<p className={on ? 'flex' : 'grid'}/>", {"flex", "grid"}),
        ("<p className={on === 'list' ? 'flex' : ''}/>", {"flex"}),
        ("<p className={`bg-${a}-500 mt-2 ${b} mb-3`}/>", {"mt-2", "mb-3"}),
        ("const f = () => clsx('grid', { flex: on }, ['p-4']);", {"grid", "p-4"}),
        ("createElement('p', { className: 'grid' })", {"grid"}),
        ("const tones = { a: 'grid' }; <p className={tones[a]}/>", {"grid"}),
        ("const box = 'rounded-lg border p-4';", {"rounded-lg", "border", "p-4"}),
        ("<p style={{ display: 'inline-block', transition: 'opacity 1s ease-in-out' }}/>", set()),
        ("const said = 'a well-known table';", set()),
        ("<p className={tones[a]}>{filter}</p>", set()),
        ("<p title='grid'/>", set()),
    ],
)
def test_class_words(code: str, classes: set[str]) -> None:
    """Words count as classes where class names stand; a template's parts do not, nor do styles."""
    assert analysis(f"export default () => null; {code}").classes == classes


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("export const A = () => <a/>;\nexport const B = () => <b/>;", "several components: A, B"),
        ("export * from '@robbieblocks/a';", "no component was found"),
        ("export { A } from '@robbieblocks/a';", "is exported from another module"),
    ],
)
def test_what_only_others_can_use_is_no_error_of_the_text(code: str, what: str) -> None:
    """A text that exports several functions, or those of others, has no problem of its own."""
    found = analysis(code)
    assert not found.problems
    assert found.unplaceable is not None
    assert what in found.unplaceable.what
