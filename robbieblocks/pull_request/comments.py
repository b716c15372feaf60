"""The texts of the comment, and the hidden marker by which it is found again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from robbieblocks.messages import counted
from robbieblocks.pull_request.given import PullRequest

# What GitHub takes as one comment, in characters; others take more.
MOST_CHARACTERS: Final = 65_536
State = Literal["building", "changed", "unchanged", "failed", "closed"]
_NAME: Final = "robbieblocks-preview"
_MARKER: Final = re.compile(
    rf"<!-- {_NAME}(?: head=([0-9a-f]+) run=(\d{{1,20}})\.(\d{{1,9}}))? -->\n?"
)


@dataclass(frozen=True, slots=True)
class Comment:
    """One of ours, and the run that wrote it last; (0, 0) where none did."""

    id: int
    body: str
    run: tuple[int, int]


def marked(text: str) -> str:
    """The text with the hidden marker, by which its comment is found."""
    return f"<!-- {_NAME} -->\n{text}"


def comment_of(id_: int, text: str) -> Comment | None:
    """A comment that begins with the marker; None for any other."""
    found = _MARKER.match(text.lstrip())
    if found is None:
        return None
    return Comment(
        id_, text.replace("\r\n", "\n").strip(), (int(found[2] or 0), int(found[3] or 0))
    )


def body(request: PullRequest, state: State, text: str = "", link: str = "") -> str:
    """What the comment says in a state; `text` is what `changed` says, `link` shows the pages."""
    number, attempt = request.run or (0, 0)
    marker = f"<!-- {_NAME} head={request.head} run={number}.{attempt} -->\n"
    said = _said(request.head[:7], state, _MARKER.sub("", text.lstrip(), count=1))
    ends = [f"[the pages]({link})"] if link and state == "changed" else []
    ends.append(f"commit {request.head[:7]}")
    if request.run_url:
        ends.append(f"[run]({request.run_url})")
    tail = f"\n\n<sub>{' · '.join(ends)}</sub>"
    room = MOST_CHARACTERS - len(marker) - len(tail)
    return marker + _cut(said.strip(), room) + tail


def outdated(request: PullRequest, head: str) -> str:
    """What stands where an older run wrote over what a newer one may have said."""
    said = (
        f"### This preview is out of date\n\nIt was of {request.head[:7]}; the last commit is "
        f"{head[:7]}, whose run says what it changes."
    )
    return marked(said)


def _said(head: str, state: State, text: str) -> str:
    if state == "changed":
        return text
    return {
        "building": f"### The preview of {head} is being built\n\n"
        "What stood here was of an earlier commit.",
        "unchanged": f"### With {head} nothing changes for visitors",
        "failed": f"### The preview of {head} failed\n\nWhy is in the log of its run.",
        "closed": "### The preview is removed\n\nThe pull request is closed.",
    }[state]


def _cut(text: str, room: int) -> str:
    """At most so many characters, whole lines; that some are left out is said before them."""
    if len(text) <= room:
        return text
    said = "**{} left out**: a comment holds " + f"{MOST_CHARACTERS:,} characters.\n\n"
    shown = text[: room - 2 * len(said)].rpartition("\n")[0]
    left_out = text.count("\n") - shown.count("\n")
    return said.format(counted(left_out or 1, "line")) + shown
