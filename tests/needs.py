"""What a test needs and a machine may lack: a skip for a person, a failure for CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test that needs `what`; fail it where CI=true, so that nothing goes unchecked."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
