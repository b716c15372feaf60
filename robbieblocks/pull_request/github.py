"""Requests to GitHub's REST API: what is tried again, what is refused, and how that is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from robbieblocks.errors import GitHubUnavailable, UsageError
from robbieblocks.messages import printable

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

_TIMEOUT_S: Final = 30.0
_ATTEMPTS: Final = 8
# In all. A limit that lasts longer is told at once.
_PATIENCE_S: Final = 300.0
# What GitHub's documentation asks for where a limit on many requests at once names no time.
_PAUSE_S: Final = 60.0


class Unanswered(GitHubUnavailable):
    """No answer, or none yet; `wait_s` is how long GitHub asks to wait."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(f"GitHub {message}\n  -> try again later")
        self.wait_s = wait_s


class Refusal(UsageError):
    """GitHub's answer is no, and will be no again."""

    def __init__(self, asked: str, status: int, reason: str) -> None:
        super().__init__(
            f"GitHub refused {asked}: {status}{f' {printable(reason)}' if reason else ''}\n"
            f"  -> {_REMEDIES.get(status, 'correct what it names')}"
        )
        self.status = status


_REMEDIES: Final = {
    401: "set GITHUB_TOKEN to a token that is valid",
    403: "give the token the rights `pull-requests: write` and, with --environment, "
    "`deployments: write`",
    404: "check the repository and the number of the pull request, and that the token may see them",
    422: "check the commit and the texts that were given",
}


class GitHub:
    """A connection to the API, by which the requests of one repository go."""

    def __init__(self, api: str, repository: str, token: str) -> None:
        # It takes 100 ms to import, and only this command needs it.
        import httpx

        self._repository = f"/repos/{repository}"
        self._graphql = f"{api.removesuffix('/v3')}/graphql"
        self._client = httpx.Client(
            base_url=api,
            timeout=_TIMEOUT_S,
            follow_redirects=True,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "User-Agent": "robbieblocks",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def user(self) -> str:
        """The name under which the token writes."""
        try:
            return str(self._call("GET", "/user")["login"])
        except Refusal as error:
            if error.status != 403:
                raise
        # The token of an app is no person's: only GraphQL tells whose it is.
        answer = self._call("POST", self._graphql, values={"query": "{viewer{login}}"})
        try:
            return str(answer["data"]["viewer"]["login"])
        except (LookupError, TypeError):
            return "github-actions[bot]"

    def get(self, path: str, **query: str | int) -> Any:
        """What is at a path of the repository."""
        return self._call("GET", self._repository + path, query=query)

    def every(self, path: str, **query: str | int) -> list[Any]:
        """All pages of a list."""
        found: list[Any] = []
        number = 1
        while page := self.get(path, **query, per_page=100, page=number):
            # A server that knows no pages would send the same for ever.
            if page[0] in found:
                break
            found += page
            if len(page) < 100:
                break
            number += 1
        return found

    def post(self, path: str, **values: object) -> Any:
        """Make something; after a lost answer it may be there."""
        return self._call("POST", self._repository + path, values=values)

    def patch(self, path: str, **values: object) -> None:
        """Alter what is at a path; Unanswered where it is not there any more."""
        try:
            self._call("PATCH", self._repository + path, values=values)
        except Refusal as error:
            if error.status == 404:
                raise Unanswered("has lost what was to be altered: somebody removed it") from error
            raise

    def delete(self, path: str) -> None:
        """Remove what is at a path; somebody else may have done so."""
        try:
            self._call("DELETE", self._repository + path)
        except Refusal as error:
            if error.status != 404:
                raise

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str | int] | None = None,
        values: dict[str, object] | None = None,
    ) -> Any:
        import httpx

        asked = f"{method} {path}"
        try:
            response = self._client.request(method, path, params=query or None, json=values)
            answer: Any = json.loads(response.content) if response.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise Unanswered(f"can't be reached: {asked}: {type(error).__name__}") from error
        if response.is_success:
            return answer
        reason = _reason(answer)
        wait_s = _wait_s(response, reason)
        if wait_s is not None:
            raise Unanswered(f"asks to wait {wait_s:,.0f} s before {asked}", wait_s)
        if response.status_code >= 500:
            raise Unanswered(f"has failed: {asked}: {response.status_code}")
        raise Refusal(asked, response.status_code, reason)


def _reason(answer: Any) -> str:
    try:
        return str(answer["message"])
    except (LookupError, TypeError):
        return ""


def patiently(act: Callable[[], str], sleep: Callable[[float], None]) -> str:
    """Do it until GitHub has answered all its requests, for at most five minutes.

    All of it is done again: after a lost answer what was asked for may be done or not. Raises
    GitHubUnavailable in the end.
    """
    from tenacity import (
        Retrying,
        retry_if_exception_type,
        stop_after_attempt,
        stop_before_delay,
        wait_exponential_jitter,
    )

    doubling = wait_exponential_jitter(initial=1, max=30)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, Unanswered) else None
        return doubling(state) if asked is None else asked

    return Retrying(
        sleep=sleep,
        stop=stop_after_attempt(_ATTEMPTS) | stop_before_delay(_PATIENCE_S),
        wait=wait,
        retry=retry_if_exception_type(Unanswered),
        reraise=True,
    )(act)


def _wait_s(response: httpx.Response, reason: str) -> float | None:
    """How long a limit lasts; None where the answer is not one of a limit."""
    if response.status_code not in (403, 429, 503):
        return None
    after = response.headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        # By its own clock: that of this machine may be wrong.
        now = response.headers.get("date", "")
        if reset.isdecimal() and now:
            try:
                return max(1.0, float(reset) - parsedate_to_datetime(now).timestamp())
            except ValueError:
                return _PAUSE_S
        return _PAUSE_S
    limited = response.status_code == 429 or "rate limit" in reason.lower()
    return _PAUSE_S if limited else None
