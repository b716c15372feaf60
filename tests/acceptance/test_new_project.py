"""A person makes a project, and follows its own README to two nodes in a real Chromium."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation, Ran, released
from tests.integration.test_review import git
from tests.unit.test_repository import shell_lines

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

APP = "shop"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project's folder, and a shell in it where nothing is set."""

    folder: Path
    shell: Installation

    def run(self, *words: str, below: str = "", **variables: str) -> Ran:
        """Run a command in the project, or in one of its folders, to its good end."""
        ran = self.shell.run(*words, cwd=self.folder / below, **variables)
        assert ran.code == 0, ran.err + ran.out
        return ran


@pytest.fixture
def project(
    toolchain: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project as `robbieblocks new` makes it."""
    assert toolchain
    for name in os.environ:
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    folder = tmp_path / "my site"
    # No variable names the home: the project's file does, by where it lies.
    home = folder / ".robbieblocks"
    shell = Installation(home=home, variables={"ROBBIEBLOCKS_HOME": ""})
    ran = shell.run("new", "my site", "--app", APP, "--node", "b", "--node", "a", cwd=tmp_path)
    assert ran.code == 0, ran.err
    told = [shlex.split(line) for line in ran.out.splitlines()[1:]]
    assert told == [["cd", "my site"], *shell_lines((folder / "README.md").read_text())[:3]]
    yield Project(folder=folder, shell=shell)
    released(home)


def test_the_readme_of_a_new_project_works_word_for_word(
    project: Project, context: BrowserContext
) -> None:
    """Its lines lead from nothing to the page on both nodes, and to a change of it; the page is
    silent, open to all and alive; there is no demo, and no second database."""
    readme = (project.folder / "README.md").read_text()
    *first, serve, diff, import_, check, build = shell_lines(readme)
    for line in first:
        project.run(*line[1:])
    assert "0 written" in project.run("content", "export").out
    with project.shell.running(*serve[1:], "--port", "0") as server:
        assert server.stdout is not None
        served = dict(server.stdout.readline().split() for _ in range(2))
        # Here any free ports, at a person's the two that the README names, in this order.
        addresses = re.findall(r"^- `(\w)`: http://127.0.0.1:(\d+)(\S+)", readme, re.MULTILINE)
        assert [node for node, _, _ in addresses] == list(served)
        assert [port for _, port, _ in addresses] == ["8000", "8001"]
        grounds = set()
        for node, _, route in addresses:
            assert served[node].endswith(route)
            page, noise = context.new_page(), Noise()
            noise.watch(page)
            page.goto(served[node])
            assert page.inner_text("h1") == "Hello from my site"
            page.get_by_role("button", name="Counted to 0").click()
            page.get_by_role("button", name="Counted to 1").wait_for()
            assert accessibility_violations(page) == []
            assert noise == Noise()
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == 2
        home = project.folder / "content" / "pages" / "home.toml"
        home.write_text(home.read_text().replace("Hello from", "Changed on"))
        assert "Changed on my site" in project.run(*diff[1:], below="content/pages").out
        project.run(*import_[1:], below="content/pages")
        assert project.run(*check[1:], below="templates").out == "0 errors, 0 warnings\n"
        project.run(*build[1:], below="templates")
        page = context.new_page()
        page.goto(served["a"])
        assert page.inner_text("h1") == "Changed on my site"
    assert [path.parent for path in project.folder.rglob(".robbieblocks")] == [project.folder]


def test_the_workflow_shows_a_pull_request_what_would_change(project: Project) -> None:
    """Its commands work in a fresh checkout, and the file's overlay of a template is used."""
    git(project.folder, "init")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-m", "one")
    git(project.folder, "commit", "--allow-empty", "-m", "two")
    (project.folder / "templates" / "layouts").mkdir()
    footer = project.folder / "templates" / "layouts" / "_footer.html.j2"
    footer.write_text('<footer id="mine"></footer>\n')
    workflow = (project.folder / ".github" / "workflows" / "preview.yml").read_text()
    assert "${{" not in "".join(re.findall(r"run: (.*)", workflow)), "others' texts would be code"
    lines = re.findall(r"- run: (robbieblocks .*)", workflow)
    event = project.folder.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12, "head": {"sha": "a" * 40}}}))
    said = {}
    for line in lines:
        words = shlex.split(line.partition(" >> ")[0].replace("$LINK", "https://a.example/"))
        said[line] = project.run(
            *words[1:], GITHUB_REPOSITORY="owner/site", GITHUB_EVENT_PATH=str(event)
        ).out
    assert [text for text in said.values() if text.startswith("### Pages")]
    comments = {text for line, text in said.items() if "preview-comment" in line}
    assert comments == {"there is no GITHUB_TOKEN: no comment is written\n"}
    for page in project.folder.glob(f"preview/*/**/{APP}/index.html"):
        assert 'id="mine"' in page.read_text()
    assert len(list(project.folder.glob(f"preview/*/**/{APP}/index.html"))) == 2
    state = json.loads(project.run("build", "--dry-run", "--format", "json").out)
    assert {run["node"] for run in state["runs"]} == {"a", "b"}
