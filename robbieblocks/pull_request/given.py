"""Which pull request is meant, and the run that speaks: from options, then from GitHub Actions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from robbieblocks.errors import UsageError
from robbieblocks.file_reading import read_file
from robbieblocks.messages import printable

_REPOSITORY: Final = re.compile(r"(?!.*\.\.)[\w.-]+/[\w.-]+", re.ASCII)
_HEAD: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Without TLS only to this machine: the token goes along.
_API: Final = re.compile(r"https://\S+|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/\S*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request, as the commit `head` left it, and who speaks of it.

    `run` is the number and the attempt of the run of GitHub Actions, `run_url` its page; None and
    empty outside of one. Of two runs that of the greater number is the newer.
    """

    api: str
    repository: str
    number: int
    head: str
    token: str = field(repr=False)
    run: tuple[int, int] | None = None
    run_url: str = ""

    @classmethod
    def given(
        cls,
        environment: Mapping[str, str],
        *,
        repository: str | None = None,
        number: int | None = None,
        head: str | None = None,
    ) -> PullRequest:
        """What options and the environment say; an empty `token` where there is none.

        Raises UsageError where something is missing, or is not what it should be.
        """
        repository = repository or environment.get("GITHUB_REPOSITORY", "")
        event_number, event_head = _event(environment)
        number = number or event_number
        head = head or event_head
        api = environment.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        token = environment.get("GITHUB_TOKEN", "").strip()
        if not _REPOSITORY.fullmatch(repository):
            raise _missing("repository", repository, "--repository OWNER/NAME")
        if number < 1:
            raise _missing("pull request", str(number or ""), "--pull-request NUMBER")
        if not _HEAD.fullmatch(head):
            raise _missing("commit", head, "--head with the whole name of its last commit")
        if not _API.fullmatch(api):
            raise UsageError(
                f"GITHUB_API_URL is no address of an API: {printable(api)}\n"
                "  -> set it to an https address, such as https://api.github.com"
            )
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise UsageError(
                "GITHUB_TOKEN holds what no token has: spaces, line ends or other signs\n"
                "  -> set it to the token alone"
            )
        run, run_url = _run(environment, repository)
        return cls(
            api=api,
            repository=repository,
            number=number,
            head=head,
            token=token,
            run=run,
            run_url=run_url,
        )


def _missing(what: str, found: str, remedy: str) -> UsageError:
    said = f"{printable(found)} is no {what}" if found else f"no {what} is named"
    return UsageError(
        f"{said}\n  -> give {remedy}; in GitHub Actions the event pull_request names it"
    )


def _event(environment: Mapping[str, str]) -> tuple[int, str]:
    """Request and last commit of the event of GitHub Actions; 0 and empty outside of one."""
    name = environment.get("GITHUB_EVENT_PATH")
    if not name:
        return 0, ""
    path = Path(name)
    try:
        event: Any = json.loads(read_file(path, path.parent))
        pull: Any = event.get("pull_request")
        return (int(pull["number"]), str(pull["head"]["sha"])) if pull else (0, "")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(
            f"GITHUB_EVENT_PATH names {printable(name)}, which can't be read: {error}\n"
            "  -> unset it, and name the pull request with --pull-request and --head"
        ) from error


def _run(environment: Mapping[str, str], repository: str) -> tuple[tuple[int, int] | None, str]:
    number = environment.get("GITHUB_RUN_ID", "")
    attempt = environment.get("GITHUB_RUN_ATTEMPT", "1")
    if not (number.isdecimal() and attempt.isdecimal()):
        return None, ""
    server = environment.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    return (int(number), int(attempt)), f"{server}/{repository}/actions/runs/{number}"
