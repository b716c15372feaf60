"""`robbieblocks preview-comment`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from robbieblocks.cli.output import print_result
from robbieblocks.cli.previewing.addresses import check_address
from robbieblocks.errors import UsageError
from robbieblocks.file_reading import read_file
from robbieblocks.pull_request import PullRequest, State, say


def run(
    file: Path | None,
    state: State | None,
    given: Callable[[Mapping[str, str]], PullRequest],
    *,
    link: str,
    environment: str,
) -> None:
    """Post, alter or leave the comment, and print what was done."""
    check_address("--link", link)
    text = ""
    if file is not None and state is None:
        text = _read(file)
        state = "changed" if text.strip() else "unchanged"
    elif file is not None or state is None:
        raise UsageError("give a file that preview --comment-file wrote, or --state; one of them")
    request = given(os.environ)
    print_result(say(request, state, text, link=link, environment=environment))


def _read(file: Path) -> str:
    try:
        return read_file(file, file.parent).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"{file} can't be read: {why}\n  -> write it with robbieblocks preview --comment-file"
        ) from error
