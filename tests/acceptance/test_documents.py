"""The documents for people who make pages do what they say, word for word."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.commands import Installation, released
from tests.documents import Reader, Step, steps

pytestmark = [pytest.mark.postgres]

DOCS = Path(__file__).resolve().parents[2] / "docs"
# This one begins with a database that has content.
HOW_TO = sorted({*(DOCS / "how-to").iterdir()} - {DOCS / "how-to" / "existing-database.md"})
# The components of a new project, which its first page shows.
OWN = ("welcome",)
BLOCK = '[[blocks]]\norder = {order}\nzone = "main"\ncomponent = "{component}"\n'
PAGE = 'name = "Example"\napp = "shop"\nroute = "/shop/{name}/"\nlayout = "single-column"\n'


@pytest.fixture
def shell(toolchain: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A shell in which nothing is set: the project's file names the home, by where it lies."""
    assert toolchain
    for name in os.environ:
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    variables = {"ROBBIEBLOCKS_HOME": "", "ROBBIEBLOCKS_HEALTH": "off"}
    return Installation(home=tmp_path / "bakery" / ".robbieblocks", variables=variables)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the projects of this module compile."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(
    shell: Installation, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Reader:
    """Someone in a new project. Its database is for the test to name."""
    monkeypatch.setenv("ROBBIEBLOCKS_CACHE", str(cache))
    made = shell.run(
        "new", "bakery", "--app", "shop", "--node", "day", "--node", "night", cwd=tmp_path
    )
    assert made.code == 0, made
    return Reader(folder=tmp_path / "bakery", shell=shell, running=ExitStack())


@pytest.fixture
def imported(project: Reader, database: str, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Someone in a new project whose files are in its database, and nowhere live."""
    monkeypatch.setenv("ROBBIEBLOCKS_DATABASE_URL", database)
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE robbieblocks_style_tokens, robbieblocks_node_branding")
    project.follow(Step("sh", (), {}, "robbieblocks content import"))
    return project


def test_the_tutorial_leads_from_nothing_to_a_site_on_two_nodes(
    shell: Installation, tmp_path: Path
) -> None:
    """Each command and file of docs/tutorial.md, in order."""
    with ExitStack() as running:
        reader = Reader(folder=tmp_path, shell=shell, running=running)
        for step in steps(DOCS / "tutorial.md"):
            reader.follow(step)
    released(shell.home)


@pytest.mark.parametrize("document", HOW_TO, ids=lambda path: path.stem)
def test_each_how_to_page_works_in_a_new_project(document: Path, imported: Reader) -> None:
    """Its commands and files, in order."""
    for step in steps(document):
        imported.follow(step)


def test_an_existing_database_is_brought_along(
    project: Reader, seeded_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/how-to/existing-database.md says."""
    monkeypatch.setenv("ROBBIEBLOCKS_DATABASE_URL", seeded_database)
    for step in steps(DOCS / "how-to" / "existing-database.md"):
        project.follow(step)


def test_every_example_of_the_authoring_reference_is_built(imported: Reader) -> None:
    """Its components are placed and rendered, its pages and parts of pages built, on both nodes,
    without an error or a warning."""
    content = imported.folder / "content"
    pages: list[str] = []
    blocks: list[str] = []
    for step in steps(DOCS / "authoring.md"):
        if "file" in step.values:
            imported.write(step)
        elif step.words == ("page",):
            block = BLOCK.format(order=1, component="greeting")
            pages.append(f"{step.text}\n{block}")
        elif step.words == ("block",):
            blocks.append(step.text)
        else:
            assert step.words == ("tokens",), step
            with (content / "tokens.toml").open("a") as tokens:
                tokens.write(step.text)
    for folder in (content / "components").iterdir():
        described = folder / "component.toml"
        if not described.exists():
            described.write_text('name = "Example"\ntype = "content"\n')
        if 'type = "module"' not in described.read_text() and folder.name not in OWN:
            blocks.append(f'component = "{folder.name}"\n')
    shown = [
        BLOCK.format(order=order, component="greeting") + part
        if not part.startswith("component")
        else f'[[blocks]]\norder = {order}\nzone = "main"\n{part}'
        for order, part in enumerate(blocks, 1)
    ]
    for name, text in {"all": "".join(shown), **{f"p{i}": p for i, p in enumerate(pages)}}.items():
        (content / "pages" / f"{name}.toml").write_text(PAGE.format(name=name) + text)
    imported.follow(Step("sh", (), {}, "robbieblocks content import"))
    imported.follow(
        Step("sh", (), {}, "robbieblocks build --dry-run --out preview --format json --strict")
    )
    report = json.loads(imported.last.out)
    assert [problem for run in report["runs"] for problem in run["problems"]] == []
    assert sum(len(run["pages"]) for run in report["runs"]) == 2 * (len(pages) + 6)
    made = "".join(page.read_text() for page in imported.folder.glob("preview/**/*.html"))
    assert ".bg-surface{" in made


def test_what_the_reference_documents_show_works(
    imported: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files are taken, and their commands end well; without a token a comment is not sent."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12, "head": {"sha": "0" * 40}}}))
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.setenv("GITHUB_REPOSITORY", "bakery/site")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    for command in (["init", "--initial-branch=main"], ["add", "."], ["commit", "-m", "New"]):
        name = ["-c", "user.name=Somebody", "-c", "user.email=somebody@shop.example"]
        subprocess.run(["git", *name, *command], cwd=imported.folder, check=True)

    def shown(document: str, language: str) -> list[str]:
        return [
            step.text
            for step in steps(DOCS / f"{document}.md")
            # Pictures need a browser: they have tests of their own.
            if step.language.startswith(language) and "--screenshots" not in step.text
        ]

    content = imported.folder / "content"
    example, block = shown("content", "toml")
    (page,) = shown("content", "markdown")
    (content / "components/welcome/examples/wide.toml").write_text(example)
    (content / "pages/story.toml").write_text(PAGE.format(name="story") + block)
    (content / "pages/our-story.md").write_text("# Our story\n")
    (content / "pages/about.md").write_text(page.replace("site", "shop"))
    (aliases,) = shown("tokens", "toml")
    tokens = content / "tokens.toml"
    keys = tuple(re.findall(r'^".+?"', aliases, re.MULTILINE))
    kept = [line for line in tokens.read_text().splitlines() if not line.startswith(keys)]
    tokens.write_text("\n".join(kept) + "\n" + aliases)
    (tmp_path / "app/src").mkdir(parents=True)
    (tmp_path / "app/src/Hello.tsx").write_text("export default () => <p>Hello</p>;\n")
    for document in ("content", "tokens", "preview", "adopt"):
        for text in ("robbieblocks content import\nrobbieblocks check\n", *shown(document, "sh")):
            imported.follow(Step("sh", (), {}, text))
    assert (imported.folder / "preview/index.html").exists()
