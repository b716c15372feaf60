"""Where the styles of an app's pages stand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from robbieblocks.pipeline.context import BuildContext


@pytest.mark.parametrize(
    ("said", "pages", "linked", "form"),
    [
        ("auto", 0, False, "inline"),
        ("auto", 1_000, False, "inline"),
        ("auto", 1_001, False, "linked"),
        ("inline", 10_000, False, "inline"),
        ("linked", 1, False, "linked"),
        ("inline", 1, True, "separate"),
    ],
)
def test_the_setting_or_the_size_of_the_app_decides(
    said: str, pages: int, linked: bool, form: str
) -> None:
    """`auto` links from 1,001 pages on; the development server links each sheet always."""
    context: Any = SimpleNamespace(linked=linked, settings=SimpleNamespace(styles=said))
    assert BuildContext.style_form(cast("BuildContext", context), pages) == form
