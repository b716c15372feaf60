"""Cache entries come out as they went in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.bundle import entries
from robbieblocks.bundle.entries import packed, unpacked


@given(st.text(), st.lists(st.binary(max_size=50), max_size=5))
def test_packing(head: str, parts: list[bytes]) -> None:
    """What is packed for the cache comes out as it was."""
    assert unpacked(packed(head, *parts)) == [head.encode("utf-8"), *parts]


def test_entries_are_of_the_code_that_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may be exchanged under a process that runs: what it makes is no work of theirs."""
    before = entries.versioned("package")
    monkeypatch.setattr(entries, "source_hash", lambda *_: "of other files", raising=False)
    assert entries.versioned("package") == before
