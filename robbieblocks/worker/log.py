"""The worker's log: JSON lines for machines, readable lines on a terminal, both on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal, Protocol, TextIO

import structlog
from structlog.typing import EventDict, Processor

from robbieblocks.messages import visible
from robbieblocks.pipeline import MAINTENANCE_LOGGER
from robbieblocks.row_faults import LOGGER
from robbieblocks.shared_cache import SHARED_CACHE_LOGGER

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


def _safe(_logger: object, _method: str, values: EventDict) -> EventDict:
    """Make texts safe for a terminal; other values are printed by `repr`, which does that."""
    return {
        name: visible(value) if isinstance(value, str) else value for name, value in values.items()
    }


def _console(*, colors: bool) -> Processor:
    plain = structlog.dev.plain_traceback  # the exception is a text already
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)


def open_log(form: Literal["json", "text", "auto"] = "auto", stream: TextIO = sys.stderr) -> Log:
    """A log that writes to `stream`; `auto` is text on a terminal, else JSON."""
    readable = form == "text" or (form == "auto" and stream.isatty())
    renderers: list[Processor] = (
        [structlog.processors.format_exc_info, _safe, _console(colors=stream.isatty())]
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


class _RowFaults(logging.Handler):
    """Writes each fault over one row's text to the worker's log, with its trace."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.error("row.failed", problem=record.getMessage(), trace=record.__dict__["trace"])


class _SharedCache(logging.Handler):
    """Writes to the worker's log when the shared cache is left alone, and when it is used again."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._log.warning("shared_cache.failed", error=record.getMessage())
        else:
            self._log.info("shared_cache.recovered", what=record.getMessage())


class _Maintenance(logging.Handler):
    """Writes to the worker's log what failed between builds."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.warning("maintenance.failed", error=record.getMessage())


@contextmanager
def records_logged(log: Log) -> Generator[None]:
    """While it is entered, faults over rows (`row_faults.blame`) are in the log, and what failed
    between builds, also of a shared cache.
    """
    handlers = (
        (LOGGER, _RowFaults(log)),
        (MAINTENANCE_LOGGER, _Maintenance(log)),
        (SHARED_CACHE_LOGGER, _SharedCache(log)),
    )
    for logger, handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, handler in handlers:
            logger.removeHandler(handler)
