"""Receives the forms of a node's pages, and keeps what was sent until people delete it."""

from robbieblocks.forms.receiving import ReceiverOptions, run
from robbieblocks.forms.store import Submission, delete, submissions

__all__ = ["ReceiverOptions", "Submission", "delete", "run", "submissions"]
