"""Examples of components, which lie in the project's files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from robbieblocks import content
from robbieblocks.checks.finding import Checked, Found


def wrong_examples(checked: Checked) -> Iterator[Found]:
    """Files of examples with a mistake, as an import names them."""
    folder = checked.settings.content
    if not checked.whole or not folder.is_dir():
        return
    _, problems = content.load_sound(folder)
    for problem in problems:
        if PurePosixPath(problem.key).parent.name == content.EXAMPLES:
            yield Found(problem)
