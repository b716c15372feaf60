"""The documents that are made from the code."""

from __future__ import annotations

import pytest

from tools.reference import DOCS, documents


@pytest.mark.parametrize("name", documents())
def test_a_document_that_is_made_from_the_code_is_up_to_date(name: str) -> None:
    """`make reference` would write what is there."""
    assert (DOCS / name).read_text(encoding="utf-8") == documents()[name], "run `make reference`"
