"""A person makes a project, and follows its own README to two nodes in a real Chromium."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation, Ran, released
from tests.integration.test_review import git
from tests.unit.test_repository import shell_lines
from tests.workflows import Job, fenced, parsed, programs

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

APP = "shop"
HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "preview.md"


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
            # Modules are asked for once the page is painted: `load` does not wait for them.
            page.goto(served[node], wait_until="networkidle")
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
    workflow = parsed((project.folder / ".github" / "workflows" / "preview.yml").read_text())
    event = {"action": "opened", "pull_request": {"number": 12, "head": {"sha": "a" * 40}}}
    job = job_of(project, {"event": event})
    job.follow(workflow["jobs"]["preview"]["steps"])
    assert not job.failed, job.said
    assert job.summary.startswith("### Pages")
    assert job.said.count("there is no GITHUB_TOKEN: no comment is written\n") == 2
    assert "0 errors, 0 warnings" in job.said[-1]
    made = list(project.folder.glob(f"preview/after/*/{APP}/index.html"))
    assert len(made) == 2
    assert all('id="mine"' in page.read_text() for page in made)
    state = json.loads(project.run("build", "--dry-run", "--format", "json").out)
    assert {run["node"] for run in state["runs"]} == {"a", "b"}


def job_of(project: Project, github: dict[str, object]) -> Job:
    """A job of a workflow in the project's folder."""
    aside = project.folder.parent / "job"
    aside.mkdir(exist_ok=True)
    if not (aside / "bin").exists():
        programs(aside / "bin")
    event = aside / "event.json"
    event.write_text(json.dumps(github.get("event", {})))
    environment = {
        **project.shell.environment,
        "PATH": f"{aside / 'bin'}:{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "owner/site",
        "GITHUB_EVENT_PATH": str(event),
    }
    return Job(project.folder, environment, {"github": github, "runner": {}})


# Gives the artifact of that name; a number wherever one is asked for.
_GH = """#!/bin/sh
[ "$2" = download ] || { echo 1; exit; }
mkdir -p "$7" && cp "$ARTIFACTS/$5/plan.json" "$7"
"""


def test_a_merge_queue_publishes_what_was_reviewed_or_nothing(project: Project) -> None:
    """The plan of the last preview goes out; none does once another change came before."""
    home = project.folder / "content" / "pages" / "home.toml"
    jobs = parsed(fenced(HOW_TO, ".github/workflows/publish.yml"))["jobs"]
    artifacts = project.folder.parent / "artifacts"

    def edit(old: str, new: str) -> None:
        home.write_text(home.read_text().replace(old, new))
        git(project.folder, "commit", "-am", new)

    def job(name: str) -> Job:
        git(project.folder, "clean", "-fdx", "--exclude", ".robbieblocks")
        queued = {"head_ref": f"refs/heads/gh-readonly-queue/main/pr-12-{'a' * 40}"}
        made = job_of(project, {"event": {"merge_group": queued}})
        (project.folder.parent / "job" / "bin" / "gh").write_text(_GH)
        (project.folder.parent / "job" / "bin" / "gh").chmod(0o755)
        made.environment = {
            **made.environment,
            **{key: made.text(value) for key, value in jobs[name]["env"].items()},
            "ARTIFACTS": str(artifacts),
        }
        made.follow(jobs[name]["steps"])
        return made

    def live() -> str:
        (page,) = project.folder.glob(f".robbieblocks/site/a/{APP}/current/{APP}/index.html")
        return page.read_text()

    git(project.folder, "init")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-m", "one")
    project.run("content", "import")
    project.run("build")
    edit("Hello from", "Welcome to")
    project.run("preview", "--against", "HEAD^1", "--out", str(artifacts / "preview"))
    assert not (reviewed := job("reviewed")).failed, reviewed.said
    shutil.move(project.folder / "preview", artifacts / "plan")
    # Another change was merged and published before: the queue has it below this one.
    git(project.folder, "reset", "--hard", "HEAD^1")
    edit('title = "', 'title = "Another ')
    project.run("content", "import")
    project.run("build")
    edit("Hello from", "Welcome to")
    assert job("reviewed").failed
    before = live()
    refused = job("publish")
    assert refused.failed
    assert "no plan of this build has the hash" in refused.said[-1]
    assert live() == before
    # Without it, what was reviewed goes out.
    git(project.folder, "reset", "--hard", "HEAD~2")
    project.run("content", "import")
    project.run("build")
    edit("Hello from", "Welcome to")
    assert not (published := job("publish")).failed, published.said
    assert "Welcome to" in live()
