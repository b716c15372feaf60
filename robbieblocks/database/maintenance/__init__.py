"""What keeps a database fast: an analysis that only reads, and the regular tasks.

`schema/scripts/analyze-performance.sh` is the analysis for those who have psql alone.
"""

from robbieblocks.database.maintenance.analysis import Analysis, Finding, analyze
from robbieblocks.database.maintenance.running import Done, maintain
from robbieblocks.database.maintenance.tasks import Cadence

__all__ = ["Analysis", "Cadence", "Done", "Finding", "analyze", "maintain"]
