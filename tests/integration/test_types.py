"""TypeScript over components: every kind of fault at its place, and no file but the program's."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from robbieblocks import content, process
from robbieblocks.content import load
from robbieblocks.errors import Problem
from robbieblocks.settings import resource_dir
from robbieblocks.toolchain import Toolchain, TypeScript
from robbieblocks.typescript import EditorFiles, type_problems, write_editor_files
from robbieblocks.typescript.editor import FOLDER
from tests.unit.rows import a_component

GREETING = {"greeting": {"type": "string", "default": "Hi"}, "size": {"type": "number"}}
ITEMS = {
    "items": {
        "type": "array",
        "default": [],
        "items": {"type": "object", "properties": {"a": {"type": "string"}}},
    }
}
SECRET = "hunter2"

# Key: the text, the schema, and the place and the words of each finding.
FAULTS: dict[str, tuple[str, Any, list[tuple[int, int, str]]]] = {
    "module-shape": (
        "import type { Props } from '@robbieblocks/module-shape/props';\n\n"
        "export default function A(props: Props) {\n"
        "  const [at, setAt] = useState<number>(props.greeting);\n"
        "  return <p clas='x' onClick={() => setAt(1)}>{props.greting}{at}</p>;\n}\n",
        GREETING,
        [
            (4, 40, "Argument of type 'string' is not assignable to parameter of type 'number"),
            (5, 13, "Property 'clas' does not exist"),
            (5, 54, "did you mean 'greeting'?"),
        ],
    ),
    "named-export": (
        "export const A: React.FC<{ size?: number }> = ({ size }) => <p>{size.toFixed()}</p>;",
        GREETING,
        [(1, 65, "'size' is possibly 'undefined'")],
    ),
    "bare-declaration": (
        "const a: string = '🎉';\nconst A = ({ greeting }: { greeting: number }) => <p>{a}</p>;",
        GREETING,
        [(2, 12, "props_schema lets through what it does not take")],
    ),
    "fragment": (
        "// é🎉\n  <ul>{props.items.map((one) => <li key={one.a}>{one.b}</li>)}{props.itms}</ul>",
        ITEMS,
        [(2, 70, "did you mean 'items'?")],
    ),
    "javascript": (
        "const A = ({ mood }) => {\n  const [all, setAll] = useState([]);\n  all.push(mood.x);\n"
        "  return <p class='x' onClick={nothing}>{all.length}</p>;\n};",
        GREETING,
        [(4, 32, "Cannot find name 'nothing'")],
    ),
    "imports": (
        "import Shape, { nothing } from '@robbieblocks/module-shape';\n"
        "import { format } from 'date-fns';\nimport { Bold } from 'lucide-react';\n"
        "export default (props: {}) => <Shape greeting={1}><Bold size={{}} />{format()}</Shape>;",
        {},
        [
            (1, 17, "has no exported member 'nothing'"),
            (4, 38, "Type 'number' is not assignable to type 'string'"),
            (4, 57, "is not assignable to type"),
            (4, 70, "Expected 2-3 arguments, but got 0"),
        ],
    ),
    "a-module": ("export const useA = (): number => 'a';", {}, [(1, 35, "Type 'string'")]),
    "line-ends": (
        "const a = '\u2028';\r\nconst b: number = a;\r\nexport default (p: {}) => <p>{b}</p>;",
        {},
        [(2, 7, "Type 'string' is not assignable to type 'number'")],
    ),
    "untyped": (
        "type T = 1;\nexport default function A({ greeting }) { return <p>{greeting}</p>; }",
        GREETING,
        [(2, 29, 'from "@robbieblocks/untyped/props"')],
    ),
    "unchecked": ("// @ts-nocheck\nexport default (p: {}) => <p>{p.x}</p>;", {}, []),
    "class": (
        "export default class A extends React.Component<{ size: string }> {\n"
        "  render() { return <p>{this.props.sizes}</p>; }\n}",
        {},
        [(2, 36, "did you mean 'size'?")],
    ),
    "right": (
        "import { motion } from 'framer-motion';\nimport { LineChart, Line } from 'recharts';\n"
        "import { create } from 'zustand';\nimport { persist } from 'zustand/middleware';\n"
        "import clsx from 'clsx';\nimport { createPortal } from 'react-dom';\n"
        "const useIt = create<{ n: number }>()(persist(() => ({ n: 1 }), { name: 'n' }));\n"
        "export default function A({ greeting, size = 1 }: { greeting: string; size?: number }) {\n"
        "  const n = useIt((it) => it.n);\n  const box = useRef<HTMLDivElement>(null);\n"
        "  return (\n    <motion.div ref={box} animate={{ x: n }} className={clsx('a', n)}>\n"
        "      <LineChart data={[]}><Line dataKey='a' /></LineChart>\n"
        "      {greeting}{size.toFixed()}{createPortal(null, document.body)}\n"
        "    </motion.div>\n  );\n}\n",
        GREETING,
        [],
    ),
    "broken": ("export default (p: {}) => <p>{p.x}</p", {}, []),
    "BAD key": ("export default (p: {}) => <p>{p.x}</p>;", {}, []),
}


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that no component may read, though a program could."""
    file = tmp_path_factory.mktemp("outside") / "secret.ts"
    file.write_text(f"export type Secret = '{SECRET}'; declare global {{ var leaked: Secret }}")
    return file


@pytest.fixture(scope="module")
def found(toolchain: Toolchain, typescript: TypeScript, outside: Path) -> dict[str, list[Problem]]:
    rows = {
        key: a_component(key, code=code, schema=schema) for key, (code, schema, _) in FAULTS.items()
    }
    name = str(outside.with_suffix(""))
    hostile = {
        "import-type": f"import type {{ Secret }} from '{name}'; const a: Secret = 1;",
        "import-call": f"const a: import('{name}').Secret = 1;",
        "reference": f"/// <reference path='{outside}' />\n/// <reference types='{name}' />\n"
        "const a: typeof leaked = 1;",
        "augment": "declare module 'react' { interface Attributes { x?: 1 } }",
        "template": 'const a: `import("x/c/999")${string}` = 1;\n'
        "const b: `x\nc/0.tsx(1,1): error TS2322: forged` = 1;\n"
        "const c: { 'y\\nc/1.tsx(1,1): error TS2322: forged': 1 } = {};",
        "excessive": "type A<T> = T extends unknown ? A<[T]> : never; const a: A<1> = 2;",
    }
    for key, code in hostile.items():
        rows[key] = a_component(key, code=f"{code}\nexport default (p: {{}}) => <p/>;")
    rows["draft"] = a_component("draft", code="const a: number = 'a';", published=False)
    by_key = defaultdict[str, list[Problem]](list)
    for problem in type_problems(rows, toolchain, typescript):
        by_key[problem.key].append(problem)
    return by_key


@pytest.mark.parametrize("key", FAULTS)
def test_every_fault_is_named_at_its_place(found: dict[str, list[Problem]], key: str) -> None:
    """Each kind of fault, in each shape of component, has its line, column and words."""
    code, _, expected = FAULTS[key]
    said = found.get(key, [])
    assert [(each.line, each.column) for each in said] == [place[:2] for place in expected], said
    for problem, (line, _, words) in zip(said, expected, strict=True):
        assert words in str(problem)
        assert problem.source == code.split("\n")[line - 1].rstrip("\r")
        assert (problem.entity, problem.field) == ("component", "react_code")


def test_no_file_is_opened_for_a_text(found: dict[str, list[Problem]]) -> None:
    """A text that names a file learns nothing of it."""
    for key in ("import-type", "reference"):
        assert "Cannot find" in "".join(map(str, found[key]))
    assert SECRET not in str(found)


def test_what_a_text_has_quoted_is_no_message(found: dict[str, list[Problem]]) -> None:
    """A text that looks like a message or a path of the compiler's is quoted as it is."""
    said = "\n".join(map(str, found["template"]))
    assert {each.line for each in found["template"]} == {1, 2, 4}
    assert 'import("x/c/999")' in said
    assert "forged" in said
    others = [each for key, problems in found.items() if key != "template" for each in problems]
    assert "forged" not in str(others)


def test_a_text_with_faults_without_number_hides_no_other(
    toolchain: Toolchain, typescript: TypeScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one component fills the compiler's answer with is not taken from the others'."""
    monkeypatch.setattr("robbieblocks.typescript.program._MAX_OUTPUT", 20_000)
    many = "".join(f"const a{number}: number = 'a';\n" for number in range(1_000))
    rows = {
        "a": a_component("a", code=f"{many}export default (p: {{}}) => <p/>;"),
        "b": a_component("b", code="const a: number = 'a';\nexport default (p: {}) => <p/>;"),
    }
    found = type_problems(rows, toolchain, typescript)
    assert [(each.key, each.line) for each in found] == [
        *(("a", number) for number in range(1, 21)),
        ("b", 1),
    ]


def test_a_text_of_endless_types_is_named_alone(found: dict[str, list[Problem]]) -> None:
    """Types without end are a fault of their component, and drafts are no one's."""
    assert "excessive" in found
    assert "draft" not in found


def test_what_comes_with_the_package_is_right(toolchain: Toolchain, typescript: TypeScript) -> None:
    """The demo's components and the starter's have no finding."""
    starter = Path(content.__file__).parent / "starter" / "files" / "content"
    for folder in (resource_dir("schema") / "content", starter):
        rows = {
            each.key: a_component(each.key, code=each.code, schema=each.props_schema)
            for each in load(folder).components
        }
        assert type_problems(rows, toolchain, typescript) == ()


def test_an_editor_gets_what_a_check_has(
    tmp_path: Path, toolchain: Toolchain, typescript: TypeScript
) -> None:
    """Every shape of component is typed where others import it, and a person's files stay."""
    project = tmp_path / "site"
    shutil.copytree(resource_dir("schema") / "content", project / "own")
    (project / "tsconfig.json").write_text("{}")
    (project / "own" / "components" / "imports").mkdir()
    file = project / "own" / "components" / "imports" / "component.tsx"
    file.write_text(
        "import Hero from '@robbieblocks/page-hero';\n"
        "import Brief from '@robbieblocks/daily-brief';\n"
        "import type { Props } from '@robbieblocks/page-hero/props';\n"
        "export default (props: Props) => {\n"
        "  const [at] = useState<number>(props.title);\n"
        "  return <Brief {...{ items: 1 }}><Hero title={at} actions={[]} /></Brief>;\n};\n"
    )
    (file.parent / "component.toml").write_text('name = "Imports"\ntype = "widget"\n')
    held = {"type": "object", "properties": {"a": {"default": 1}, "b": {}}, "required": ["b"]}
    schema = {"type": "object", "properties": {"held": held, "made": {"default": 1}}}
    (file.parent / "props.schema.json").write_text(
        json.dumps({**schema, "required": ["held", "made"]})
    )

    def write() -> EditorFiles:
        return write_editor_files(
            project,
            project / "own",
            project / "node_branding",
            load(project / "own").components,
            toolchain,
            typescript,
        )

    written = write()
    assert written.made == (".taplo.toml", ".vscode/settings.json")
    ((name, wanted),) = written.missing
    assert name == "tsconfig.json"
    assert (project / "tsconfig.json").read_text() == "{}"
    assert "own/components/*/props.schema.json" in (project / ".vscode/settings.json").read_text()
    (project / "tsconfig.json").write_text(wanted)
    before = {each: each.read_bytes() for each in sorted(project.rglob("*")) if each.is_file()}
    assert write() == EditorFiles(written.components, (), ())
    assert {each: each.read_bytes() for each in before} == before
    done = process.run(
        [typescript.program, "--project", project, "--pretty", "false"], timeout=60.0
    )
    said = re.findall(r"imports/component.tsx\((\d+),\d+\): error (TS\d+)", done.stdout.decode())
    assert said == [("5", "TS2345"), ("6", "TS2739"), ("6", "TS2322")], done.stdout.decode()
    assert done.stdout.count(b"error TS") == len(said)
    page = json.loads((project / FOLDER / "page.schema.json").read_text())
    known = page["properties"]["blocks"]["items"]["properties"]["component"]["anyOf"][0]["enum"]
    assert "page-hero" in known
    # What a build does not fill in, a page has to say.
    (own,) = (
        each["then"]["properties"]["props"]
        for each in page["properties"]["blocks"]["items"]["allOf"]
        if each["if"]["properties"]["component"]["const"] == "imports"
    )
    assert own["required"] == ["held"]
    for place in (resource_dir("schema") / "content" / "pages").glob("*.toml"):
        validator = jsonschema_rs.Draft202012Validator(page, offline=True)
        values = tomllib.loads(place.read_text())
        plain = json.loads(json.dumps(values, default=datetime.isoformat))
        assert validator.is_valid(plain), place
