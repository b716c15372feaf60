"""What people say of why they ask."""

from __future__ import annotations

import pytest

from robbieblocks.cli.asking import reason_of
from robbieblocks.errors import UsageError


@pytest.mark.parametrize(("reason", "said"), [(" \n", "is empty"), ("x" * 1_001, "has 1,001 char")])
def test_a_reason_is_there_and_short(reason: str, said: str) -> None:
    """A thousand entries of an audit log are read at once."""
    with pytest.raises(UsageError, match=said):
        reason_of(reason)


def test_a_reason_is_kept_without_what_surrounds_it() -> None:
    """Up to a thousand characters."""
    assert reason_of(f" {'x' * 1_000}\n") == "x" * 1_000
