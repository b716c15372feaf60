"""Examples of components, which lie in the project's files alone."""

from __future__ import annotations

from collections.abc import Iterator

from robbieblocks import content
from robbieblocks.checks.finding import Checked, Found


def wrong_examples(checked: Checked) -> Iterator[Found]:
    """Files of examples with a mistake, as an import names them."""
    folder = checked.settings.content
    if not checked.whole or not folder.is_dir():
        return
    yield from map(Found, content.wrong_examples(folder))
