"""The worker's log: JSON lines for a machine, readable ones on a terminal, both on stderr."""

from __future__ import annotations

import sys
from typing import Any, Literal, Protocol, TextIO

import structlog


class Log(Protocol):
    """What the worker asks of a log: an event's name, and what belongs to it."""

    def debug(self, event: str, **values: Any) -> Any:
        """Of interest when something is being looked for."""

    def info(self, event: str, **values: Any) -> Any:
        """As it should be."""

    def warning(self, event: str, **values: Any) -> Any:
        """Not as it should be; the worker goes on by itself."""

    def error(self, event: str, **values: Any) -> Any:
        """A person has to do something."""

    def exception(self, event: str, **values: Any) -> Any:
        """The program is wrong; with its trace."""

    def bind(self, **values: Any) -> Log:
        """A log that adds these values to every line."""
        ...


def make(form: Literal["json", "text", "auto"] = "auto", stream: TextIO = sys.stderr) -> Log:
    """A log to a stream; `auto` is text on a terminal and JSON elsewhere."""
    readable = form == "text" or (form == "auto" and stream.isatty())
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
        if readable
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    log: Log = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    )
    return log
