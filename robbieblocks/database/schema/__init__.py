"""The schema: applied from its SQL file, and compared with what that file makes.

What should be there is written down in the SQL file alone. `catalogue.json` holds what a database
tells of it once the file was run; `verify` compares a database with that.
"""

from robbieblocks.database.schema.applying import apply, apply_for_sync, exclusive
from robbieblocks.database.schema.verifying import (
    UPGRADE,
    Difference,
    Upgraded,
    unsound,
    upgrade,
    verify,
)

__all__ = [
    "UPGRADE",
    "Difference",
    "Upgraded",
    "apply",
    "apply_for_sync",
    "exclusive",
    "unsound",
    "upgrade",
    "verify",
]
