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
from robbieblocks.content import Block, Content, Page
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
