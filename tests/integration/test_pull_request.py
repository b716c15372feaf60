"""The one comment of a pull request: its life against a server that speaks as GitHub does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from robbieblocks.errors import GitHubUnavailable, UsageError
from robbieblocks.pull_request import PullRequest, State, marked, say
from tests.commands import Installation
from tests.github_server import HEAD, NEWER, REPOSITORY, TOKEN, Answer, GitHubServer, serving

TEXT = marked("### Pages: 1 changed\n")
LINK = "https://pages.example/12/"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with serving(GitHubServer()) as server:
        yield server


def asked_of(github: GitHubServer, head: str = HEAD, run: int = 7) -> PullRequest:
    return PullRequest(
        api=github.api,
        repository=REPOSITORY,
        number=12,
        head=head,
        token=TOKEN,
        run=(run, 1),
        run_url=f"https://github.com/{REPOSITORY}/actions/runs/{run}",
    )


def no_pause(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s for a server that answers")


def test_one_comment_lives_through_a_request(github: GitHubServer) -> None:
    """Made once, altered from then on, beside those of people who quote it."""
    github.written(marked("I quote you"), login="somebody")
    for number in range(120):
        github.written(f"talk {number}", login="somebody")
    request = asked_of(github)
    said = []
    steps: list[tuple[State, str]] = [
        ("building", ""),
        ("changed", TEXT),
        ("building", ""),
        ("failed", ""),
        ("changed", TEXT + "more"),
        ("unchanged", ""),
    ]
    for state, text in steps:
        say(request, state, text, link=LINK, sleep=no_pause)
        said.append(github.ours[0].split("\n")[1] if github.ours else "")
        assert len(github.ours) <= 1
    github.state = "closed"
    say(request, "closed", sleep=no_pause)
    said.append(github.ours[0].split("\n")[1])
    assert said == [
        "",
        "### Pages: 1 changed",
        "### The preview of aaaaaaa is being built",
        "### The preview of aaaaaaa failed",
        "### Pages: 1 changed",
        "### With aaaaaaa nothing changes for visitors",
        "### The preview is removed",
    ]
    assert [each.partition(" ")[0] for each in github.writes] == ["POST", *["PATCH"] * 5]
    assert github.comments[0]["body"] == marked("I quote you")


def test_an_app_of_ones_own_finds_its_comment(github: GitHubServer) -> None:
    github.login = "previews[bot]"
    github.written(TEXT, login="github-actions[bot]")
    for text in (TEXT, TEXT + "more"):
        say(asked_of(github), "changed", text, sleep=no_pause)
    (left,) = github.ours
    assert "more" in left
    assert github.comments[0]["body"] == TEXT


def test_a_comment_links_the_pages_and_an_old_link_is_gone_at_once(github: GitHubServer) -> None:
    say(asked_of(github), "changed", TEXT, link=LINK, sleep=no_pause)
    assert f"[the pages]({LINK})" in github.ours[0]
    assert "/actions/runs/7" in github.ours[0]
    github.head = NEWER
    say(asked_of(github, NEWER, 8), "building", link=LINK, sleep=no_pause)
    assert LINK not in github.ours[0]


@pytest.mark.parametrize("state", ["building", "unchanged", "failed", "closed"])
def test_where_nothing_changes_nobody_gets_a_mail(github: GitHubServer, state: State) -> None:
    github.state = "closed" if state == "closed" else "open"
    assert say(asked_of(github), state, sleep=no_pause) == "there is no comment, and none is needed"
    assert github.writes == []


def test_a_run_of_an_older_commit_says_nothing(github: GitHubServer) -> None:
    github.head = NEWER
    assert "newer" in say(asked_of(github), "changed", TEXT, sleep=no_pause)
    say(asked_of(github, NEWER, 9), "changed", TEXT, sleep=no_pause)
    assert "run 9 is newer" in say(asked_of(github, NEWER, 8), "building", sleep=no_pause)
    assert len(github.writes) == 1


def test_what_an_older_run_wrote_at_the_same_moment_is_taken_back(github: GitHubServer) -> None:
    say(asked_of(github), "changed", TEXT, sleep=no_pause)

    def pushed() -> None:
        github.head = NEWER

    github.hooks["PATCH one"] = pushed
    say(asked_of(github, run=8), "changed", TEXT + "of the older commit", sleep=no_pause)
    assert "out of date" in github.ours[0]
    assert "of the older commit" not in github.ours[0]
    say(asked_of(github, NEWER, 9), "changed", TEXT, sleep=no_pause)
    assert "### Pages: 1 changed" in github.ours[0]


@pytest.mark.parametrize("first", [7, 8])
def test_two_runs_that_both_find_none_leave_one_of_the_newer(
    github: GitHubServer, first: int
) -> None:
    """Between looking and writing, the other run has written: whichever is the newer one."""
    other = GitHubServer()
    with serving(other):
        say(asked_of(other, run=15 - first), "changed", marked("the other"), sleep=no_pause)

    def beside() -> None:
        del github.hooks["POST comments"]
        github.written(other.ours[0])

    github.hooks["POST comments"] = beside
    say(asked_of(github, run=first), "changed", marked("this one"), sleep=no_pause)
    (left,) = github.ours
    assert ("this one" in left) == (first == 8)


def test_many_runs_at_once_leave_one_comment_of_the_newest(github: GitHubServer) -> None:
    runs = [
        threading.Thread(
            target=say,
            args=(asked_of(github, run=number), "changed", marked(f"run {number}")),
            kwargs={"sleep": lambda _: None},
        )
        for number in range(1, 6)
    ]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    say(asked_of(github, run=6), "changed", marked("run 6"))
    (left,) = github.ours
    assert left.split("\n")[1] == "run 6"


@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        (Answer(429, headers={"Retry-After": "17"}), [17.0]),
        (Answer(403, "You have exceeded a secondary rate limit", {"Retry-After": "9"}), [9.0]),
        (Answer(403, "You have exceeded a secondary rate limit"), [60.0]),
        (Answer(403, "API rate limit exceeded", GitHubServer().limit_at(42)), [42.0]),
    ],
    ids=["too-many", "secondary", "secondary-without-time", "primary"],
)
def test_a_limit_is_waited_for(github: GitHubServer, answer: Answer, pauses: list[float]) -> None:
    github.faults["POST comments"] = [answer]
    waited: list[float] = []
    say(asked_of(github), "changed", TEXT, sleep=waited.append)
    assert waited == pauses
    assert len(github.ours) == 1


def test_a_limit_that_lasts_too_long_is_told_at_once(github: GitHubServer) -> None:
    github.faults["GET 12"] = github.faults["GET one"] = [
        Answer(403, "API rate limit exceeded", github.limit_at(3_000))
    ]
    with pytest.raises(GitHubUnavailable, match="asks to wait 3,000 s"):
        say(asked_of(github), "changed", TEXT, sleep=no_pause)


@pytest.mark.parametrize("answer", [Answer(502), Answer(0)], ids=["5xx", "lost"])
@pytest.mark.parametrize("after", [False, True], ids=["not-done", "done"])
def test_a_lost_answer_makes_no_second_comment(
    github: GitHubServer, answer: Answer, after: bool
) -> None:
    """Whether or not the comment was made, the next attempt looks first."""
    github.faults["POST comments"] = [replace(answer, after=after)]
    waited: list[float] = []
    say(asked_of(github), "changed", TEXT, sleep=waited.append)
    assert len(waited) == 1
    assert len(github.ours) == 1


def test_a_server_that_only_fails_is_given_up(github: GitHubServer) -> None:
    github.faults["GET one"] = [Answer(500)] * 20
    waited: list[float] = []
    with pytest.raises(GitHubUnavailable, match="has failed: GET /repos/owner/site/pulls/12: 500"):
        say(asked_of(github), "changed", TEXT, sleep=waited.append)
    assert len(waited) == 7


def test_a_comment_that_somebody_removes_meanwhile_is_made_anew(github: GitHubServer) -> None:
    say(asked_of(github), "changed", TEXT)
    github.hooks["PATCH one"] = github.comments.clear
    say(asked_of(github), "changed", TEXT + "more", sleep=lambda _: None)
    assert len(github.ours) == 1


def test_a_comment_over_the_limit_is_cut_and_says_so(github: GitHubServer) -> None:
    say(asked_of(github), "changed", marked("a line\n" * 20_000), link=LINK, sleep=no_pause)
    (left,) = github.ours
    assert 60_000 < len(left) <= 65_536
    assert "lines left out**: a comment holds 65,536 characters" in left.split("\n")[1]
    assert LINK in left


def test_a_fork_gets_the_summary_alone(github: GitHubServer) -> None:
    """It has a token that may only read, or none; anyone else's lack of rights is a fault."""
    github.faults["POST comments"] = [Answer(403, "Resource not accessible by integration")] * 2
    with pytest.raises(UsageError, match="pull-requests: write"):
        say(asked_of(github), "changed", TEXT, sleep=no_pause)
    github.head_repository = "stranger/site"
    assert "fork" in say(asked_of(github), "changed", TEXT, sleep=no_pause)
    asked = len(github.asked)
    assert "no GITHUB_TOKEN" in say(replace(asked_of(github), token=""), "changed", TEXT)
    assert len(github.asked) == asked


def test_a_closed_request_keeps_its_last_word(github: GitHubServer) -> None:
    """A run that ends late does not bring the preview back; a reopened one keeps its own."""
    say(asked_of(github), "changed", TEXT)
    github.state = "closed"
    say(asked_of(github), "closed")
    assert "closed" in say(asked_of(github, run=8), "changed", TEXT)
    assert "### The preview is removed" in github.ours[0]
    github.state = "open"
    say(asked_of(github, run=9), "changed", TEXT)
    assert "open again" in say(asked_of(github, run=8), "closed")
    assert "### Pages" in github.ours[0]


def test_a_deployment_follows_the_preview(github: GitHubServer) -> None:
    """One a commit, whatever is tried again; all of them end with the request."""
    request = asked_of(github)
    github.faults["POST deployments"] = [Answer(502, after=True)]
    say(request, "building", environment="preview", sleep=lambda _: None)
    say(request, "changed", TEXT, link=LINK, environment="preview")
    github.head = NEWER
    say(asked_of(github, NEWER, 8), "failed", environment="preview")
    github.state = "closed"
    say(asked_of(github, NEWER, 9), "closed", environment="preview")
    states = [
        (each["environment"], each["sha"], [status["state"] for status in each["statuses"]])
        for each in github.deployments
    ]
    assert states == [
        ("preview-12", HEAD, ["in_progress", "success", "inactive"]),
        ("preview-12", NEWER, ["failure", "inactive"]),
    ]
    assert github.deployments[0]["statuses"][1]["environment_url"] == LINK


def event(folder: Path) -> Path:
    file = folder / "event.json"
    file.write_text(json.dumps({"pull_request": {"number": 12, "head": {"sha": HEAD}}}))
    return file


def test_the_command_takes_all_from_github_actions(github: GitHubServer, tmp_path: Path) -> None:
    """The event, the token and the run; the token is in nothing that is printed."""
    installation = Installation(
        home=tmp_path / "home",
        variables={
            "GITHUB_API_URL": github.api,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(event(tmp_path)),
            "GITHUB_RUN_ID": "7",
            "GITHUB_TOKEN": TOKEN,
        },
    )
    comment = tmp_path / "comment.md"
    comment.write_text(TEXT)
    made = installation.run("preview-comment", str(comment), "--link", LINK)
    assert (made.code, made.out) == (0, "the comment is made\n")
    comment.write_text("")
    assert installation.run("preview-comment", str(comment)).out == "the comment is updated\n"
    assert "nothing changes" in github.ours[0]
    wrong = replace(installation, variables={**installation.variables, "GITHUB_TOKEN": "ghs_other"})
    refused = wrong.run("preview-comment", str(comment))
    assert refused.code == 2
    assert "401 Bad credentials" in refused.error
    assert not any(text in refused.err for text in (TOKEN, "ghs_other"))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"GITHUB_REPOSITORY": "a/b/../c"}, "no repository"),
        ({"GITHUB_REPOSITORY": ""}, "no repository is named"),
        ({"GITHUB_API_URL": "http://forge.example"}, "GITHUB_API_URL"),
        ({"GITHUB_TOKEN": "one\r\ntwo-secret"}, "GITHUB_TOKEN holds"),
        ({"GITHUB_EVENT_PATH": "/nowhere/event.json"}, "GITHUB_EVENT_PATH"),
        ({"GITHUB_EVENT_PATH": ""}, "no pull request is named"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    given = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_EVENT_PATH": str(event(tmp_path))}
    with pytest.raises(UsageError, match=said) as caught:
        PullRequest.given({**given, **variables})
    assert "two-secret" not in str(caught.value)
    assert TOKEN not in repr(PullRequest.given({**given, "GITHUB_TOKEN": TOKEN}))
