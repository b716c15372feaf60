"""The schema: applied from its SQL file, and compared with what that file makes.

What should be there is written down in the SQL file alone. `verify` runs that file in a schema of
its own, in a transaction that is rolled back, and compares the two catalogs.
"""

from robbieblocks.database.schema.applying import apply, exclusive
from robbieblocks.database.schema.verifying import UPGRADE, Difference, Upgraded, upgrade, verify

__all__ = ["UPGRADE", "Difference", "Upgraded", "apply", "exclusive", "upgrade", "verify"]
