"""Sends what waits in an outbox: to webhooks, and to the command of `on_publish`."""

from robbieblocks.events.sending.posting import Outcome, post
from robbieblocks.events.sending.sender import Sender, Told

__all__ = ["Outcome", "Sender", "Told", "post"]
