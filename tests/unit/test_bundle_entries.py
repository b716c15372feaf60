"""Cache entries come out as they went in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.bundle.entries import packed, unpacked


@given(st.text(), st.lists(st.binary(max_size=50), max_size=5))
def test_packing(head: str, parts: list[bytes]) -> None:
    """What is packed for the cache comes out as it was."""
    assert unpacked(packed(head, *parts)) == [head.encode("utf-8"), *parts]
