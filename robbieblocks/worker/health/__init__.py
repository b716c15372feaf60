"""What a worker reports about itself: whether it makes progress, and whether changes go out."""

from robbieblocks.worker.health.event_counts import EventCounts
from robbieblocks.worker.health.reported import Reported
from robbieblocks.worker.health.server import DEFAULT_PORT, HealthServer
from robbieblocks.worker.health.state import Health, State

__all__ = ["DEFAULT_PORT", "EventCounts", "Health", "HealthServer", "Reported", "State"]
