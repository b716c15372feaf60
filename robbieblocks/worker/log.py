"""The worker's log: JSON lines for machines, readable lines on a terminal, both on stderr."""

from __future__ import annotations

import sys
from typing import Literal, Protocol, TextIO

import structlog
from structlog.typing import Processor

_INFO = 20


class Log(Protocol):
    """A structured log: each line has an event's name and its values."""

    def info(self, event: str, **values: object) -> object:
        """Log an event of normal operation."""

    def warning(self, event: str, **values: object) -> object:
        """Log a failure that the worker recovers from by itself."""

    def error(self, event: str, **values: object) -> object:
        """Log a failure that a person has to fix."""

    def exception(self, event: str, **values: object) -> object:
        """Log a bug in this program, with the traceback of the current exception."""

    def bind(self, **values: object) -> Log:
        """Return a log that adds these values to every line."""
        ...


def open_log(form: Literal["json", "text", "auto"] = "auto", stream: TextIO = sys.stderr) -> Log:
    """A log that writes to `stream`; `auto` is text on a terminal, else JSON."""
    readable = form == "text" or (form == "auto" and stream.isatty())
    renderers: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
        if readable
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    log: Log = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_INFO),
        cache_logger_on_first_use=True,
    )
    return log
