"""`robbieblocks status`: what should be live, what was built, what is served."""

from robbieblocks.cli.status.app_status import AppStatus
from robbieblocks.cli.status.command import as_json, run
from robbieblocks.cli.status.text import as_text

__all__ = ["AppStatus", "as_json", "as_text", "run"]
