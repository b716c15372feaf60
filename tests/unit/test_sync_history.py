"""The checker of histories finds what is lost, and only that."""

from __future__ import annotations

from tests.sync_history import History, Write


def history(*writes: tuple[str, str, str, bool]) -> History:
    """A history of writes of the row `r`: place, what was read, what was written, confirmed."""
    return History([Write(place, "r", read, wrote, is_ok) for place, read, wrote, is_ok in writes])


def test_a_write_that_vanished_is_found() -> None:
    """Two writers read the same; of the one whose value is nowhere there is no trace."""
    found = history(("a", "0", "a1", True), ("b", "0", "b1", True))
    (lost,) = found.untraced({"r": "b1"}, ())
    assert lost.wrote == "a1"


def test_a_write_that_is_audited_read_or_not_confirmed_is_not_lost() -> None:
    """Each of the three is enough."""
    audited = history(("a", "0", "a1", True), ("b", "0", "b1", True))
    assert not audited.untraced({"r": "b1"}, ("a1",))
    read = history(("a", "0", "a1", True), ("b", "a1", "b1", True))
    assert not read.untraced({"r": "b1"}, ())
    not_confirmed = history(("a", "0", "a1", False), ("b", "0", "b1", True))
    assert not not_confirmed.untraced({"r": "b1"}, ())


def test_an_edit_that_went_with_a_row_is_found() -> None:
    """A delete has seen what it took along where it was, and not what was written elsewhere."""
    seen = history(("a", "0", "a1", True), ("a", "a1", "", True))
    assert not seen.untraced({}, ())
    unseen = history(("a", "0", "a1", True), ("b", "0", "", True))
    assert [each.wrote for each in unseen.untraced({}, ())] == ["a1"]
    assert not unseen.untraced({}, ("a1",))


def test_a_value_that_nobody_wrote_is_found() -> None:
    """A row may have what was there before, or what was written to it."""
    found = history(("a", "0", "a1", True))
    assert not found.invented({"r": "a1", "s": "0"}, {"r": "0", "s": "0"})
    assert found.invented({"r": "other"}, {"r": "0"}) == {"r": "other"}
