"""What keeps a database fast: an analysis that only reads, and the regular tasks.

`schema/scripts/analyze-performance.sh` is the analysis for those who have psql alone.
"""

from robbieblocks.database.maintenance.analysis import Analysis, Finding, analyze

__all__ = ["Analysis", "Finding", "analyze"]
