"""A small app as people write one, adopted into a project: what works, and what further runs do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from robbieblocks import content
from robbieblocks.adoption import RECORD, AdoptedFile, Adoption, adopt
from robbieblocks.content import Block, Content, FolderFiles, Page
from robbieblocks.errors import ContentError, UsageError
from robbieblocks.model import Json, NodeRow
from robbieblocks.pipeline import BuildContext, Request, Site, build
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.toolchain import Toolchain
from tests.building import NOW
from tests.commands import Installation

APP = Path(__file__).resolve().parents[1] / "fixtures" / "adopted_app"

# What can't work, and why; Picker and Header work where somebody imports them.
FAULTS = {
    "components/Hero.tsx": ["2:11 motion is used and never imported"],
    "lib/device.ts": ["1:24 window is read when the module is loaded, and prerendering has none"],
    "pages/ArticlePage.tsx": [
        "1:19 next/image is not in the toolchain",
        "2:19 axios is not in the toolchain",
        "3:25 there is no file ./Sidebar",
        "5:13 import.meta.env.VITE_API is Vite's, and not there",
    ],
}
NOT_ALONE = {
    "components/Picker.tsx": "Cannot read properties of undefined",
    "components/layout/Header.tsx": "useTheme needs a ThemeProvider",
}


@pytest.fixture(scope="module")
def context(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BuildContext]:
    """One for all tests here, so that each compiles only what it changes."""
    home = tmp_path_factory.mktemp("adopting")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ROBBIEBLOCKS_HOME", str(home))
        settings = Settings.from_environment()
    with BuildContext.open(settings, lambda _: None) as opened:
        assert opened.toolchain.id == toolchain.id
        yield opened


class Project:
    """A copy of the app, and a project beside it."""

    def __init__(self, folder: Path, context: BuildContext) -> None:
        self.source = folder / "app" / "src"
        self.content = folder / "site" / "content"
        self._context = context
        shutil.copytree(APP, self.source.parent)

    def adopt(self, **options: Any) -> Adoption:
        return adopt(self.source, self.content, self._context, **options)

    def file(self, key: str, name: str) -> Path:
        return self.content / "components" / key / name

    def files(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self.content)): file.read_bytes()
            for file in self.content.rglob("*")
            if file.is_file()
        }


@pytest.fixture
def project(tmp_path: Path, context: BuildContext) -> Project:
    return Project(tmp_path, context)


def by_file(done: Adoption) -> dict[str, AdoptedFile]:
    return {each.draft.file: each for each in done.files}


def actions(done: Adoption) -> dict[str, str]:
    """What was done with files, but for those that were left as they were."""
    return {
        f"{each.draft.key}/{name}": merge.action
        for each in done.files
        for name, merge in each.merges.items()
        if merge.action != "unchanged"
    }


def test_all_but_the_files_with_true_faults_build_and_render(project: Project) -> None:
    """One run makes components of an app that build; what can't work is named with line and column,
    and what renders only inside of others is told from what fails."""
    found = by_file(project.adopt())
    failing = {path: each for path, each in found.items() if not each.works}
    assert {
        path: [f"{one.line}:{one.column} {one.what}" for one in each.problems]
        for path, each in failing.items()
    } == FAULTS
    assert all(one.remedy and one.source for each in failing.values() for one in each.problems)
    shown = {path: each for path, each in found.items() if each.tried.renders is not None}
    told = {
        path: each.tried.render_problem.what
        for path, each in shown.items()
        if each.tried.render_problem is not None and each.works
    }
    assert told.keys() == NOT_ALONE.keys()
    assert all(NOT_ALONE[path] in what for path, what in told.items())
    modules = {path for path, each in found.items() if each.draft.kind == "module"}
    assert shown.keys() == found.keys() - modules - (failing.keys() - shown.keys())
    assert {each.draft.key for each in found.values() if each.draft.file in modules} >= {
        "use-cart",
        "cart-store",
        "cn",
        "format",
        "products",
        "dialog",
        "constants",
        "product",
    }


def test_a_second_run_changes_nothing_and_a_dry_run_never_does(project: Project) -> None:
    """Files keep their bytes; a dry run says what would be done and leaves no trace."""
    planned = project.adopt(dry_run=True)
    assert not project.content.exists()
    done = project.adopt()
    assert actions(planned) == actions(done)
    assert set(actions(done).values()) == {"add"}
    before = project.files()
    assert not actions(project.adopt())
    assert project.files() == before


@pytest.mark.parametrize("written", [0, 1, 2, 3, 40, -1])
def test_a_run_that_is_killed_is_made_good_by_the_next(
    project: Project, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """However many files it had written, the last one being the record: each component is there
    once, and whole, as after one run."""
    real, count = FolderFiles.put, 0
    project.adopt()
    whole = project.files()
    shutil.rmtree(project.content)
    last = written if written >= 0 else len(whole)

    def put(self: FolderFiles, file: Path, text: str) -> None:
        nonlocal count
        if count == last:
            raise KeyboardInterrupt
        count += 1
        real(self, file, text)

    monkeypatch.setattr(FolderFiles, "put", put)
    with pytest.raises(KeyboardInterrupt):
        project.adopt()
    monkeypatch.undo()
    project.adopt()
    assert project.files() == whole


def test_what_a_person_broke_is_told(project: Project) -> None:
    """Where it was not the program that left a component without a file of it."""
    project.adopt()
    project.file("footer", "component.toml").unlink()
    project.file("footer", "component.tsx").write_text("export const Footer = () => <p>Me</p>;")
    before = project.files()
    with pytest.raises(ContentError, match=r"footer/component.toml: is missing"):
        project.adopt()
    assert project.files() == before


def test_what_changed_in_the_source_comes_and_what_a_person_changed_stays(
    project: Project,
) -> None:
    """Each file is merged by itself; where both sides changed one, it is a conflict that waits for
    a side, and all others are written."""
    project.adopt()
    css, panel = "components/ui/Button.css", project.source / "features/shop/CartPanel.tsx"
    (project.source / css).write_text(".button { padding: 0 }")
    panel.write_text(panel.read_text().replace("Clear<", "Empty<"))
    project.file("ui-button", "component.css").write_text(".mine {}")
    project.file("ui-button", "component.toml").write_text('name = "Mine"\ntype = "widget"\n')
    project.file("footer", "component.tsx").write_text("export const Footer = () => <p>Me</p>;")
    done = project.adopt()
    assert actions(done) == {
        "cart-panel/component.tsx": "update",
        "footer/component.tsx": "keep",
        "ui-button/component.css": "conflict",
        "ui-button/component.toml": "keep",
    }
    assert not done.in_order
    assert "Empty<" in project.file("cart-panel", "component.tsx").read_text()
    assert project.file("ui-button", "component.css").read_text() == ".mine {}"
    kept = project.adopt(ours=["ui-button"])
    assert actions(kept)["ui-button/component.css"] == "keep"
    assert "conflict" not in actions(project.adopt()).values()
    (project.source / css).write_text(".button { padding: 1px }")
    project.adopt(theirs=["all"])
    assert "1px" in project.file("ui-button", "component.css").read_text()
    assert "Me" in project.file("footer", "component.tsx").read_text()


def test_files_that_move_keep_their_component_and_those_that_go_are_told(project: Project) -> None:
    """A key belongs to a file for as long as it is there; a component is never removed."""
    project.adopt()
    moved = project.source / "components" / "Hero.tsx"
    moved.rename(project.source / "pages" / "Hero.tsx")
    (project.source / "components" / "Counter.tsx").unlink()
    (project.source / "features" / "Badge.tsx").write_text("export default () => <b>2</b>;")
    found = project.adopt()
    keys = {path: each.draft.key for path, each in by_file(found).items()}
    assert keys["pages/Hero.tsx"] == "hero"
    assert keys["components/ui/Badge.jsx"] == "badge"
    assert keys["features/Badge.tsx"] == "features-badge"
    assert found.left == {"counter": "../app/src/components/Counter.tsx"}
    assert project.file("counter", "component.tsx").exists()
    shutil.rmtree(project.file("badge", ""))
    again = project.adopt()
    assert not project.file("badge", "").exists()
    assert "was removed here" in again.left_out["components/ui/Badge.jsx"]
    (problem,) = by_file(again)["features/shop/ProductCard.tsx"].problems
    assert problem.what == "there is no component badge"


def test_types_that_are_not_there_hold_nothing_up(project: Project) -> None:
    """An import that is gone when the code runs is a warning; what compiles, works."""
    (project.source / "Types.tsx").write_text(
        "import { Api } from './generated';\nimport type { Page } from 'next';\n"
        "import { x } from './gone';\nexport default ({ a }: { a?: Api & Page }) => <p>{x}</p>;"
    )
    found = by_file(project.adopt(dry_run=True))["Types.tsx"]
    assert [(each.line, each.severity) for each in found.problems] == [(1, "warning"), (3, "error")]


def test_circular_imports_are_named(project: Project) -> None:
    """Both modules fail, for the cycle that is told at its import; what imports them is told so."""
    (project.source / "lib" / "a.ts").write_text(
        "import { b } from './b';\nexport const a = () => b;"
    )
    (project.source / "lib" / "b.ts").write_text(
        "import { a } from './a';\nexport const b = () => a;"
    )
    (project.source / "lib" / "C.tsx").write_text(
        "import { a } from './a';\nexport default () => <p>{a}</p>;"
    )
    found = by_file(project.adopt(dry_run=True))
    (problem,) = found["lib/a.ts"].problems
    assert (problem.line, problem.what) == (1, "components import each other: a -> b -> a")
    assert problem.source == "import { b } from './b';"
    assert found["lib/C.tsx"].tried.through == ("a",)
    assert not any(found[path].works for path in ("lib/a.ts", "lib/b.ts", "lib/C.tsx"))


IMPORTED = {
    "one.ts": "export const one = 1;\nexport interface T { t: string }\n"
    "const weird = 3;\nexport { weird as 'a-b' };\nexport default 2;\n",
    "Card.tsx": "export interface CardProps { a?: string }\n"
    "export default function Card(props: CardProps) { return <p>{props.a}</p>; }\n",
    "ui/index.ts": "export { default as Card } from '../Card';\nexport * from './more';\n"
    "export { default as data } from '../data.json';\n"
    "export { default as logo } from '../dot.svg';\n",
    "ui/more.ts": "export * from '../one';\n",
    "index.ts": "export { one as first } from './one';\n",
    "data.json": '{"title": "T", "list": [1]}',
    "dot.svg": "<svg/>",
    "s.module.css": ".a { margin: 0 }",
    "plain.css": ".b { margin: 0 }",
}
SVG = "data:image/svg+xml;base64,PHN2Zy8+"
# An import, what is read of it, and what that is.
IMPORTS: list[tuple[str, str, Json]] = [
    ("import two from './one';", "two", 2),
    ("import { one } from './one';", "one", 1),
    ("import { one as other, 'a-b' as ab } from './one';", "[other, ab]", [1, 3]),
    ("import two, { one, type T } from './one';", "[two, one] as [T['t'], 1]", [2, 1]),
    ("import two, * as all from './one';", "[two, all.one]", [2, 1]),
    ("import './one';", "1", 1),
    ("import type { T } from './one';", "1 as T['t']", 1),
    ("import type two from './one';", "1 as typeof two", 1),
    ("import type { Card, T } from './ui';", "1 as T['t'] & typeof Card", 1),
    ("import type { Card } from './ui';", "1 as typeof Card", 1),
    ("import { Card, type T, one, 'a-b' as c } from './ui';", "[Card.name, c]", ["Card", 3]),
    ("import * as ui from './ui';", "[ui.Card.name, ui.one, ui.data.title]", ["Card", 1, "T"]),
    ("import { data, logo } from './ui';", "[data.title, logo]", ["T", SVG]),
    ("import { first } from '.';", "first", 1),
    ("import { first } from './';", "first", 1),
    ("import { first } from '@/';", "first", 1),
    ("import d from './data.json';", "d.title", "T"),
    ("import * as d from './data.json';", "d.title", "T"),
    ("import { title, list as l } from './data.json';", "[title, l]", ["T", [1]]),
    ("import d, { title } from './data.json';", "[d.list, title]", [[1], "T"]),
    ("import d, * as all from './data.json';", "[d.title, all.title]", ["T", "T"]),
    ("import { default as d } from './data.json';", "d.title", "T"),
    ("import d from './data.json' with { type: 'json' };", "d.title", "T"),
    ("import * as d from './data.json' with {\n  type: 'json',\n};", "d.title", "T"),
    ("import type d from './data.json';", "1 as typeof d", 1),
    ("import './data.json';", "1", 1),
    ("import s from './s.module.css';", "s.a", "{key}_a"),
    ("import * as s from './s.module.css';", "s.a", "{key}_a"),
    ("import s, { a as b } from './s.module.css';", "[s.a, b]", ["{key}_a", "{key}_a"]),
    ("import './plain.css';", "1", 1),
    ("import logo from './dot.svg';", "logo", SVG),
    ("import { default as logo } from './dot.svg';", "logo", SVG),
]  # fmt: skip
# What a file hands on, and what is read of its exports.
EXPORTS: list[tuple[str, str, Json]] = [
    ("export { default } from './one';", "x.default", 2),
    ("export { default as b, one as default } from './one';", "[x.b, x.default]", [2, 1]),
    ("export { one as 'c-d' } from './one';", "x['c-d']", 1),
    ("export * from './one';", "[x.one, x['a-b']]", [1, 3]),
    ("export * from './ui';", "[x.Card.name, x.one]", ["Card", 1]),
    ("export * as all from './ui';", "[x.all.Card.name, x.all.one]", ["Card", 1]),
    ("export { Card as C, one, 'a-b' as default } from './ui';", "[x.one, x.default]", [1, 3]),
    ("export type { T } from './one';\nexport type * from './one';", "1", 1),
    ("export { default } from './data.json';", "x.default.title", "T"),
    ("export { default as data } from './data.json';", "x.data.title", "T"),
    ("export * as data from './data.json';", "x.data.title", "T"),
    ("export { title, list as default } from './data.json';", "[x.title, x.default]", ["T", [1]]),
    ("export { default } from './dot.svg';", "x.default", SVG),
    ("export { default as logo, default } from './dot.svg';", "[x.logo, x.default]", [SVG, SVG]),
    ("import logo from './dot.svg';\nexport const file1 = logo;\n"
     "export { default as logo } from './dot.svg';", "[x.file1, x.logo]", [SVG, SVG]),
    ("export { default } from './s.module.css';", "x.default.a", "{key}_a"),
    ("export { default as s, a } from './s.module.css';", "[x.s.a, x.a]", ["{key}_a"] * 2),
    ("export * as styles from './s.module.css';", "x.styles.a", "{key}_a"),
]  # fmt: skip
NOT_IMPORTED = {
    "export * from './data.json';": "a JSON file has no names to hand on",
    "export * from './s.module.css';": "src/s.module.css can't be imported in this way",
    "import s from './s.module.css' with { type: 'css' };": "src/s.module.css can't be imported",
    "import * as logo from './dot.svg';": "src/dot.svg can't be imported in this way",
    "import './dot.svg';": "src/dot.svg can't be imported in this way",
    "export * from './dot.svg';": "src/dot.svg can't be imported in this way",
}


def test_every_form_of_import_and_export_keeps_its_meaning(
    tmp_path: Path, context: BuildContext
) -> None:
    """Each is compiled and run as it is rewritten, and gives what it gave; what can't be is told
    at its specifier."""
    source = tmp_path / "src"
    expected: dict[str, str] = {}

    def write(name: str, text: str) -> None:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)

    def show(name: str, statement: str, read: str, value: Json, key: str) -> None:
        told = json.dumps(value, separators=(",", ":")).replace("{key}", key)
        write(
            f"{name}.tsx",
            f"{statement}\nexport default function Shown() {{\n"
            f"  const found = JSON.stringify({read});\n"
            f"  if (found !== {json.dumps(told)}) throw new Error(found);\n  return <p />;\n}}\n",
        )
        expected[f"{name}.tsx"] = statement

    for name, text in IMPORTED.items():
        write(name, text)
    for number, (statement, read, value) in enumerate(IMPORTS):
        show(f"I{number}", statement, read, value, f"i{number}")
    for number, (statement, read, value) in enumerate(EXPORTS):
        write(f"e{number}.ts", f"{statement}\nexport const own = 1;\n")
        show(f"U{number}", f"import * as x from './e{number}';", read, value, f"e{number}")
        expected[f"U{number}.tsx"] = statement
    for number, statement in enumerate(NOT_IMPORTED):
        write(f"N{number}.tsx", f"{statement}\nexport default () => <p />;\n")
    found = by_file(adopt(source, tmp_path / "site" / "content", context, dry_run=True))
    failed = {
        statement: [*map(str, found[name].problems), str(found[name].tried.render_problem)]
        for name, statement in expected.items()
        if not found[name].works or not found[name].tried.renders
    }
    assert not failed
    for number, (statement, what) in enumerate(NOT_IMPORTED.items()):
        told = found[f"N{number}.tsx"].problems
        column = statement.index("'") + 1
        assert any((one.line, one.column) == (1, column) and what in one.what for one in told)
        assert all(one.remedy for one in told)


@pytest.mark.postgres
def test_adopted_components_are_imported_placed_and_exported(
    project: Project, context: BuildContext, database: str, tmp_path: Path
) -> None:
    """A page shows two of them beside each other; an export gives the same bytes."""
    project.adopt()
    before = project.files()
    files = content.load(project.content)
    product: Json = {"id": "a", "name": "Apple", "price": 50, "origin": {"country": "DE"}}
    page = Page(
        key="home",
        name="Home",
        app="shop",
        route="/",
        layout="single-column",
        blocks=(
            Block(order=1, zone="main", component="product-list", props={"products": [product]}),
            Block(order=2, zone="main", component="cart-panel"),
        ),
    )
    placed = Content(
        components=files.components,
        pages=(page,),
        nodes=(NodeRow(id="one", name="One", enabled_apps=("shop",)),),
    )
    with psycopg.connect(database, autocommit=True) as connection:
        content.import_(connection, placed)
        report = build(
            Request(nodes=("one",), apps=("shop",)),
            context=context,
            connection=connection,
            site=Site(root=SiteRoot(tmp_path / "sites"), create=True),
            clock=lambda: NOW,
            progress=lambda _: None,
        )
        assert not report.problems
        again = content.export(content.stored(connection), project.content, tmp_path / "branding")
    assert [file for file in again.written if "components" in file.parts] == []
    assert {name: project.files()[name] for name in before} == before
    html = next((tmp_path / "sites").rglob("current/index.html")).read_text()
    assert "Apple" in html
    assert "0.50 EUR" in html
    assert "0<!-- --> in the cart" in html


def test_a_project_that_can_not_be_written_into_is_refused(
    project: Project, context: BuildContext, tmp_path: Path
) -> None:
    """The project's own content is no source, a broken record is named, and nothing is read or
    written through a symlink."""
    project.adopt()
    with pytest.raises(UsageError, match="did you mean hero"):
        project.adopt(theirs=["heroo"])
    with pytest.raises(UsageError, match="lie one in the other"):
        adopt(project.content.parent, project.content, context)
    shutil.rmtree(project.file("hero", ""))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(project.file("footer", ""), elsewhere)
    project.file("hero", "").symlink_to(elsewhere)
    with pytest.raises(ContentError, match="symlink that leads out"):
        project.adopt(theirs=["all"])
    project.file("hero", "").unlink()
    (project.content / RECORD).write_text('{"components": 1}')
    with pytest.raises(ContentError, match="take it back from git"):
        project.adopt()


def test_the_command_says_what_works_and_what_to_do(toolchain: Toolchain, tmp_path: Path) -> None:
    """Outside of a project only a dry run works, and leaves nothing; its JSON has each file."""
    assert toolchain.packages
    shell = Installation(home=tmp_path / "home", variables={"ROBBIEBLOCKS_HOME": ""})
    refused = shell.run("content", "adopt", APP / "src", cwd=tmp_path)
    assert refused.code == 2
    assert "robbieblocks new DIR" in refused.error
    tried = shell.run(
        "content", "adopt", APP / "src", "--dry-run", "--format", "json", cwd=tmp_path
    )
    assert tried.code == 1, tried.err
    told = json.loads(tried.out)
    assert {each["file"] for each in told["files"] if not each["builds"]} == FAULTS.keys()
    assert [(each["package"], each["place"]) for each in told["missing_packages"]] == [
        ("next/image", "src/pages/ArticlePage.tsx:1"),
        ("axios", "src/pages/ArticlePage.tsx:2"),
    ]
    assert told["page_stylesheets"] == ["styles/globals.css", "styles/print.css"]
    assert not list(tmp_path.iterdir())
    made = shell.run("new", "site", "--app", "shop", "--node", "a", cwd=tmp_path)
    assert made.code == 0, made.err
    done = shell.run("content", "adopt", APP / "src", cwd=tmp_path / "site")
    assert done.code == 1, done.err
    assert "28 of 31 files build; 15 of the 17 components among them render alone" in done.out
    assert "robbieblocks content import" in done.out
    assert "missing package axios: src/pages/ArticlePage.tsx:2" in done.out
    assert "left out (starts the app, which a page does): main.tsx" in done.out
