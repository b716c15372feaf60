"""The action, and the examples for other forges: their own lines, in a scratch repository."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.content import start_project
from tests.forge_server import GitLabServer, serving_gitlab
from tests.github_server import REPOSITORY, TOKEN, GitHubServer, serving
from tests.integration.test_review import git
from tests.workflows import ARTIFACT, Job, fenced, parsed, programs

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs" / "how-to" / "preview.md"
ACTION = parsed((ROOT / "action.yml").read_text())
STARTER = ROOT / "robbieblocks/content/starter/files/dot-github/workflows/preview.yml"
HOME = "content/pages/home.toml"


@dataclass
class Checkout:
    """A clone on a branch that changes a page, as a forge's job finds it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def edit(self, old: str, new: str) -> str:
        """Commit a change of the first page; its commit."""
        page = self.folder / HOME
        page.write_text(page.read_text().replace(old, new))
        git(self.folder, "commit", "-am", "edited")
        return git(self.folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path, toolchain: object, warm_cache: Path) -> Checkout:
    assert toolchain
    folder = tmp_path / "clone" / "site"
    start_project(folder, "site", ["day"])
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    git(folder, "branch", "-f", "origin/main")
    made = Checkout(folder)
    made.environment = {
        **os.environ,
        "PATH": programs(tmp_path / "bin"),
        "ROBBIEBLOCKS_CACHE": str(warm_cache),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "7",
    }
    return made


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with serving(GitHubServer()) as server:
        yield server


def of_event(
    checkout: Checkout, github: GitHubServer, action: str, *, refused: str = "", **inputs: str
) -> Job:
    """A run of the action for an event of the request; `check` is another test's."""
    github.head = git(checkout.folder, "rev-parse", "HEAD")
    github.state = "closed" if action == "closed" else "open"
    event = {"action": action, "pull_request": {"number": 12, "head": {"sha": github.head}}}
    (checkout.folder.parent / "event.json").write_text(json.dumps(event))
    given = {name: each["default"] for name, each in ACTION["inputs"].items()}
    job = Job(
        checkout.folder,
        {
            **checkout.environment,
            "GITHUB_API_URL": github.api,
            "GITHUB_EVENT_PATH": str(checkout.folder.parent / "event.json"),
            "GITHUB_ACTION_PATH": str(ROOT),
        },
        {
            "github": {"event": event, "token": TOKEN},
            "inputs": {**given, "token": TOKEN, "check": "false", **inputs},
            "runner": {"os": "Linux", "arch": "X64"},
        },
        refused=refused,
    )
    job.follow(ACTION["runs"]["steps"])
    return job


def test_the_action_says_in_one_comment_what_a_request_changes(
    checkout: Checkout, github: GitHubServer
) -> None:
    """From the first commit to the closed request, with summary, artifact, plan and deployment."""
    checkout.edit("Hello from", "Welcome to")
    job = of_event(checkout, github, "opened", environment="preview")
    assert not job.failed, job.said
    (comment,) = github.ours
    assert comment.split("\n")[1].startswith("### Pages&#58; 1 changed")
    assert f"[the pages]({ARTIFACT})" in comment
    assert job.summary.startswith("### Pages&#58; 1 changed")
    plan = json.loads((checkout.folder / "preview" / "plan.json").read_text())
    outputs = {name: job.text(each["value"]) for name, each in ACTION["outputs"].items()}
    assert outputs == {"hash": plan["hash"], "changed": "true"}
    assert (checkout.folder / "preview" / "index.html").exists()
    statuses = [each["state"] for each in github.deployments[0]["statuses"]]
    assert statuses == ["in_progress", "success"]
    closed = of_event(checkout, github, "closed", environment="preview")
    assert "### The preview is removed" in github.ours[0]
    assert [name for name, _ in closed.used] == ["actions/setup-python@v5"]
    installed = (checkout.folder.parents[1] / "bin" / "stood-in.log").read_text()
    assert installed.count(f"--no-build-isolation {ROOT}\n") == 2


@pytest.mark.parametrize(
    ("against", "refused"), [("nowhere", ""), ("HEAD", "actions/cache"), ("HEAD", "actions/upload")]
)
def test_the_action_says_that_a_preview_failed(
    checkout: Checkout, github: GitHubServer, against: str, refused: str
) -> None:
    """At whichever step, in the comment that is there, which says else that it is being built."""
    github.written("<!-- robbieblocks-preview -->\n### Pages: 1 changed")
    job = of_event(checkout, github, "synchronize", refused=refused, against=against)
    assert job.failed
    assert re.match(r"### The preview of \w+ failed", github.ours[0].split("\n")[1])


@pytest.mark.parametrize(
    ("screenshots", "link", "asked"),
    [
        (
            "true",
            "https://x.example/ $(y)",
            ["--screenshots", "--pictures-url=https://x.example/ $(y)"],
        ),
        ("true", "", ["--screenshots"]),
        ("false", "https://p.example/", []),
    ],
)
def test_the_action_asks_for_pictures_where_the_input_does(
    tmp_path: Path, screenshots: str, link: str, asked: list[str]
) -> None:
    """With the address of the folder where there is one; no input's text is code."""
    inputs = {name: each["default"] for name, each in ACTION["inputs"].items()}
    given = {**inputs, "screenshots": screenshots, "link": link}
    job = Job(tmp_path, {}, {"inputs": given, "github": {"event": {"action": "opened"}}})
    (step,) = [each for each in ACTION["runs"]["steps"] if each.get("id") == "preview"]
    told = tmp_path / "told"
    stand_ins = f"robbieblocks() {{ printf '%s\\n' \"$@\" > {told}; }}; jq() {{ :; }}\n"
    environment = {name: job.text(value) for name, value in step["env"].items()}
    outputs = {"GITHUB_OUTPUT": "/dev/null", "GITHUB_STEP_SUMMARY": "/dev/null"}
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", stand_ins + step["run"]],
        env={"PATH": os.environ["PATH"], **environment, **outputs},
        check=True,
    )
    assert told.read_text().splitlines()[9:] == asked
    installs = [each for each in ACTION["runs"]["steps"] if "dev.lock" in each.get("run", "")]
    assert [job.value(each["if"]) for each in installs] == [screenshots == "true"]


def commands(job: Job, steps: list[dict[str, Any]]) -> list[list[str]]:
    """The commands of steps with what their variables stand for; empty options are left out."""
    found = []
    for step in steps:
        own = {name: job.text(value) for name, value in step.get("env", {}).items()}
        for line in step.get("run", "").splitlines():
            if line.startswith("robbieblocks "):
                words = shlex.split(line.partition(" >> ")[0])
                words = [own.get(word[1:], "") if word[0] == "$" else word for word in words]
                found.append([word for word in words if word not in ("--environment", "")])
    return found


def test_a_new_projects_workflow_does_what_the_action_does() -> None:
    """The same commands, each once, where all inputs are as they are by default."""
    job = Job(Path(), {}, {"inputs": {name: x["default"] for name, x in ACTION["inputs"].items()}})
    workflow = parsed(STARTER.read_text())
    steps = [step for each in workflow["jobs"].values() for step in each["steps"]]
    assert sorted(commands(job, steps)) == sorted(commands(job, ACTION["runs"]["steps"]))
    assert workflow["on"]["pull_request"]["types"][-1] == "closed"
    (failed,) = (step["if"] for step in steps if step.get("run", "").endswith("--state failed"))
    outcomes = [("success", False), ("failure", True), ("skipped", True), ("cancelled", True)]
    for outcome, said in outcomes:
        job.outputs = {"comment": {"outcome": outcome}}
        assert job.value(failed) == said


@pytest.mark.parametrize(
    "text", [".github/workflows/preview-by-action.yml", ".github/workflows/publish.yml"]
)
def test_the_examples_for_github_give_no_right_away(text: str, tmp_path: Path) -> None:
    """No event's text is code, and no token has more rights than its job needs."""
    file = tmp_path / text
    file.parent.mkdir(parents=True)
    file.write_text(fenced(HOW_TO, text))
    zizmor = Path(sys.executable).with_name("zizmor")
    configured = ("--offline", "--config", ROOT / ".github" / "zizmor.yml")
    done = subprocess.run([zizmor, *configured, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [step for each in parsed(file.read_text())["jobs"].values() for step in each["steps"]]
    inputs = [each["with"] for each in steps if "/robbieblocks@" in each.get("uses", "")]
    assert all(each.keys() <= ACTION["inputs"].keys() for each in inputs)


def on_gitlab(
    checkout: Checkout, server: GitLabServer, token: str, commit: str, base: str = ""
) -> int:
    """A job of a commit; its exit code."""
    job = parsed(fenced(HOW_TO, ".gitlab-ci.yml"))["preview"]
    lines = [*job["before_script"], *job["script"]]
    # Each job has a checkout of its own.
    git(checkout.folder, "clean", "-ffdx")
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=checkout.folder,
        env={
            **checkout.environment,
            "CI_API_V4_URL": server.api,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "12",
            "CI_COMMIT_SHORT_SHA": commit[:8],
            "CI_JOB_URL": "https://gitlab.example/jobs/1",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base
            or git(checkout.folder, "rev-parse", "origin/main"),
            "PREVIEW_TOKEN": token,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert base or done.returncode == 0, done.stdout + done.stderr
    return done.returncode


def test_on_gitlab_one_note_says_what_a_request_changes(checkout: Checkout) -> None:
    """It is made, found among many, and says that it is built, has failed, or changes nothing."""
    git(checkout.folder, "remote", "add", "origin", str(checkout.folder))
    with serving_gitlab(GitLabServer()) as server:
        for _ in range(101):
            server.note("<!-- robbieblocks-preview --> mine, says a stranger", author=9)
        on_gitlab(checkout, server, "", "a" * 40)
        on_gitlab(checkout, server, server.token, "b" * 40)
        assert server.own == []
        commit = checkout.edit("Hello from", "Welcome to")
        on_gitlab(checkout, server, server.token, commit)
        assert server.own[0].split("\n")[1].startswith("### Pages&#58; 1 changed")
        commit = checkout.edit("Welcome to", "Hello from")
        on_gitlab(checkout, server, server.token, commit)
        assert server.said[-2:] == [
            f"<!-- robbieblocks-preview --> The preview of {commit[:8]} is being built.",
            f"<!-- robbieblocks-preview --> With {commit[:8]} nothing changes for visitors.",
        ]
        assert on_gitlab(checkout, server, server.token, commit, base="f" * 40) == 1
        assert f"The preview of {commit[:8]} failed: https://gitlab.example" in server.own[0]
        assert len(server.own) == 1


def test_on_forgejo_the_same_command_says_it(checkout: Checkout, github: GitHubServer) -> None:
    """Its API is GitHub's in what is asked for."""
    github.prefix = "/api/v1"
    checkout.edit("Hello from", "Welcome to")
    github.head = git(checkout.folder, "rev-parse", "HEAD")
    job_of = parsed(fenced(HOW_TO, ".forgejo/workflows/preview.yml"))["jobs"]["preview"]
    for action in ("opened", "closed"):
        github.state = "closed" if action == "closed" else "open"
        request = {"number": 12, "head": {"sha": github.head}, "base": {"ref": "main"}}
        event = {"action": action, "pull_request": request}
        (checkout.folder.parent / "event.json").write_text(json.dumps(event))
        contexts = {
            "github": {"event": event, "server_url": github.api},
            "secrets": {"PREVIEW_TOKEN": TOKEN},
        }
        job = Job(checkout.folder, {}, contexts)
        own = {name: job.text(value) for name, value in job_of["env"].items()}
        path = str(checkout.folder.parent / "event.json")
        job.environment = {**checkout.environment, **own, "GITHUB_EVENT_PATH": path}
        job.follow(job_of["steps"])
        assert not job.failed, job.said
        (comment,) = github.ours
        expected = (
            "### Pages&#58; 1 changed" if action == "opened" else "### The preview is removed"
        )
        assert comment.split("\n")[1].startswith(expected)
