"""The frames between a parent and the child process that runs components.

A frame is JSON; `robbieblocks.process` writes its length before it. The child answers each request
with one reply:

    OpenRequest   -> {}             makes an isolate with React in it
    RenderRequest -> RenderReply    first defines modules, then renders jobs

Where a module is refused, nothing is rendered. A reply may have fewer results than there were
jobs; the parent sends the rest again.
"""

from __future__ import annotations

from typing import Final, TypedDict, final

Definition = tuple[str, str, str, bool]
"""A module: specifier, name in stack traces, script, and whether it is an npm package's."""

Job = tuple[str, str, str]
"""A block to render: specifier of its component, props as JSON, prefix of the ids in it."""

# Flags of a rendered block. PROVEN is for the child alone: the harness has shown that the HTML
# stays inside its wrapper and has React's tree, so that no HTML parser is needed for it. LEFT_OUT
# says that it has more classes than are looked at.
INTERACTIVE: Final = 1
RERENDER: Final = 2
PROVEN: Final = 4
LEFT_OUT: Final = 8


class Failure(TypedDict, total=False):
    """Why a block has no HTML.

    Either `bound` (see `error_mapping`), or an error's `name`, `message` and `stack`: V8's frames,
    one a line, as `script:line:column`. `browser` names the browser-only object that was read
    before the error, `fix` says what to do.
    """

    bound: str
    name: str
    message: str
    stack: str
    browser: str
    fix: str


Rendered = tuple[str, int, str, str, str, str, str]
"""A job's HTML with its flags, the words in it that may be classes, those of its props that may
become classes in the browser, and the elements that it wants in the page's head. Then, from the
isolate: the HTML without raw HTML, where a parser has to compare it with what it makes of the HTML.
In a reply: two elements by name, of which a parser does not leave the second in the first, or
nothing. Last, in a reply: two controls by name, the second in the first, or nothing.
"""

Result = Rendered | tuple[None, Failure]
"""What became of a job, or why there is nothing. JSON makes lists of them."""


@final
class OpenRequest(TypedDict):
    """`open` is the script that defines React; `cpu` is seconds a block, `heap` bytes.

    `elsewhere` asks for another clock, locale and randomness than those of what is published.
    """

    open: str
    cpu: float
    heap: int
    elsewhere: bool


@final
class RenderRequest(TypedDict):
    """Modules that the child lacks, and jobs."""

    define: list[Definition]
    render: list[Job]


class RenderReply(TypedDict):
    """`refused` has an error message for each module that does not parse; `rss` is in bytes."""

    refused: dict[str, str]
    done: list[Result]
    rss: int
