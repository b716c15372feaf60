"""Bundles with the real esbuild, the real packages and a real isolate."""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import semantic_version
import tinycss2
from py_mini_racer import JSEvalException, MiniRacer

from robbieblocks.bundle import Bundler, linked, named_map, react
from robbieblocks.bundle.analysis import Analysis, queries, trees
from robbieblocks.bundle.compile import CompileUnit, Esbuild, component_compilation, packets
from robbieblocks.bundle.compile.service import EsbuildService, Request
from robbieblocks.bundle.entries import ToolchainCache
from robbieblocks.bundle.packages import PackagePart, Packages
from robbieblocks.bundle.processes import KeepAlive, ScriptIsolate
from robbieblocks.bundle.tailwind import DesignSystem
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset, Bundle, ComponentRow, NodeRow, TokenRow
from robbieblocks.process import TimedOut
from robbieblocks.source_maps import locate, source_of
from robbieblocks.toolchain import Toolchain

Make = Callable[..., Bundle]
TOKENS = [
    TokenRow(key=key, category=key.split(".")[0], default=value)
    for key, value in {
        "color.primary": "#123456",
        "color.text-muted": "#888",
        "spacing.lg": "1rem",
        "font.heading": "Inter",
    }.items()
]


def row(key: str, code: str, **fields: Any) -> ComponentRow:
    given = {"name": key, "type": "widget", **fields}
    return ComponentRow(id=UUID(int=0), key=key, code=code, **given)


def rows(codes: Mapping[str, str]) -> dict[str, ComponentRow]:
    return {key: row(key, code) for key, code in codes.items()}


@pytest.fixture(scope="session")
def tailwind_asked(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cache that has Tailwind's theme; packages are beside the toolchain."""
    folder = tmp_path_factory.mktemp("asked") / "cache"
    with Cache(folder) as cache, closing(Bundler(cache)) as bundler:
        wanted = {"a": row("a", "<b className='p-4'/>")}
        bundler.bundle(wanted, ["a"], toolchain=toolchain, tokens=TOKENS, base_css="")
    return folder


@pytest.fixture
def cache(tailwind_asked: Path, tmp_path: Path) -> Iterator[Cache]:
    """A cache that knows the theme already: it takes a moment and is not what is tested."""
    shutil.copytree(tailwind_asked, tmp_path / "cache")
    with Cache(tmp_path / "cache") as opened:
        yield opened


@pytest.fixture
def bundler(cache: Cache) -> Iterator[Bundler]:
    with closing(Bundler(cache)) as opened:
        yield opened


@pytest.fixture
def make(toolchain: Toolchain, bundler: Bundler) -> Make:
    def made(components: Mapping[str, ComponentRow], *wanted: str, **given: Any) -> Bundle:
        options = {"tokens": TOKENS, "base_css": "@layer base{body{margin:0}}", **given}
        chosen = wanted or tuple(components)
        return bundler.bundle(components, chosen, toolchain=toolchain, **options)

    return made


@pytest.fixture
def render() -> Iterator[Callable[..., str]]:
    """Renders a component of a bundle to HTML, as the prerenderer does in principle."""
    isolates: list[MiniRacer] = []

    def rendered(bundle: Bundle, key: str, **props: object) -> str:
        isolate = MiniRacer()
        isolates.append(isolate)
        isolate.eval(bundle.isolate)
        wanted = json.dumps(f"@robbieblocks/{key}")
        bodies = ",".join(
            f'{json.dumps(name)}:function(require,module,exports){{"use strict";{module.script}\n}}'
            for name, module in bundle.modules.items()
        )
        return str(
            isolate.eval(
                f"const bodies={{{bodies}}},made={{}};function require(n){{if(!made[n])"
                "{const m=made[n]={exports:{}};bodies[n](require,m,m.exports)}"
                "return made[n].exports}"
                f"__rb.server.renderToString(__rb.jsx.jsx(require({wanted})"
                f".default,{json.dumps(props)}))"
            )
        )

    yield rendered
    for isolate in isolates:
        isolate.close()


SHAPES = {
    "module": "export default function Card({ n }: { n: number }) { return <b>{n + 1}</b>; }",
    "named": "export const Card: React.FC<{ n: number }> = ({ n }) => <b>{n + 1}</b>;",
    "bare": "const Card = ({ n }) => { const [m] = React.useState(n); return <b>{m + 1}</b>; };",
    "hooks": "const Card = ({ n }) => { const [m] = useState(n); return <b>{m + 1}</b>; };",
    "fragment": "<b>{props.n + 1}</b>",
    "arrow": "({ n }) => <b>{n + 1}</b>",
    "memo": "export default memo(({ n }) => <b>{n + 1}</b>);",
    "ref": "export default forwardRef(({ n }, ref) => <b ref={ref}>{n + 1}</b>);",
    "class": "export default class extends React.Component { render() "
    "{ return <b>{this.props.n + 1}</b>; } }",
    "classic": "/** @jsxRuntime classic */\nexport default ({ n }) => <b>{n + 1}</b>;",
    "enum": "enum Step { One = 1 }\nexport const Card = ({ n }) => <b>{n + Step.One}</b>;",
    "default-import": "import R from 'react';\n"
    "export default ({ n }) => R.createElement('b', null, n + 1)",
    "namespace-import": "import * as R from 'react';\n"
    "export default ({ n }) => R.createElement('b', null, n + 1)",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_render(make: Make, render: Callable[..., str], shape: str) -> None:
    """Each shape that people store compiles and renders."""
    made = make(rows({"card": SHAPES[shape]}))
    assert not made.problems
    assert render(made, "card", n=1) == "<b>2</b>"
    assert b"export" in made.modules["@robbieblocks/card"].asset.content


PACKAGES = {
    "clsx": (
        "import clsx from 'clsx';\nexport default () => <b className={clsx('a', { b: 1 })}/>",
        '<b class="a b"></b>',
    ),
    "clsx-named": (
        "import { clsx } from 'clsx';\nexport default () => <b className={clsx('a')}/>",
        '<b class="a"></b>',
    ),
    "zustand": (
        "import { create } from 'zustand';\nconst use = create(() => ({ n: 3 }));\n"
        "export default () => <b>{use((s) => s.n)}</b>",
        "<b>3</b>",
    ),
    "framer-motion": (
        "import { motion } from 'framer-motion';\n"
        "export default () => <motion.b animate={{ x: 1 }}>a</motion.b>",
        "<b>a</b>",
    ),
    "date-fns": (
        "import { addDays } from 'date-fns';\n"
        "export default () => <b>{addDays(new Date(Date.UTC(2025, 0, 1)), 1).toISOString()}</b>",
        "<b>2025-01-02T00:00:00.000Z</b>",
    ),
    "react-dom": (
        "import { createPortal } from 'react-dom';\n"
        "export default () => <b>{typeof createPortal}</b>",
        "<b>function</b>",
    ),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_render(make: Make, render: Callable[..., str], package: str) -> None:
    """Each allowed package is there at prerender, with the page's one React."""
    code, html = PACKAGES[package]
    made = make(rows({"card": code}))
    assert not made.problems
    assert render(made, "card") == html


def test_icons_and_charts_render(make: Make, render: Callable[..., str]) -> None:
    """Icons are SVG at once; a chart renders on the server too."""
    made = make(
        rows(
            {
                "icon": "import { Clock } from 'lucide-react';\nexport default () => <Clock/>",
                "chart": "import { LineChart, Line } from 'recharts';\nexport default () => "
                "<LineChart width={9} height={9} data={[{ a: 1 }]}><Line dataKey='a'/></LineChart>",
            }
        )
    )
    assert not made.problems
    assert render(made, "icon").startswith("<svg")
    assert "recharts" in render(made, "chart")


def test_components_use_components(make: Make, render: Callable[..., str]) -> None:
    """A component renders another by its key; the closure of what is wanted comes along."""
    made = make(
        rows(
            {
                "outer": "import Inner from '@robbieblocks/in.ner é';\n"
                "export default () => <i><Inner/></i>",
                "in.ner é": "<b/>",
                "other": "<u/>",
            }
        ),
        "outer",
    )
    assert render(made, "outer") == "<i><b></b></i>"
    assert "@robbieblocks/other" not in made.modules
    assert "@robbieblocks/in.ner é" in made.modules["@robbieblocks/outer"].imports


def test_every_import_is_in_the_bundle(make: Make) -> None:
    """The modules are closed: an import map of them resolves every import."""
    codes = {f"c{n}": code for n, (code, _) in enumerate(PACKAGES.values())}
    made = make(rows({**codes, **SHAPES}))
    known = {*made.modules, made.runtime.specifier}
    for module in [*made.modules.values(), made.runtime]:
        assert set(module.imports) <= known
        said = re.findall(rb'(?:from|import)"([^"]+)"', module.asset.content[:3000])
        assert {name.decode() for name in said} <= {*module.imports}


def test_only_what_is_used(make: Make) -> None:
    """A page without icons or charts has neither, and icons come one by one."""
    plain = make(rows({"a": "<b/>"}))
    assert not {"lucide-react", "recharts", "framer-motion"} & set(plain.modules)
    icons = make(
        rows({"a": "import { Clock } from 'lucide-react';\nexport default () => <Clock/>"})
    )
    (name,) = [name for name in icons.modules if name.startswith("lucide-react")]
    assert len(icons.modules[name].asset.content) < 8000


def test_same_set_of_icons_is_one_module(make: Make) -> None:
    """Components that import the same names share the module, whatever else is wanted."""
    code = "import {{ {} }} from 'lucide-react';\nexport default () => <p>{{[{}]}}</p>"
    names = {"a": "Home, Clock", "b": "Clock, Home"}
    made = make(rows({key: code.format(said, said) for key, said in names.items()}))
    assert len([name for name in made.modules if name.startswith("lucide-react")]) == 1


@pytest.fixture
def packages(toolchain: Toolchain, cache: Cache) -> Iterator[Packages]:
    services, isolates = KeepAlive[EsbuildService](60), KeepAlive[ScriptIsolate](60)
    with closing(ToolchainCache(toolchain, cache)) as shared:
        yield Packages(toolchain, Esbuild(toolchain, services), shared, cache, isolates)
    services.stop()
    isolates.stop()


def test_one_react(toolchain: Toolchain, packages: Packages) -> None:
    """Only the file of `react` holds React and its DOM; every other module imports it."""
    react = ("react", "react/jsx-runtime", "react-dom")
    modules = packages.modules(map(PackagePart.whole, (*react, *toolchain.packages)))
    assert modules["react/jsx-runtime"].asset == modules["react"].asset
    for mark in (b"useMemoCache:", b"hydrateRoot"):
        holders = {module.asset.name for module in modules.values() if mark in module.asset.content}
        assert holders <= {modules["react"].asset.name, modules["recharts"].asset.name}, mark
        assert modules["react"].asset.name in holders, mark
    for name in ("react-dom", "framer-motion", "recharts", "zustand", "lucide-react"):
        assert "react" in modules[name].imports, name
        assert b"useMemoCache:" not in modules[name].asset.content


def test_browsers_compile_react_while_it_arrives(packages: Packages) -> None:
    """Each file of React's stands in parentheses: browsers compile it before it is called."""
    code = packages.modules([PackagePart.whole("react")])["react"].asset.content
    files = re.findall(rb"var [\w$]+=[\w$]+\((\(?)(?:\([\w$,]*\)|[\w$]+)=>\{\"use strict\"", code)
    assert len(files) >= 5
    assert set(files) == {b"("}


def test_visitors_load_what_react_keeps_for_itself_as_letters(
    toolchain: Toolchain, packages: Packages
) -> None:
    """No text of React's names such a property, nor does another package: both would miss it."""
    parts = map(PackagePart.whole, ("react", "react-dom", *toolchain.packages))
    modules = {name: each.asset.content for name, each in packages.modules(parts).items()}
    code, whole = modules.pop("react"), packages.react_for_developers.content
    # What no browser's object nor package has under another meaning.
    telling = "memoizedState", "stateNode", "updateQueue", "pendingProps", "subtreeFlags"
    for name in (*telling, "__REACT_DEVTOOLS_GLOBAL_HOOK__"):
        assert name.encode() in whole, name
        assert name.encode() not in code, name
        assert not [each for each, text in modules.items() if f".{name}".encode() in text], name
    named = re.compile(rf"[\"'`](?:{react.ITS_OWN})[\"'`]".encode())
    assert named.search(whole) is None
    # fresh.js reads it.
    assert b".memoizedProps" in code
    assert len(gzip.compress(code)) < len(gzip.compress(whole)) - 1_500
    for name in packages.names("react-dom/client"):
        assert name.encode() in code


def test_developers_have_the_react_that_its_tools_know(make: Make, packages: Packages) -> None:
    """In `robbieblocks dev`: under each specifier of the one file, and nothing else is altered."""
    codes = {
        "a": "import { flushSync } from 'react-dom';\nexport default () => <b>{!flushSync}</b>"
    }
    plain, made = make(rows(codes)), make(rows(codes), for_developers=True)
    whole = packages.react_for_developers
    for name in ("react", "react/jsx-runtime"):
        assert made.modules[name].asset == whole != plain.modules[name].asset
    other = {name for name in plain.modules if plain.modules[name] != made.modules[name]}
    assert other == {"react", "react/jsx-runtime"}
    assert made.modules.keys() == plain.modules.keys()


def test_named_exports(packages: Packages) -> None:
    """React's names are spelled out in its ES module."""
    names = packages.names("react")
    assert {"useState", "Component", "createElement", "default", "useEffectEvent"} <= names


def test_errors_name_the_stored_place(make: Make) -> None:
    """A syntax error has the line and column of the stored text, and the others compile."""
    made = make(
        rows({"bad": "const é = 1;\nconst A = () => (\n  <div>é</span>\n);", "good": "<b/>"})
    )
    (problem,) = made.problems
    assert (problem.key, problem.line, problem.column) == ("bad", 3, 11)
    assert problem.source == "  <div>é</span>"
    assert made.broken == {"bad"}
    assert "@robbieblocks/good" in made.modules
    assert "@robbieblocks/bad" not in made.modules


def test_errors_in_fragments(make: Make) -> None:
    """Where text was put in front of an expression, columns are still the stored ones."""
    (problem,) = make(rows({"a": "<div>{props.a b}</div>"})).problems
    assert (problem.line, problem.column) == (1, 15)


def test_errors_at_the_end(make: Make) -> None:
    """An error that is noticed behind the text is placed on its last line."""
    (problem,) = make(rows({"a": "export default () => {\n  return <p/>;\n\n"})).problems
    assert problem.line == 2


def test_all_errors_at_once(make: Make) -> None:
    """Several errors in several components are found in one go."""
    made = make(
        rows(
            {
                "a": "import x from 'lodash';\nimport { Nope } from 'react';\n"
                "export default () => <p>{x}{Nope}</p>",
                "b": "const A = () => (<div>",
                "c": "<i/>",
                "d": "import D from '@robbieblocks/b';\nexport default () => <D/>",
            }
        )
    )
    assert [each.key for each in made.problems] == ["a", "a", "b"]
    assert made.broken == {"a", "b", "d"}


@pytest.mark.parametrize(
    ("code", "what", "remedy"),
    [
        ("import x from 'lodash'", "lodash is not in the toolchain", "clsx"),
        ("import x from 'framer-motoin'", "not in the toolchain", "did you mean framer-motion?"),
        ("import { useStat as x } from 'react'", "react has no export useStat", "useState"),
        ("import x from 'framer-motion'", "has no default export", "import {"),
        ("import x from 'date-fns/fp'", "the inner path date-fns/fp can't", "date-fns/locale"),
        ("import x from 'motion/react'", "not in the toolchain", "framer-motion"),
        ("import x from 'next/link'", "not in the toolchain", "write <a href>"),
        ("import x from '@/components/ui/button'", "there is no file", "@robbieblocks/"),
        ("import x from './other'", "there is no file ./other", "@robbieblocks/"),
        ("import x from '/etc/passwd'", "there is no file /etc/passwd", "@robbieblocks/"),
        ("import x from 'https://example.org/x.js'", "is not loaded", "packages that can be"),
        ("import x from 'node:fs'", "is not loaded", "packages that can be"),
        ("import x from 'data:text/javascript,1'", "is not loaded", "packages that can be"),
        ("import './x.css'", "can't import a stylesheet", "css_styles"),
        ("import x from '\\x72eact'", "written with escapes", "as it is"),
        ("import x from '@robbieblocks/nope'", "there is no component nope", "check the key"),
        ("import x from '@robbieblocks/hiden'", "there is no component hiden", "hidden"),
        ("import x from '@robbieblocks/hidden'", "is not published", "publish hidden"),
        ("import { x } from '@robbieblocks/shop'", "has no export x", "it exports useShop"),
        ("import { y as x } from '@robbieblocks/shop'", "has no export y", "export: import y"),
        ("import x from '@robbieblocks/store'", "exports no component", "import { useCart }"),
        ("import x from '@robbieblocks/-runtime'", "no component -runtime", "check"),
        ("/** @jsxImportSource preact */", "preact/jsx-runtime", "pragma"),
    ],
)
@pytest.mark.parametrize("use", ["{x}", ""])
def test_imports_that_fail(make: Make, code: str, what: str, remedy: str, use: str) -> None:
    """An import that can't be had is an error with its place and the remedy, used or not."""
    text = f"// first line\n{code}\nexport default () => <p>{use}</p>"
    others = {
        "hidden": row("hidden", "<b/>", published=False),
        "shop": row("shop", "export const useShop = () => 1; export default () => <b/>;"),
        "store": row("store", "export const useCart = () => 1;"),
    }
    components = {"card": row("card", text), **others}
    problem = make(components, "card").problems[0]
    assert problem.key == "card"
    assert what in problem.what
    assert remedy in problem.remedy
    if "pragma" not in remedy:
        assert problem.line == 2
        assert problem.source == code


@pytest.mark.parametrize(
    "line",
    [
        "import a{0} from '@robbieblocks/nope{0}'; a{0};",
        "import {{ a{0} }} from '@robbieblocks/shop'; a{0};",
        "import a{0} from 'lodash{0}'; a{0};",
    ],
)
def test_of_very_many_bad_imports_the_first_are_told(make: Make, line: str) -> None:
    """A text that is wrong hundreds of times over has one cause: twenty places are enough."""
    text = "\n".join(line.format(number) for number in range(300))
    components = rows({"card": f"{text}\nexport default () => <p/>"})
    names = ", ".join(f"b{number}" for number in range(300))
    components["shop"] = row("shop", f"export const [{names}] = []; export default () => <b/>;")
    problems = make(components, "card").problems
    assert [each.line for each in problems] == list(range(1, 21))
    assert all(len(each.remedy) < 1000 for each in problems)


def test_rings(make: Make) -> None:
    """Components that import each other are one error that shows the ring."""
    code = "import X from '@robbieblocks/{}';\nexport default () => <X/>"
    uses = {"b": "c", "c": "a", "a": "b", "d": "a"}
    made = make(rows({**{key: code.format(other) for key, other in uses.items()}, "e": "<b/>"}))
    (problem,) = made.problems
    assert "a -> b -> c -> a" in problem.what
    assert (problem.key, problem.line) == ("a", 1)
    assert made.broken == {"a", "b", "c", "d"}


def test_a_ring_of_one(make: Make) -> None:
    """A component that imports itself is a ring."""
    made = make(rows({"a": "import A from '@robbieblocks/a';\nexport default () => <A/>"}))
    assert "a -> a" in made.problems[0].what


def test_dependencies(make: Make) -> None:
    """The dependencies column is checked against the toolchain, with npm's ranges."""
    wanted = (
        "react",
        "react@^19",
        "framer-motion@*",
        "@types/react",
        "tailwindcss",
        "zustand@^4",
        "moment",
    )
    made = make({"a": row("a", "<b/>", dependencies=wanted)})
    assert [each.what for each in made.problems] == [
        f"zustand is wanted as ^4, and the toolchain has {_version('zustand')}",
        "the package moment is not in the toolchain",
    ]
    made = make(
        {
            "many": row("many", "<b/>", dependencies=("react",) * 1_001),
            "long": row("long", "<b/>", dependencies=("react" + " " * 500 + "x",)),
        }
    )
    assert {each.key: each.what[:28] for each in made.problems} == {
        "many": "names 1,001 packages; 1,000 ",
        "long": "`react                      ",
    }


def _version(package: str) -> str:
    import robbieblocks.toolchain as package_of

    listed = json.loads((Path(package_of.__file__).parent / "package.json").read_text())
    return str(listed["dependencies"][package])


def test_cached(make: Make) -> None:
    """What did not change is not compiled again; one edit compiles one component."""
    components = rows({f"c{n}": f"<b>{n}</b>" for n in range(5)})
    first = make(components)
    assert first.compiled == ("c0", "c1", "c2", "c3", "c4")
    second = make(components)
    assert (second.compiled, second.modules) == ((), first.modules)
    assert make(dict(components)) is second
    components["c3"] = row("c3", "<i/>")
    assert make(components).compiled == ("c3",)


def test_cached_across_processes(toolchain: Toolchain, tmp_path: Path) -> None:
    """Another process over the same cache compiles nothing, and gets the same bytes."""
    components = rows({**SHAPES, "bad": "<b>", "css": "<p className='p-4'/>"})
    components["css"] = row("css", "<p className='p-4'/>", css=".a{top:0}")

    def made() -> Bundle:
        with Cache(tmp_path / "cache") as cache, closing(Bundler(cache)) as bundler:
            return bundler.bundle(
                components, components, toolchain=toolchain, tokens=TOKENS, base_css=""
            )

    first, second = made(), made()
    assert second.compiled == ()
    assert first.modules == second.modules
    assert utilities(first) == utilities(second)
    assert first.problems == second.problems
    assert first.isolate == second.isolate


def test_equal_rows_give_equal_bytes(
    toolchain: Toolchain, tailwind_asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes depend on the rows alone: not on the folder, the order, or what else is built."""
    components = rows(
        {**SHAPES, "icon": "import { Clock } from 'lucide-react';\nexport default () => <Clock/>"}
    )

    def made(name: str, wanted: list[str]) -> Bundle:
        place = tmp_path / name
        place.mkdir()
        if name != "one":
            shutil.copytree(tailwind_asked, place / "cache")
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        with Cache(place / "cache") as cache, closing(Bundler(cache)) as bundler:
            return bundler.bundle(
                components, wanted, toolchain=toolchain, tokens=TOKENS, base_css=""
            )

    everything = made("one", list(components))
    for key in ("icon", "fragment"):
        alone = made(key, [key])
        for name, module in alone.modules.items():
            assert module == everything.modules[name]
        assert alone.utilities_for([key]) == everything.utilities_for([key])


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        "a/b",
        "é" * 255,
        "k" * 255,
        "a b",
        ".",
        "..",
        "-x",
        "CON",
        "a\nb",
        "a\"'`${b}",
    ],
)
def test_hostile_keys(make: Make, render: Callable[..., str], key: str) -> None:
    """A key is a name and never a path."""
    made = make({key: row(key, "<b/>", css=".a{top:0}")})
    assert not made.problems
    assert "/" not in made.modules[f"@robbieblocks/{key}"].asset.name
    assert render(made, key) == "<b></b>"


def test_reserved_key(make: Make) -> None:
    """A component can't take the name of the page's own script."""
    made = make(rows({"-runtime": "<b/>"}))
    assert made.broken == {"-runtime"}
    assert "reserved" in made.problems[0].what


def test_files_are_never_read(make: Make, tmp_path: Path) -> None:
    """No text makes the compiler read a file of the machine."""
    secret = tmp_path / "secret.json"
    secret.write_text('{"secret": "hunter2"}')
    codes = [
        f"import x from {json.dumps(str(secret))};\nexport default () => <p>{{x.secret}}</p>",
        f"export {{ default as y }} from {json.dumps(str(secret))};\nexport default () => <p/>",
        f"export default () => <p>{{require({json.dumps(str(secret))}).secret}}</p>",
        f"export default () => <p>{{import({json.dumps(str(secret))})}}</p>",
        f"export default () => <p/>\n//# sourceMappingURL={secret}",
        f"import x from {json.dumps(str(secret))} with {{ type: 'json' }};\n"
        f"export default () => <p>{{x}}</p>",
    ]
    made = make(rows({f"c{n}": code for n, code in enumerate(codes)}))
    assert {f"c{n}" for n in (0, 1, 2, 3, 5)} <= made.broken
    assert "hunter2" not in "".join(module.script for module in made.modules.values())
    assert "hunter2" not in "".join(map(str, made.problems))


SOURCE_MAP_COMMENTS = [
    "//# sourceMappingURL={}",
    "//@ sourceMappingURL={}",
    "/*# sourceMappingURL={} */",
    "/*@ sourceMappingURL={} */",
    "/*# sourceMappingURL={} */ /*# sourceMappingURL={} */",
    "const t = `//# sourceMappingURL={}`; //# sourceMappingURL={}",
    "//# sourceMappingURL={}\r",
    "//# sourceMappingURL={}\u2028",
]


@pytest.mark.parametrize("comment", SOURCE_MAP_COMMENTS, ids=range(len(SOURCE_MAP_COMMENTS)))
def test_no_comment_names_a_source_map(make: Make, tmp_path: Path, comment: str) -> None:
    """A comment makes esbuild neither open a file nor believe other positions; strings stay."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "map").write_text("no map")
    forged = '{"version":3,"sources":["forged.tsx"],"names":[],"mappings":"AAAA;AACA"}'
    targets = ["/etc/passwd", "/dev/zero", "gone", tmp_path / "fifo", tmp_path / "map"]
    targets += [f"data:application/json,{quote(forged)}", "data:application/json,{", "data:,"]
    code = "export default () => <p>//# sourceMappingURL=x</p>;\n{}\nexport const y = 1;\n{}"
    codes = {
        f"c{n}": code.format("", comment.replace("{}", str(target)))
        for n, target in enumerate(targets)
    }
    made = make(rows({**codes, "plain": code.format("", "const t = 1;")}))
    assert made.problems == ()
    plain = json.loads(made.modules["@robbieblocks/plain"].source_map)
    for key in codes:
        module = made.modules[f"@robbieblocks/{key}"]
        assert '"//# sourceMappingURL=x"' in module.script
        found = json.loads(module.source_map)
        assert "forged" not in module.source_map
        assert found["mappings"].count(";") >= plain["mappings"].count(";") - 1


@contextmanager
def opened_in(folder: Path) -> Generator[Callable[[], bytes]]:
    """A function that returns what the kernel tells of anybody who opens something in a folder."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    try:
        in_open = 0x20
        assert libc.inotify_add_watch(watch, os.fsencode(folder), in_open) >= 0

        def seen() -> bytes:
            with contextlib.suppress(BlockingIOError):
                return os.read(watch, 1 << 16)
            return b""

        yield seen
    finally:
        os.close(watch)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")
def test_esbuild_opens_nothing_for_a_text(make: Make, tmp_path: Path, toolchain: Toolchain) -> None:
    """Whatever a text names, and whether it can be analysed or not, no file is looked for."""
    for name in ("a.ts", "a.json", "tsconfig.json", "package.json", "a.css"):
        (tmp_path / name).write_text("{}")
    up = "../" * 12 + str(tmp_path).lstrip("/")
    texts = [
        f"import a from '{tmp_path}/a.ts'; export default () => a;",
        f"import a from '{tmp_path}/a.json' with {{ type: 'json' }}; export default () => a;",
        f"import '{tmp_path}/a.css'; export * from '{up}/a';",
        f"export default () => import('{up}/a.ts');",
        f"export default (x) => import(`{up}/${{x}}`);",
        f"export default (x) => require(`{up}/${{x}}.json`);",
        f"export default () => new Worker(new URL('{up}/a.ts', import.meta.url));",
        f"/** @jsxImportSource {tmp_path} */ export default () => <p/>;",
        f'/// <reference path="{tmp_path}/a.ts" />\nexport default () => <p/>;',
        f"export default () => <p/>;\n//# sourceMappingURL={tmp_path}/a.json",
        f"export default () => <p/>;\n/*@ sourceMappingURL={tmp_path}/a.json */",
    ]
    make(rows({"warm": "<p/>"}))
    units = [
        CompileUnit(row=row(f"c{n}", text), analysis=Analysis(source=text))
        for n, text in enumerate(texts)
    ]
    kept = KeepAlive[EsbuildService](60)
    with opened_in(tmp_path) as seen:
        with component_compilation(units, Esbuild(toolchain, kept)) as results:
            assert len(results()) == len(texts)
        assert seen() == b""
        (tmp_path / "a.ts").read_text()
        assert b"a.ts" in seen()
    kept.stop()


@pytest.mark.parametrize("others", [6, 60])
@pytest.mark.parametrize("failure", [ProcessFailed("died of signal 11"), TimedOut("no answer")])
def test_a_text_that_kills_the_compiler(
    make: Make,
    cache: Cache,
    toolchain: Toolchain,
    monkeypatch: pytest.MonkeyPatch,
    others: int,
    failure: ProcessFailed,
) -> None:
    """Components that esbuild does not survive are named, and the others are compiled. Another
    process tries again, since the machine may have been at fault."""
    real = EsbuildService._exchanged

    def exchanged(self: EsbuildService, requests: list[Request], timeout_s: float) -> bytes:
        if any("KILLER" in str(each["stdinContents"]) for each in requests):
            raise failure
        return real(self, requests, timeout_s)

    monkeypatch.setattr(EsbuildService, "_exchanged", exchanged)
    codes = {f"c{n}": "<b/>" for n in range(others)}
    killers = {"bad": "<b>KILLER</b>", "worse": "<i>KILLER</i>"}
    made = make(rows({**codes, **killers}))
    assert made.broken == killers.keys()
    assert [each.key for each in made.problems] == ["bad", "worse"]
    assert all("could not compile" in each.what for each in made.problems)
    assert set(codes) == {key.removeprefix("@robbieblocks/") for key in made.modules if "@" in key}
    monkeypatch.undo()
    with closing(Bundler(cache)) as another:
        again = another.bundle(
            rows({**codes, **killers}), killers, toolchain=toolchain, tokens=TOKENS, base_css=""
        )
    assert not again.broken


def _doubling(times: int) -> str:
    """A text whose compiled form has a string of 16 * 2 ** times characters."""
    doubled = ",".join(f"v{n}=v{n - 1}+v{n - 1}" for n in range(1, times + 1))
    return f'enum E{{v0="{"x" * 16}",{doubled}}}\nexport default () => <p>{{E.v{times}}}</p>;'


@pytest.mark.parametrize("others", [2, 60])
def test_a_text_that_takes_all_memory(make: Make, others: int) -> None:
    """The kernel ends an esbuild that takes a gigabyte: that component is named, others are not."""
    codes = {f"c{n}": f"<b>{n}</b>" for n in range(others)}
    made = make(rows({**codes, "bomb": _doubling(35)}))
    assert made.broken == {"bomb"}
    (problem,) = made.problems
    assert (problem.key, problem.field) == ("bomb", "react_code")
    assert "could not compile" in problem.what
    assert "memory" in problem.remedy


def test_a_text_with_very_many_errors(make: Make) -> None:
    """The first errors of a text are told; describing thousands would take minutes."""
    made = make(rows({"a": "let a;\n" * 3000 + "export default () => <p/>"}))
    assert [each.line for each in made.problems] == list(range(2, 22))


def test_a_text_that_grows_when_it_is_compiled(make: Make) -> None:
    """What would be published has a bound of its own."""
    made = make(rows({"long": _doubling(19), "grown": _doubling(16)}))
    assert made.broken == {"long"}
    assert "8,000,000 are allowed" in made.problems[0].what


def test_a_message_without_a_place_is_its_texts(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that names no input, or an answer that is one, concerns that component alone."""
    real = packets.answer

    def answer(body: bytes) -> tuple[int, dict[str, Any]]:
        number, told = real(body)
        if b"PANIC" in body:
            told = {"error": "panic: of esbuild"}
        elif b"NOWHERE" in body:
            told = {"errors": [{"text": "out of luck", "location": None}]}
        return number, told

    make(rows({"warm": "<b/>"}))
    monkeypatch.setattr(packets, "answer", answer)
    made = make(rows({"a": "<b>PANIC</b>", "b": "<b>NOWHERE</b>", "c": "<b>fine</b>"}))
    assert [(each.key, each.what, each.line) for each in made.problems] == [
        ("a", "panic: of esbuild", None),
        ("b", "out of luck", None),
    ]
    assert "@robbieblocks/c" in made.modules


LEAKS = {
    "shadowed elsewhere": "const f = (require) => 1; const r = require; const got = r('dom');",
    "assigned": "const f = (require) => 1; const got = (require ??= 0)('dom');",
    "arguments": "const got = arguments[0]('dom');",
    "of an arrow": "const got = (() => arguments[0])()('dom');",
    "eval": "const got = eval('require(' + JSON.stringify('dom') + ')');",
    "a fragment's pragma": "/** @jsxRuntime classic @jsx f @jsxFrag arguments */\n"
    "const f = (a) => a; const got = (<></>)[0]('dom');",
    "a pragma": "/** @jsxRuntime classic @jsx require */\nconst got = <dom/>;",
    "too long to analyse": "const got = require('dom');\nclass A { accessor x = 1 }\n//"
    + "x" * 21_000,
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_script_loads_what_it_imports(make: Make, render: Callable[..., str], leak: str) -> None:
    """No text that reaches the isolate gets hold of a module that it does not import."""
    text = "import React from 'react';\n" + LEAKS[leak].replace("'dom'", "'react-dom'").replace(
        "<dom/>", "<react-dom/>"
    )
    code = f"{text}\nexport default () => React.createElement('p', null, Object.keys(got).join());"
    made = make(rows({"a": code, "b": "<p>fine</p>"}))
    assert "@robbieblocks/b" in made.modules
    if made.broken:
        assert made.broken == {"a"}
        return
    try:
        html = render(made, "a")
    except JSEvalException as error:
        html = str(error)
    assert "createPortal" not in html


@pytest.mark.parametrize("others", [2, 60])
def test_a_compiler_that_never_runs(
    make: Make, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Where esbuild survives nothing, no component is blamed."""

    def run(*_: object, **__: object) -> object:
        raise ProcessFailed("no memory")

    make(rows({"warm": "<b/>"}))
    monkeypatch.setattr(EsbuildService, "_exchanged", run)
    with pytest.raises(ProcessFailed):
        make(rows({f"c{n}": "<i/>" for n in range(others)}))


def test_errors_among_many(make: Make) -> None:
    """Of many components, each that does not compile is named, and all others are there."""
    codes = {f"c{n}": f"<b>{n}</b>" if n % 9 else f"<b>{n}" for n in range(60)}
    made = make(rows(codes))
    wrong = {key for key, code in codes.items() if not code.endswith(">") or "</b>" not in code}
    assert made.broken == wrong
    assert {each.key for each in made.problems} == wrong
    assert {f"@robbieblocks/{key}" for key in codes.keys() - wrong} <= made.modules.keys()


def test_a_huge_text(make: Make) -> None:
    """A text beyond the limit is an error, and is not compiled."""
    (problem,) = make(rows({"a": "<b/>" + " " * 1_000_001})).problems
    assert "1,000,000" in problem.what


def test_two_thousand_components(make: Make) -> None:
    """Thousands of components go through one call."""
    codes = {f"c{n}": f"export default () => <p className='p-{n}'>{n}</p>" for n in range(2000)}
    made = make(rows(codes))
    assert len(made.compiled) == 2000
    assert not made.problems


def test_source_maps(make: Make) -> None:
    """The isolate's script leads back to the stored text, also where text was put in front."""
    codes = {
        "card": "// one\nexport default () => {\n  throw new Error('x');\n};",
        "part": "\n  <b>{new Error('x')}</b>",
    }
    made = make(rows(codes))
    found = []
    for key in codes:
        module = made.modules[f"@robbieblocks/{key}"]
        assert "sourcesContent" not in json.loads(module.source_map)
        line, text = next(
            each for each in enumerate(module.script.split("\n"), 1) if "new E" in each[1]
        )
        position = locate(module.source_map, line, text.index("new E") + 1)
        assert position is not None
        found.append((position.line, position.column))
    assert found == [(3, 9), (2, 7)]


def test_browser_maps(make: Make, cache: Cache, toolchain: Toolchain) -> None:
    """On demand each component's module names a map that leads to the stored text, also behind
    imports by file and text that was put in front; all else of the module is as without."""
    codes = {
        "card": "import b from '@robbieblocks/part';\nexport default ({ é }) =>\n"
        "  b(é, '\U0001f600', new Error('x'));",
        "part": "\n  <b>{new Error('x')}</b>",
    }
    plain, mapped = make(rows(codes)), make(rows(codes), source_maps=True)
    found = []
    for made in (mapped, linked(mapped)):
        files = {each.name: each.content for each in all_assets(made)}
        for key, code in codes.items():
            name = f"@robbieblocks/{key}"
            content = made.modules[name].asset.content
            source_map = files[named_map(content)].decode()
            text = content.decode().split("\n")[0]
            before_it = text[: text.index("new Error")].encode("utf-16-le")
            position = locate(source_map, 1, len(before_it) // 2 + 1)
            assert position is not None
            assert position.text == code.split("\n")[position.line - 1]
            assert source_of(source_map) == f"{key}.tsx"
            found.append((position.line, position.column))
            before = plain.modules[name].asset.content
            assert made is not mapped or content.startswith(before + b"//# sourceMappingURL=")
            assert named_map(before) == ""
    assert found == 2 * [(3, 14), (2, 7)]
    assert plain.modules["react"] == mapped.modules["react"]
    with closing(Bundler(cache)) as another:
        options: Any = {"tokens": TOKENS, "base_css": "", "source_maps": True}
        again = another.bundle(rows(codes), ["card"], toolchain=toolchain, **options)
    assert again.modules["@robbieblocks/card"] == mapped.modules["@robbieblocks/card"]


def all_assets(bundle: Bundle) -> Iterator[Asset]:
    for module in bundle.modules.values():
        yield module.asset
        if module.browser_map:
            yield module.browser_map


# --- styles -------------------------------------------------------------------------------------


def test_stylesheets(make: Make) -> None:
    """A component's CSS is an asset of its module; a fault in it holds the component back."""
    made = make(
        {
            "a": row("a", "<b/>", css=".a{top:0}"),
            "b": row("b", "<b/>", css=".a{"),
            "c": row("c", "<b/>"),
        }
    )
    sheet = made.modules["@robbieblocks/a"].stylesheet
    assert sheet is not None
    assert sheet.content == b"@layer components{[data-rb-component~=a] .a{top:0}}"
    assert made.modules["@robbieblocks/c"].stylesheet is None
    assert made.broken == {"b"}


def utilities(made: Bundle) -> str:
    """The stylesheet of all components' utility classes."""
    prefix = "@robbieblocks/"
    keys = [name.removeprefix(prefix) for name in made.modules if name.startswith(prefix)]
    sheet = made.utilities_for(keys)
    return sheet.content.decode() if sheet else ""


def test_utilities(make: Make) -> None:
    """Only used utilities come out, in their layer, and follow the tokens."""
    made = make(
        rows({"a": "<b className='bg-primary text-text-muted p-lg font-heading nonsense'/>"})
    )
    css = utilities(made)
    assert "@layer utilities{" in css
    assert "background-color:var(--color-primary)" in css
    assert "color:var(--color-text-muted)" in css
    assert "padding:var(--spacing-lg)" in css
    assert "font-family:var(--font-heading)" in css
    assert "--color-primary:" not in css
    assert "nonsense" not in css


def test_palette(make: Make) -> None:
    """What utilities need of Tailwind's own palette is there, below the tokens."""
    css = utilities(make(rows({"a": "<b className='bg-red-500 p-4 animate-spin max-w-lg'/>"})))
    assert "@layer tokens.palette{:root{" in css
    for name in ("--color-red-500:", "--spacing:", "--animate-spin:", "--container-lg:"):
        assert name in css
    assert "@keyframes spin" in css
    assert "--color-red-600" not in css


def test_utilities_of_a_page(make: Make) -> None:
    """A page's stylesheet has the classes of its components and of those that they import."""
    made = make(
        rows(
            {
                "a": "import B from '@robbieblocks/b';\nexport default () => <B className='p-1'/>",
                "b": "<i className='p-2'/>",
                "c": "<i className='p-3'/>",
            }
        )
    )
    found = made.utilities_for(["a"])
    assert found is not None
    assert b".p-1" in found.content
    assert b".p-2" in found.content
    assert b".p-3" not in found.content
    assert made.utilities_for([]) is None


def test_order_of_utilities(make: Make) -> None:
    """Rules stand in Tailwind's order, whichever component brought them first."""
    make(rows({"a": "<b className='px-2 md:p-8'/>"}))
    css = utilities(make(rows({"a": "<b className='px-2 md:p-8'/>", "b": "<b className='p-4'/>"})))
    assert css.index(".p-4") < css.index(".px-2") < css.index(".md\\:p-8")


def test_no_new_class_costs_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit without a new word starts no Tailwind."""
    first = make(rows({"a": "<b className='p-4'>{props.a}</b>"}))
    monkeypatch.setattr(DesignSystem, "ask", pytest.fail)
    second = make(
        rows({"a": "<b className='p-4'>1{props.a}</b>"}),
    )
    assert second.compiled == ("a",)
    assert utilities(second) == utilities(first)


@pytest.mark.parametrize(
    "word",
    [
        "bg-[url(https://example.org)]",
        "[body:has(&)]:hidden",
        "[:not(&)]:hidden",
        "[&]:x}body{display:none}",
        "[@import_'x']:p-1",
        "[--x:url(//example.org)]",
        "[color:red}*{display:none]",
        "content-[';}body{display:none}']",
        "[&:is(.x,*)_~_*]:[background:image-set('//example.org'_1x)]",
        "[@font-face]:[src:url(x)]",
        "w-[" + "(" * 200 + "]",
        "p-[" + "9" * 240 + "]",
        "__proto__",
        "constructor",
        "[@media_x{body{display:none}}]:p-1",
    ],
)
def test_hostile_classes(make: Make, word: str) -> None:
    """Whatever a word says, no rule reaches the page or fetches from elsewhere."""
    made = make(rows({"a": f"<b className={json.dumps(word)} title='p-4'/>"}))
    css = utilities(made)
    assert ".p-4" in css
    assert "example.org" not in re.sub(r"\.[^{]*\{", "{", css)
    assert not re.search(r"(^|[},;])\s*(body|\*|:root)\s*\{(?!--)", re.sub(r'"[^"]*"', '""', css))


def test_base_stylesheet(make: Make) -> None:
    """The templates' CSS is minified, and named by its bytes."""
    made = make({}, base_css="@layer base {\n  body { margin: 0px; }\n}\n")
    assert made.base_stylesheet.content.strip() == b"@layer base{body{margin:0px}}"
    assert made.modules


# --- fonts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "faces"),
    [
        ("inter", 6),
        ("'JetBrains Mono'", 6),
        ("Tektur", 3),
        ("NUNITO SANS", 6),
        ("Space Grotesk", 3),
        ("Source Serif 4", 4),
        ("Inter Variable", 6),
    ],
)
def test_fonts(toolchain: Toolchain, family: str, faces: int) -> None:
    """Fonts are found in any case, with the files of Latin scripts."""
    found = toolchain.fonts(family)
    assert len(found) == faces
    assert all(face.content[:4] == b"wOF2" for face in found)
    assert all(("-latin-" in face.file) != face.is_common for face in found)
    assert all(face.unicode_range.startswith("U+") for face in found)
    assert {face.style for face in found} <= {"normal", "italic"}


def test_unknown_font(toolchain: Toolchain) -> None:
    """A font that is not in the toolchain has no files."""
    assert toolchain.fonts("Comic Sans MS") == ()


class PanicException(BaseException):
    """As PyO3 makes it for a Rust library that panics."""


PanicException.__module__ = "pyo3_runtime"


@pytest.mark.parametrize("error", [AttributeError, MemoryError, PanicException])
@pytest.mark.parametrize(
    ("library", "call", "field"),
    [
        (trees, "Parser", "react_code"),
        (queries, "QueryCursor", "react_code"),
        (semantic_version, "NpmSpec", "dependencies"),
        (tinycss2, "parse_stylesheet", "css_styles"),
        (tinycss2, "serialize", "css_styles"),
    ],
)
def test_what_a_library_raises_is_the_component_s_problem(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    library: ModuleType,
    call: str,
    field: str,
) -> None:
    """Only the components over which it raises are broken, and it is tried again each time."""
    bad = row(
        "bad",
        "export default () => <p>bad</p>",
        css="p{color:red}",
        dependencies=("react@^19",),
    )
    components = {"bad": bad, **rows({"good": "export default () => <p>good</p>"})}
    good = make(components, "good")

    def raises(*_: object, **__: object) -> None:
        raise error("a stand-in")

    with monkeypatch.context() as patch:
        patch.setattr(library, call, raises)
        found = make(components)
    assert found.broken == {"bad"}
    assert found.modules["@robbieblocks/good"] == good.modules["@robbieblocks/good"]
    (problem,) = found.blame["bad"]
    assert problem.where == f"component bad, {field}"
    assert error.__name__ in problem.what
    mended = make(components)
    assert mended.broken == frozenset()


def test_utilities_without_a_token_are_warned_of_once_a_component(make: Make) -> None:
    """Utilities that no token gives are named in one warning, with the nearest there is."""
    code = """export default () => <p className="p-4 bg-primry hover:text-robbie-cyan/50 mt-huge">
      <b className="text-lead text-shown text-based rb-x">x</b></p>;"""
    css = ".text-lead { top: 0 }"
    shown = row("b", "export default () => <i/>;", css=".text-shown { top: 0 }")
    base = "@layer base{.text-based{top:0}}"
    made = make({"a": row("a", code, css=css), "b": shown}, base_css=base)
    assert not made.broken
    (problem,) = made.problems
    assert problem.severity == "warning"
    assert (
        problem.what == "no token gives the classes bg-primry, hover:text-robbie-cyan/50, mt-huge"
    )
    assert problem.remedy == "did you mean bg-primary? Or add the token color.primry"
    assert (problem.key, problem.line, problem.column) == ("a", 1, 40)


def test_utilities_are_told_from_an_authors_own_classes(make: Make) -> None:
    """A component is written with utilities where it names one that its own CSS does not define."""
    made = make(
        {
            "a": row("a", "<p className='grid p-4'/>"),
            "b": row("b", "<p className='grid'/>", css=".grid { top: 0 }"),
            "c": row("c", "<p style={{ display: 'inline-block' }}>{'grid'}</p>"),
        }
    )
    assert made.with_utilities == {"a"}


HELPERS = "export const Bold = () => <b/>; export const Thin = () => <i/>;"
BARREL = "export * from '@robbieblocks/helpers';"
USES = "import { Bold, Thin } from '@robbieblocks/FROM'; export default () => <><Bold/><Thin/></>;"


@pytest.mark.parametrize("source", ["helpers", "barrel"])
def test_helpers_that_nobody_places_are_no_error(make: Make, source: str) -> None:
    """A row that exports several functions, or a barrel, is imported, and refused where placed."""
    codes = {"helpers": HELPERS, "barrel": BARREL, "page": USES.replace("FROM", source)}
    made = make(rows(codes), "page")
    assert not made.problems
    assert not made.broken
    made = make(rows(codes), "page", source)
    assert made.broken == {source}
    assert [(each.key, each.severity) for each in made.problems] == [(source, "error")]
    assert made.blame[source] == made.problems
    assert "@robbieblocks/page" in made.modules


def test_misspelt_tokens_are_warned_of(make: Make) -> None:
    """A custom property that is almost a token's is named where it is read first."""
    css = (
        ".a {\n  color: var(--color-primry);\n  --color-primarx: red; left: var(--color-primarx) }"
    )
    code = "<p style={{ color: 'var(--color-text-mutd)', top: 'var(--own, 1px)' }}/>"
    made = make({"a": row("a", code, css=css)})
    assert [(each.field, each.line, each.what, each.remedy) for each in made.problems] == [
        (
            *("css_styles", 2, "no token or custom property is named --color-primry"),
            "did you mean --color-primary?",
        ),
        (
            *("react_code", 1, "no token or custom property is named --color-text-mutd"),
            "did you mean --color-text-muted?",
        ),
    ]
    assert {each.severity for each in made.problems} == {"warning"}


def test_what_looks_like_styles_and_is_none_is_warned_of(make: Make) -> None:
    """A plugin's class, one that asks for a theme, and an @import in a <style> are named."""
    code = """export default () => <div className="prose dark:prose-invert h-[theme(spacing.4)]">
      <style>{`@import url("https://fonts.example/x.css");`}</style></div>"""
    made = make({"a": row("a", code)})
    assert not made.broken
    assert [each.what.partition(":")[0] for each in made.problems] == [
        "@import in a <style> loads nothing",
        "the class prose is a plugin's that is not there",
        "the class h-[theme(spacing.4)] does nothing",
    ]


@pytest.mark.parametrize(
    ("classes", "css", "told"),
    [
        (
            "btn btn-primary p-4",
            "",
            ["the class btn is Bootstrap's or daisyUI's, whose stylesheet"],
        ),
        ("btn p-4", "", []),
        ("btn btn-primary p-4", ".btn{top:0}.btn-primary{top:0}", []),
    ],
)
def test_classes_of_a_framework_are_warned_of(
    make: Make, classes: str, css: str, told: list[str]
) -> None:
    """Several of them, where no stylesheet of the bundle has them, do nothing."""
    made = make({"a": row("a", f"export default () => <p className='{classes}'>x</p>", css=css)})
    assert [told[0] in each.what for each in made.problems] == [True] * len(told)


def a_script(text: str) -> NodeRow:
    return NodeRow(id="day", name="Day", custom_scripts=text)


@pytest.mark.parametrize(
    ("text", "what", "remedy", "line", "column"),
    [
        ("let a = 1;\nlet b = (;", "read as JavaScript", "mend it", 2, 10),
        ("let a = (;", "read as JavaScript", "mend it", 1, 10),
        ("if (1) {\n  go();", "read as JavaScript", "mend it", 2, 7),
        ("import x from '/x.js';", "read as JavaScript", "no module", 1, 8),
        ("const a = await fetch('/x');", "read as JavaScript", "no module", 1, 11),
        ("<script>go();</script>", "this is HTML", "take the tags away", 1, 1),
        ("\n<!-- Analytics -->\n<script>go();</script>", "this is HTML", "take the tags", 1, 1),
        (
            *("<script async src='https://t.example/a.js'></script>", "this is HTML"),
            *("under `scripts`", 1, 1),
        ),
    ],
)
def test_a_nodes_script_that_browsers_can_not_run(
    bundler: Bundler,
    toolchain: Toolchain,
    text: str,
    what: str,
    remedy: str,
    line: int,
    column: int,
) -> None:
    """A script that would do nothing is an error with its place, and pasted tags have their own."""
    problem = bundler.script_problem(a_script(text), toolchain)
    assert problem is not None
    assert (problem.entity, problem.key, problem.field) == (
        "node_branding",
        "day",
        "custom_scripts",
    )
    assert what in problem.what
    assert remedy in problem.remedy
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        "document.documentElement.dataset.ready = 'yes'; // done",
        "(async () => { await fetch('/x'); })();",
        "var s = '<script>'; if (1 < 2) { with (s) { length } }",
        "const t = `<p>${1}</p>`\n/* end */",
    ],
)
def test_a_nodes_script_that_runs(
    bundler: Bundler, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """What browsers run is no problem, and is read once."""
    assert bundler.script_problem(a_script(text), toolchain) is None
    monkeypatch.setattr(Esbuild, "run", None)
    assert bundler.script_problem(a_script(text), toolchain) is None
