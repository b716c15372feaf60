"""What becomes of other people's React code, before anything is compiled."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from robbieblocks.adoption.drafting import Drafts, Packages, drafts
from robbieblocks.adoption.drafts import Draft
from robbieblocks.adoption.keys import kebab, keys_for
from robbieblocks.adoption.record import Side, merged, merged_files
from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.sources.reading import SourceFolder, read_folder
from robbieblocks.adoption.sources.stylesheets import css_module, is_for_pages
from robbieblocks.adoption.types.props import sample
from robbieblocks.errors import Problem, UsageError
from robbieblocks.model import sha256

Files = Mapping[str, str | bytes]
Adopt = Callable[[Files], dict[str, Draft]]
PACKAGES = Packages(
    remedy=lambda name: "" if name in ("react", "clsx", "framer-motion") else "add it",
    exporting=lambda name: ["framer-motion"] if name in ("motion", "getComputedStyle") else [],
    react=frozenset({"useState", "useEffect", "memo"}),
)
PAGE = "export default function Page() { return <p/>; }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Files], SourceFolder]:
    def written(files: Files) -> SourceFolder:
        for name, text in files.items():
            path = tmp_path / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_folder(tmp_path / "src")

    return written


@pytest.fixture
def made(folder: Callable[[Files], SourceFolder]) -> Callable[[Files], Drafts]:
    return lambda files: drafts(SourceModules(folder(files)), PACKAGES, {}, set())


@pytest.fixture
def adopt(made: Callable[[Files], Drafts]) -> Adopt:
    """The drafts of a folder by the files that they come from."""
    return lambda files: {each.file: each for each in made(files).by_key.values()}


def places(problems: list[Problem]) -> list[str]:
    return [f"{each.line}:{each.column} {each.what}" for each in problems]


UI = {
    "ui/Button.tsx": "export const Button = () => <button/>;\nexport interface ButtonProps {}\n",
    "ui/Card.tsx": "export default function Card() { return <p/>; }\n",
    "ui/index.ts": "export * from './Button';\nexport { default as Card } from './Card';\n",
    "lib/cn.ts": "export const cn = (...a: string[]) => a.join(' ');\nexport default cn;\n",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import { cn } from './lib/cn'", "import { cn } from '@robbieblocks/cn'"),
        ("import cn from '@/lib/cn'", "import cn from '@robbieblocks/cn'"),
        ("import cn, { cn as c } from '~/lib/cn.js'", "import cn, { cn as c } from '@rob"),
        ("import * as all from './lib/cn'", "import * as all from '@robbieblocks/cn'"),
        ("import './lib/cn'", "import '@robbieblocks/cn'"),
        ("export * from './lib/cn'", "export * from '@robbieblocks/cn'"),
        ("export { cn as default } from './lib/cn'", "export { cn as default } from '@robb"),
        ("import type { ButtonProps } from './ui'", 'type { ButtonProps } from "@robbieblocks/bu'),
        ("import { Button } from './ui'", 'import { Button } from "@robbieblocks/button";'),
        (
            "import {\n  Button as B,\n  type ButtonProps,\n  Card,\n} from '@/ui';",
            'import { Button as B, type ButtonProps } from "@robbieblocks/button"; '
            'import Card from "@robbieblocks/card";\n\n\n\n',
        ),
        ("export { Card, Button } from './ui'", 'export { default as Card } from "@robbieblocks/c'),
        ("import * as ui from './ui'", "import * as ui from '@robbieblocks/ui'"),
        ("import { clsx } from 'clsx'", "import { clsx } from 'clsx'"),
        ("const C = React.lazy(() => import('./ui/Card'));", 'import C from "@robbieblocks/card"'),
        (
            "const C = lazy(() => import('./ui').then((m) => ({ default: m.Button })))",
            'import { Button as C } from "@robbieblocks/button";',
        ),
    ],
)
def test_imports_of_files_become_imports_of_components(
    adopt: Adopt, code: str, expected: str
) -> None:
    """Relative paths and aliases name the component that has the name; barrels are looked through,
    and no line moves."""
    draft = adopt({**UI, "Page.tsx": f"{code}\n{PAGE}"})["Page.tsx"]
    assert expected in draft.code
    assert draft.code.count("\n") == code.count("\n") + 2
    assert not draft.problems


def test_aliases_are_those_of_the_tsconfig(
    folder: Callable[[Files], SourceFolder], tmp_path: Path
) -> None:
    """Comments and trailing commas are read as TypeScript does; baseUrl names files, too."""
    (tmp_path / "tsconfig.json").write_text(
        '{ // "paths": 1\n "compilerOptions": { "baseUrl": "src", /* , */\n'
        '"paths": { "#ui/*": ["ui/*"], "$cn": ["lib/cn.ts"], } } }'
    )
    modules = SourceModules(folder({**UI, "Page.tsx": PAGE}))
    found = [modules.resolve("Page.tsx", each) for each in ("#ui/Card", "$cn", "ui", "@/lib/cn")]
    assert found == ["ui/Card.tsx", "lib/cn.ts", "ui/index.ts", "lib/cn.ts"]


def test_a_broken_tsconfig_is_read_to_its_end(
    folder: Callable[[Files], SourceFolder], tmp_path: Path
) -> None:
    """What is begun and never ended is no more work than what is ended, and has no aliases."""
    for text in ('{"a": 1, ' + "//" * 40, '"' + '\\"' * 200_000, "/*" * 200_000, "," * 200_000):
        (tmp_path / "tsconfig.json").write_text(text)
        assert set(folder({"Page.tsx": PAGE}).aliases) == {"@/*", "~/*"}


def test_the_index_of_the_folder_is_found_from_wherever(
    folder: Callable[[Files], SourceFolder],
) -> None:
    """A dot, two of them, and an alias that stands for the folder mean its index."""
    modules = SourceModules(folder({**UI, "index.ts": "export const a = 1;", "Page.tsx": PAGE}))
    named = {"Page.tsx": (".", "./", "./index", "@/"), "ui/Card.tsx": ("..", "../", "../.", "~/")}
    for path, specifiers in named.items():
        assert {modules.resolve(path, each) for each in specifiers} == {"index.ts"}
    assert modules.resolve("Page.tsx", "..") is None


def test_names_are_found_behind_any_number_of_barrels(tmp_path: Path) -> None:
    """Each file is looked at once, also where they hand on each other; one with code of its own
    stands in the way."""
    chain = range(1_200)
    files = {
        **{f"b{n}.ts": f"export * from './b{n + 1}';\nexport * from './b0';\n" for n in chain},
        "b1200.ts": "export * from './own';\nexport const last = 1;\n",
        "own.ts": "export const x = 1;\n",
    }
    modules = SourceModules(SourceFolder(root=tmp_path, code=files, files=frozenset(files)))
    assert modules.origin("b0.ts", "last") == ("b1200.ts", "last")
    assert modules.origin("b0.ts", "x") == ("b1200.ts", "x")
    assert modules.origin("b0.ts", "nowhere") == ("b0.ts", "nowhere")


def test_what_is_only_handed_on_is_no_component(adopt: Adopt) -> None:
    """A barrel that nobody needs as such is not adopted; one that is imported whole is."""
    assert "ui/index.ts" not in adopt({**UI, "Page.tsx": f"import {{ Card }} from './ui';\n{PAGE}"})
    found = adopt({**UI, "Page.tsx": f"import * as ui from './ui';\n{PAGE}"})
    assert (found["ui/index.ts"].key, found["ui/index.ts"].kind) == ("ui", "module")


@pytest.mark.parametrize(
    ("path", "code", "kind", "name"),
    [
        ("A.tsx", "export default function Card() { return <p/>; }", "component", "Card"),
        ("A.tsx", "export default () => <p/>;", "component", "A"),
        ("A.tsx", "export default memo(forwardRef((p, r) => <p ref={r}/>));", "component", "A"),
        ("A.tsx", "const B = () => <p/>;\nexport default memo(B);", "component", "A"),
        ("A.tsx", "class B extends Component {}\nexport default B;", "component", "B"),
        ("A.tsx", "export const B = () => <p/>;\nexport const useB = () => 1;", "component", "B"),
        ("A.tsx", "export const A = () => <p/>;\nexport const B = () => <p/>;", "component", "A"),
        ("C.tsx", "export const A = () => <p/>;\nexport const B = () => <p/>;", "module", "C"),
        ("A.tsx", "export const ThemeContext = createContext(null);", "module", "A"),
        ("A.tsx", "export default function useMenu() { return <p/>; }", "module", "A"),
        ("A.tsx", "export const useMenu = () => <p/>;", "module", "A"),
        ("A.tsx", "const B = () => <p/>;", "component", "B"),
        ("A.tsx", "<p>{props.title}</p>", "component", "A"),
        ("A.tsx", "const B = () => <p/>;\nconst C = () => <B/>;", "component", "A"),
        ("a.ts", "const b = 1;", "module", "a"),
        ("a.ts", "export default class Store {}", "module", "a"),
        ("a.ts", "export default { a: 1 };", "module", "a"),
        ("a.ts", "export interface A { a: string }", "module", "a"),
        ("a.js", "export default function A() { return <p/>; }", "component", "A"),
    ],
)
def test_components_and_modules_are_told_apart(
    adopt: Adopt, path: str, code: str, kind: str, name: str
) -> None:
    """What shows something is a component; hooks, stores, contexts and types are none."""
    draft = adopt({path: code})[path]
    assert (draft.kind, draft.name) == (kind, name)


def test_keys_are_file_names_and_folders_settle_who_has_them(adopt: Adopt) -> None:
    """Equal names all get their folder's, whatever their order; a file keeps its key."""
    found = adopt(
        {
            "ui/Button.tsx": PAGE,
            "forms/Button.tsx": PAGE,
            "forms/button.ts": "export const x = 1;",
            "HTMLView.tsx": PAGE,
            "shop/index.tsx": PAGE,
            "shop/page.tsx": PAGE,
            "Ärger.tsx": PAGE,
            "日本.tsx": PAGE,
            "aux.ts": "export const x = 1;",
            f"{'x' * 150}.tsx": PAGE,
        }
    )
    assert {path: draft.key for path, draft in found.items()} == {
        "ui/Button.tsx": "ui-button",
        "forms/Button.tsx": "forms-button",
        "forms/button.ts": "forms-button-2",
        "HTMLView.tsx": "html-view",
        "shop/index.tsx": "shop",
        "shop/page.tsx": "shop-page",
        "Ärger.tsx": "arger",
        "日本.tsx": "module",
        "aux.ts": "aux-2",
        f"{'x' * 150}.tsx": "x" * 90,
    }
    assert keys_for(["a/X.tsx", "b/X.tsx"], {"a/X.tsx": "x"}, {"b-x"}, ()) == {
        "a/X.tsx": "x",
        "b/X.tsx": "b-x-2",
    }
    assert kebab("useHTTPCart.store") == "use-http-cart-store"


def test_css_goes_with_its_component(made: Callable[[Files], Drafts]) -> None:
    """A sheet becomes the component's; one for whole pages is told; Sass is named at its line."""
    found = made(
        {
            "A.tsx": f"import './A.css';\nimport './globals.css';\n{PAGE}",
            "A.css": ".a { background: url(dot.svg), url('./b.scss') }",
            "dot.svg": "<svg/>",
            "B.tsx": f"import s, {{ b }} from './B.module.css';\nimport './b.scss';\n{PAGE}",
            "B.module.css": ".b { color: red }",
            "b.scss": "$x: 1",
            "globals.css": "@tailwind base;",
            "lonely.css": "p { margin: 0 }",
        }
    )
    a, b = found.by_key["a"], found.by_key["b"]
    assert a.css == (
        ".a { background: url(\"data:image/svg+xml;base64,PHN2Zy8+\"), url('./b.scss') }"
    )
    assert a.code == f"\n\n{PAGE}"
    assert b.css == ".b_b { color: red }"
    assert 'const s = {"b": "b_b"}; const { "b": b } = {"b": "b_b"};' in b.code
    assert places(b.problems) == ["2:8 src/b.scss is not CSS, and nothing compiles it here"]
    assert found.page_sheets == ["globals.css", "lonely.css"]


def test_a_css_module_keeps_its_classes_to_itself() -> None:
    """Each class gets the component's name before it, in selectors of every kind and nowhere else;
    `composes` joins classes; what can't be is told."""
    found = css_module(
        ".a:hover > .b, :not(.c) { margin: .5em; }\n"
        "@media (width > 1px) { .a { & .d { color: red } } }\n"
        ".e { composes: a b; color: url(x.png) }\n"
        ":global(.f) .g, :local(.h) { }\n"
        "@keyframes k { from { margin: 0 } }\n"
        ".i { composes: x from './y.css' }\n",
        "key",
    )
    assert found.css.split("\n") == [
        ".key_a:hover > .key_b, :not(.key_c) { margin: .5em; }",
        "@media (width > 1px) { .key_a { & .key_d { color: red } } }",
        ".key_e {  color: url(x.png) }",
        ".f .key_g, .key_h { }",
        "@keyframes k { from { margin: 0 } }",
        ".key_i { }",
        "",
    ]
    assert found.classes["e"] == "key_e key_a key_b"
    assert sorted(found.classes) == ["a", "b", "c", "d", "e", "g", "h", "i"]
    assert [(what, line) for what, _, line in found.problems] == [
        ("composes takes classes from another file", 6)
    ]


def test_sheets_for_whole_pages_are_known_by_what_they_say() -> None:
    """Tailwind's rules, imports, and roots in a file that is called so."""
    assert is_for_pages("a.css", "@import 'tailwindcss';")
    assert is_for_pages("styles/index.css", ":root { --a: 1px }")
    assert is_for_pages("index.css", "@import url(https://fonts.example/x);")
    assert not is_for_pages("Card.css", ":root { --a: 1px }")
    assert not is_for_pages("Card.css", "@import './base.css';")
    assert not is_for_pages("index.css", ".card { margin: 0 }")


def test_json_and_small_images_go_into_the_code(adopt: Adopt) -> None:
    """JSON becomes a module, a small image a constant; other files are named at their line."""
    code = (
        "import data from './data.json';\nimport logo from './logo.svg';\n"
        "import { ReactComponent as L } from './logo.svg';\nimport film from './film.mp4';\n"
        "import big from './big.png';\nimport bad from './bad.json';\n"
    )
    found = adopt(
        {
            "A.tsx": code + PAGE,
            "data.json": '{"a": 1}',
            "logo.svg": "<svg/>",
            "film.mp4": b"\0",
            "big.png": b"x" * 20_000,
            "bad.json": "{",
        }
    )
    draft = found["A.tsx"]
    assert "import data from '@robbieblocks/data';" in draft.code
    assert 'const logo = "data:image/svg+xml;base64,PHN2Zy8+";' in draft.code
    assert found["data.json"].code == 'export default {"a": 1};\n'
    assert places(draft.problems) == [
        "3:37 src/logo.svg can't be imported in this way",
        "4:18 src/film.mp4 is a file, and a component's row holds none",
        "5:17 src/big.png is a file, and a component's row holds none",
        "6:17 src/bad.json has more than 256 KiB, or is no JSON",
    ]


def component(props: str, parameter: str = "{ a }: Props") -> str:
    return f"{props}\nexport default function A({parameter}) {{ return <p>{{a}}</p>; }}\n"


@pytest.mark.parametrize(
    ("code", "properties", "required"),
    [
        (component("", "{ a, b = 2 }: { a: string; b?: number }"), "a s, b n=2", "a"),
        (component("interface Props { a: 'x' | 'y' | 1; b: boolean | null }"), "", "a b"),
        (component("type Props = { a?: string[]; b: Array<{ c: number }> }"), "", "b"),
        (component("type B = { b: string };\ntype Props = B & { a?: string }"), "b s, a s", "b"),
        (component("interface Props extends B { a: 1 }\ninterface B { b: string }"), "", "a b"),
        (component("import { type T } from './t';\ntype Props = { a: T }"), "", "a"),
        (component("enum E { X = 'x' }\ntype Props = { a: E; b?: () => void }"), "", "a"),
        ("export const A: React.FC<{ a: number }> = ({ a = 1 }) => <p/>;", "a n=1", ""),
        ("export const A = memo(function A({ a }: { a: string }) { return <p/>; });", "a s", "a"),
        (
            "type P = { a?: React.ReactNode };\nexport const A = forwardRef<E, P>((p, r) => <p/>);",
            "a s",
            "",
        ),
        (component("type Props = Partial<{ a: string }>"), "a s", ""),
        (component("type Props = Partial<{ a: string; b: () => void }>"), "a s", ""),
        (component("type Props = { a: Record<string, number>; b: unknown }"), "", "a b"),
    ],
)
def test_plain_props_get_a_schema(adopt: Adopt, code: str, properties: str, required: str) -> None:
    """Texts, numbers, flags, choices, lists and objects, with what may be left out and defaults."""
    files = {"A.tsx": code, "t.ts": "export interface T { c: string }"}
    schema = adopt(files)["A.tsx"].props
    assert schema is not None
    assert schema.get("required", []) == required.split()
    assert isinstance(sample(schema), dict)
    found = schema["properties"]
    assert isinstance(found, dict)
    kinds = {"string": "s", "number": "n"}
    if properties:
        told = [
            f"{name} {kinds[str(each['type'])]}"
            + (f"={each['default']}" if "default" in each else "")
            for name, each in found.items()
            if isinstance(each, dict)
        ]
        assert set(told) == set(properties.split(", "))


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("'a' | 'b' | undefined", ["a", "b"]),
        ("(typeof LIST)[number]", ["x", "y"]),
        ("keyof typeof TABLE", ["x", "y"]),
        ("(typeof TABLE)[keyof typeof TABLE]", [1, 2.5]),
        ("typeof TABLE['y']", [2.5]),
        ('(typeof TABLE)["y"]', [2.5]),
        ("(typeof LIST)[0]", ["x"]),
        ("/* one */ 'a' /* or */ | 'b'", ["a", "b"]),
        ("Shade", ["light", "dark"]),
        ("1 | -2 | true | null", [1, -2, True, None]),
    ],
)
def test_choices_are_listed(adopt: Adopt, type_: str, values: list[object]) -> None:
    """Literals, enums, and the items, keys and values of what is written down beside them."""
    code = (
        "const LIST = ['x', 'y'] as const;\n"
        "const TABLE = { x: 1, 'y': 2.5 /* c */ } as const satisfies object;\n"
        "enum Shade { Light = 'light', Dark = 'dark' }\n"
    )
    draft = adopt({"A.tsx": code + component(f"type Props = {{ a?: {type_} }}")})["A.tsx"]
    assert draft.props == {"type": "object", "properties": {"a": {"enum": values}}}


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        ("(typeof TABLE)['title']", {"type": "string"}),
        ("(typeof TABLE)[keyof typeof TABLE]", {"anyOf": [{"type": "string"}, {"type": "number"}]}),
        ("(typeof LIST)[number]", {"type": "boolean"}),
        ("keyof typeof TABLE", {"enum": ["title", "size"]}),
        ("readonly /* c */ string[]", {"type": "array", "items": {"type": "string"}}),
        ("/* c */ string", {"type": "string"}),
    ],
)
def test_what_may_change_is_known_by_its_kind(
    adopt: Adopt, type_: str, schema: dict[str, object]
) -> None:
    """Without `as const` a value that is written down is one of many; comments say nothing."""
    code = "const TABLE = { title: 'x', size: 1 };\nconst LIST = [true];\n"
    draft = adopt({"A.tsx": code + component(f"type Props = {{ a?: {type_} }}")})["A.tsx"]
    assert draft.props == {"type": "object", "properties": {"a": schema}}


@pytest.mark.parametrize(
    ("code", "note"),
    [
        (component("type Props = { a: () => void }"), "no props schema: a can't be given as JSON"),
        (component("type Props<T> = { a: T }", "{ a }: Props<string>"), "is not plain"),
        (component("import { Props } from 'elsewhere'"), "the type Props is not plain"),
        (component("type Props = { a: Props; b: Props }"), "can't be given as JSON"),
        (component("", "{ a }"), "its props have no type"),
        (component("type Props = Required<{ a: string; b?: () => void }>"), "b can't be given"),
        (component("type Props = { a: (typeof T)['c'] }; const T = { b: 1 }"), "a can't be given"),
        (
            component(
                "type T0 = { a: string };\n"
                + "".join(f"type T{n + 1} = {' & '.join([f'T{n}'] * 200)};\n" for n in range(4))
                + "type Props = T4"
            ),
            "its types are too many",
        ),
        (component("type Props = { a: string; b?: () => void }"), "props left out: b"),
    ],
)
def test_props_that_are_not_plain_are_told(adopt: Adopt, code: str, note: str) -> None:
    """Without a schema, or a part of it, the reason is said; types that name themselves end."""
    assert note in " ".join(adopt({"A.tsx": code})["A.tsx"].notes)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("export default () => <motion.p/>;", ["1:23 motion is used and never imported"]),
        ("export default () => <Missing/>;", ["1:23 Missing is used and never imported"]),
        ("export default () => <p>{cn('a')}</p>;", ["1:26 cn is used and never imported"]),
        ("export default () => { const [a] = useState(1); return <p>{a}</p>; };", []),
        ("export default () => <p title={name}>{Map.name}</p>;", []),
        ("export default () => <p ref={(p) => getComputedStyle(p)}/>;", []),
        ("const K = process.env.KEY;\n" + PAGE, ["1:11 process.env.KEY is not there in a page"]),
        ("const K = process.env.NODE_ENV;\n" + PAGE, []),
        ("const W = window.innerWidth;\n" + PAGE, ["1:11 window is read when the module is load"]),
        ("import { cn as history } from './lib/cn';\nhistory('a');\n" + PAGE, []),
        ("const { location } = { location: 1 };\nconst at = location;\n" + PAGE, []),
        ("const W = typeof window === 'undefined' ? 0 : window.innerWidth;\n" + PAGE, []),
        ("export default () => { useEffect(() => document.title); return <p/>; };", []),
        (
            "export default function A() { fetch('/a'); return <p/>; }",
            ["1:31 fetch runs while the page is prerendered"],
        ),
        ("export default () => <p onClick={() => fetch('/a')}/>;", []),
        ("export default async function A() { return <p/>; }", ["1:16 an async component is a "]),
        ("'use server';\n" + PAGE, ["1:1 a server action needs a server"]),
        ("import x from './lib/nn';\n" + PAGE, ["1:15 there is no file ./lib/nn"]),
        ("import x from '/logo.svg';\n" + PAGE, ["1:15 there is no file /logo.svg"]),
        ("import x from './lib/cn?worker';\n" + PAGE, ["1:15 src/lib/cn.ts is a file, and a"]),
    ],
)
def test_what_cannot_work_is_named_with_its_place(adopt: Adopt, code: str, told: list[str]) -> None:
    """Forgotten imports, and what only a browser, a server or a bundler has."""
    problems = adopt({**UI, "A.tsx": code})["A.tsx"].problems
    assert len(problems) == len(told), places(problems)
    for place, start in zip(places(problems), told, strict=True):
        assert place.startswith(start)
    assert all(each.remedy and each.source and each.key == "src/A.tsx" for each in problems)


def test_what_plain_typescript_says_otherwise_is_written_as_tsx(adopt: Adopt) -> None:
    """Generic arrow functions and old assertions of .ts files are no JSX."""
    code = (
        "a.b = <T>(x: T) => x;\na.c = <T>(\n x: (() => T),\n) => x;\nexport const d = <string>y;\n"
    )
    draft = adopt({"a.ts": code})["a.ts"]
    assert draft.code == (
        "a.b = <T,>(x: T) => x;\na.c = <T,>(\n x: (() => T),\n) => x;\n"
        "export const d = (y as string);\n"
    )


def test_only_imports_that_run_miss_a_package(adopt: Adopt) -> None:
    """Each package that the toolchain has not is told with its line; types are gone by then."""
    code = f"import type {{ A }} from 'next';\nimport axios from 'axios';\n{PAGE}"
    (missing,) = adopt({"A.tsx": code})["A.tsx"].missing
    assert (missing.name, missing.line, missing.remedy) == ("axios", 2, "add it")


def test_hostile_folders_are_read_as_far_as_they_can_be(
    folder: Callable[[Files], SourceFolder], tmp_path: Path
) -> None:
    """Links out of the folder, pipes, binaries and huge files are told by name, never opened or
    followed; packages, tests and hidden folders stay out."""
    secret = tmp_path / "secret.tsx"
    secret.write_text(PAGE)
    src = tmp_path / "src"
    src.mkdir()
    (src / "link.tsx").symlink_to(secret)
    (src / "loop").symlink_to(src)
    (src / "gone.tsx").symlink_to(src / "nowhere")
    os.mkfifo(src / "pipe.tsx")
    found = folder(
        {
            "A.tsx": "\ufeff" + PAGE,
            "binary.tsx": b"\xff\xfe\0",
            "huge.tsx": b" " * (5 << 20),
            "node_modules/x/index.js": "1",
            ".git/x.js": "1",
            "dist/x.js": "1",
            "A.test.tsx": "1",
            "A.stories.tsx": "1",
        }
    )
    assert found.code == {"A.tsx": PAGE}
    told = {path: problem.what for path, problem in found.unreadable.items()}
    assert told.keys() == {"link.tsx", "gone.tsx", "pipe.tsx", "binary.tsx", "huge.tsx"}
    assert "leads out" in told["link.tsx"]
    assert "is not UTF-8" in told["binary.tsx"]
    assert found.skipped.keys() == {
        "node_modules/",
        "dist/",
        "loop/",
        "A.test.tsx",
        "A.stories.tsx",
    }


def test_a_folder_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is to name the folder with the components."""
    monkeypatch.setattr("robbieblocks.adoption.sources.reading._MAX_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(UsageError, match="more than 2 files"):
        read_folder(tmp_path)
    (tmp_path / "2.txt").unlink()
    with pytest.raises(UsageError, match="there is no code"):
        read_folder(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        read_folder(tmp_path / "0.txt")


@pytest.mark.parametrize(
    "code",
    [
        "(" * 20_000,
        "<a>" * 20_000,
        "import {",
        "export default class { render() { return <p/> }",
        "type A = " + "(" * 3_000 + "string" + ")" * 3_000 + ";\n" + component("", "p: A"),
        component("type Props = { " + "; ".join(f"p{n}: Props" for n in range(300)) + " }"),
        "export * from './A';",
        "export { x } from './A';\nexport * from './A';",
        "import s from './x.module.css';\n" + PAGE,
        f"const a = {'1' * 6_000};\n" + component("", "{ a = " + "9" * 6_000 + " }: { a: number }"),
    ],
)
def test_hostile_texts_end_in_a_draft(adopt: Adopt, code: str) -> None:
    """Whatever a parser fails over is that file's problem; nothing hangs or is lost."""
    found = adopt({"A.tsx": code, "B.tsx": PAGE, "x.module.css": ".a{" * 3_000})
    assert found["B.tsx"].kind == "component"


OLD, MINE, NEW = "old", "mine", "new"


@pytest.mark.parametrize(
    ("held", "earlier", "side", "actions"),
    [
        ({}, {}, None, {"tsx": "add"}),
        ({"jsx": OLD}, {"jsx": OLD}, None, {"jsx": "remove", "tsx": "add"}),
        ({"jsx": MINE}, {"jsx": OLD}, None, {"jsx": "conflict", "tsx": "conflict"}),
        ({"jsx": MINE}, {"jsx": OLD}, "ours", {"jsx": "keep", "tsx": "keep"}),
        ({"jsx": MINE}, {"jsx": OLD}, "theirs", {"jsx": "remove", "tsx": "add"}),
        ({"jsx": MINE}, {"tsx": OLD}, None, {"jsx": "keep", "tsx": "conflict"}),
        ({"jsx": MINE}, {"tsx": OLD}, "theirs", {"jsx": "remove", "tsx": "add"}),
        ({"jsx": MINE}, {"tsx": NEW}, None, {"jsx": "keep", "tsx": "keep"}),
    ],
)
def test_a_component_has_one_file_of_code(
    held: dict[str, str], earlier: dict[str, str], side: Side, actions: dict[str, str]
) -> None:
    """Where its name changed on one side and its text on the other, both files are in conflict, and
    never lie beside each other."""
    texts: dict[str, tuple[str | None, str | None]] = {
        f"component.{name}": (NEW if name == "tsx" else None, held.get(name))
        for name in ("tsx", "jsx")
    }
    base = {f"component.{name}": sha256(text) for name, text in earlier.items()}
    found = merged_files(texts, base, side)
    assert {name.removeprefix("component."): each.action for name, each in found.items()} == actions
    assert len([each for each in found.values() if each.text is not None]) == 1
    again = {name: (texts[name][0], each.text) for name, each in found.items()}
    remembered = {name: each.base for name, each in found.items() if each.base is not None}
    if "conflict" not in actions.values():
        kept = merged_files(again, remembered, None)
        assert {name: each.text for name, each in kept.items()} == {
            name: each.text for name, each in found.items() if name in kept
        }


@pytest.mark.parametrize(
    ("new", "held", "base", "side", "action", "text"),
    [
        (NEW, None, None, None, "add", NEW),
        (NEW, OLD, OLD, None, "update", NEW),
        (None, OLD, OLD, None, "remove", None),
        (OLD, OLD, OLD, None, "unchanged", OLD),
        (NEW, NEW, OLD, None, "unchanged", NEW),
        (OLD, MINE, OLD, None, "keep", MINE),
        (OLD, None, OLD, None, "keep", None),
        (NEW, MINE, OLD, None, "conflict", MINE),
        (None, MINE, OLD, None, "conflict", MINE),
        (NEW, MINE, OLD, "theirs", "update", NEW),
        (NEW, MINE, OLD, "ours", "keep", MINE),
        (OLD, MINE, OLD, "theirs", "keep", MINE),
    ],
)
def test_each_file_merges_three_ways(
    new: str | None, held: str | None, base: str | None, side: Side, action: str, text: str | None
) -> None:
    """What one side changed is taken; what both did is a conflict until a side is chosen."""
    found = merged(new, held, None if base is None else sha256(base), side)
    assert (found.action, found.text) == (action, text)
    again = merged(new, found.text, found.base, None)
    assert again.action == ("conflict" if action == "conflict" else again.action)
    assert action == "conflict" or again.text == found.text
