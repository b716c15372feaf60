"""Creates, updates or leaves the one comment, and the state of the deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from robbieblocks.pull_request.comments import Comment, State, body, comment_of, outdated
from robbieblocks.pull_request.github import GitHub, Refusal, patiently
from robbieblocks.pull_request.given import PullRequest

# As GitHub names them.
_DEPLOYED: Final[dict[State, str]] = {
    "building": "in_progress",
    "changed": "success",
    "unchanged": "success",
    "failed": "failure",
    "closed": "inactive",
}


def say(
    request: PullRequest,
    state: State,
    text: str = "",
    *,
    link: str = "",
    environment: str = "",
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Say it in the request's comment; returns in one sentence what was done.

    Only `changed` makes a comment, with `text`; everything else alters one that is there: nobody
    gets a mail about nothing. `link` shows the pages; `environment` is that of a deployment, which
    gets the request's number. Without a token, or with one of a fork that may only read, nothing is
    done. Raises UsageError where GitHub refuses, GitHubUnavailable where it does not answer.
    """
    if not request.token:
        return "there is no GITHUB_TOKEN: no comment is written"
    with GitHub(request.api, request.repository, request.token) as github:
        saying = _Saying(github, request, state, text, link, environment)
        return patiently(saying.once, sleep)


class _Saying:
    def __init__(
        self,
        github: GitHub,
        request: PullRequest,
        state: State,
        text: str,
        link: str,
        environment: str,
    ) -> None:
        self._github = github
        self._request = request
        self._state: State = state
        self._link = link
        self._environment = f"{environment}-{request.number}" if environment else ""
        self._body = body(request, state, text, link)

    def once(self) -> str:
        """All of it, from the beginning: whatever an earlier attempt has done is found."""
        pull = self._pull()
        passed_over = self._passed_over(pull)
        if passed_over:
            return passed_over
        try:
            done = self._comment()
            if self._environment:
                self._deploy()
        except Refusal as error:
            if error.status == 403 and _is_fork(pull):
                return "the token of a fork's pull request may only read: no comment is written"
            raise
        return done

    def _pull(self) -> Any:
        return self._github.get(f"/pulls/{self._request.number}")

    def _passed_over(self, pull: Any) -> str:
        """Why this run has nothing to say any more; empty where it has."""
        is_open = pull["state"] == "open"
        if self._state == "closed":
            return "the pull request is open again: its comment stays" if is_open else ""
        if not is_open:
            return "the pull request is closed: its comment stays"
        head = pull["head"]["sha"]
        if head != self._request.head:
            return f"commit {head[:7]} is newer: the comment is left to its run"
        return ""

    @cached_property
    def _author(self) -> str:
        return self._github.user()

    def _own(self) -> list[Comment]:
        """The comments that are ours, the oldest first: only one, but for a moment."""
        comments = self._github.every(f"/issues/{self._request.number}/comments")
        found = (
            comment_of(each["id"], each["body"] or "")
            for each in comments
            if each["user"] and each["user"]["login"] == self._author
        )
        return sorted((each for each in found if each), key=lambda each: each.id)

    def _comment(self) -> str:
        own = self._own()
        if not own:
            if self._state != "changed":
                return "there is no comment, and none is needed"
            self._github.post(f"/issues/{self._request.number}/comments", body=self._body)
            self._settle(self._own())
            return "the comment is made"
        newest = max(each.run for each in own)
        if self._request.run is not None and newest > self._request.run:
            return f"run {newest[0]} is newer: its comment stays"
        self._write(own[0], self._body)
        self._remove(own[1:])
        self._look_again()
        return "the comment is updated"

    def _settle(self, own: list[Comment]) -> None:
        """Two runs made one at the same moment: the first one stays, and says what the newer said.

        Whichever sees both does this, so that it comes out the same.
        """
        if own:
            newest = max(own, key=lambda each: (each.run, each.id))
            self._write(own[0], newest.body)
            self._remove(own[1:])
            self._look_again()

    def _look_again(self) -> None:
        """Take back what was written over a newer run's text since this one looked."""
        head = self._pull()["head"]["sha"]
        if self._state != "closed" and head != self._request.head:
            for each in self._own():
                if each.body == self._body:
                    self._write(each, outdated(self._request, head))

    def _write(self, comment: Comment, text: str) -> None:
        if comment.body != text:
            self._github.patch(f"/issues/comments/{comment.id}", body=text)

    def _remove(self, comments: list[Comment]) -> None:
        for each in comments:
            self._github.delete(f"/issues/comments/{each.id}")

    def _deploy(self) -> None:
        """Tell the deployment of this commit, or all of the request's where it is closed."""
        query: dict[str, str | int] = {"environment": self._environment}
        if self._state != "closed":
            query["sha"] = self._request.head
        found = self._github.every("/deployments", **query)
        if not found and self._state != "closed":
            made = self._github.post(
                "/deployments",
                ref=self._request.head,
                environment=self._environment,
                description="What the pull request changes for visitors",
                auto_merge=False,
                required_contexts=[],
                transient_environment=True,
                production_environment=False,
            )
            found = [made]
        for each in found:
            self._github.post(
                f"/deployments/{each['id']}/statuses",
                state=_DEPLOYED[self._state],
                environment_url=self._link,
                log_url=self._request.run_url,
                auto_inactive=True,
            )


def _is_fork(pull: Any) -> bool:
    # A fork that was deleted since has no repository.
    head = pull["head"]["repo"]
    return not head or bool(head["full_name"] != pull["base"]["repo"]["full_name"])
