"""Formats log records as JSON, one object per line, with fields that identify the request."""

from __future__ import annotations

import json
import logging
import sys
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from .log_fields import NAMES, request_fields

_STANDARD: t.Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", *NAMES})
"""The attributes of a record that do not come from `extra`."""


class RequestFields(logging.Filter):
    """Adds the attributes `request_id`, `trace_id` and `endpoint` to each record, for use in the format of a handler.

    An unknown value is a dash, as are all values outside of a request. Add the filter to handlers that pass records to
    another thread, such as `QueueHandler`, since the filter finds the request of the thread that runs it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attributes that the record lacks. Returns True."""
        fields = request_fields()
        for name in NAMES:
            if not hasattr(record, name):
                setattr(record, name, fields.get(name) or "-")
        return True


class JSONFormatter(logging.Formatter):
    """Formats log records as JSON objects, one per line.

    The keys are time, level, logger and message; during a request also request_id, trace_id and endpoint; then the keys
    of `extra`; and for errors traceback and stack. If a key of `extra` has one of these names, `_` is appended to it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON. The traceback is a string. Values that JSON does not support become their `repr`."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message_of(record),
            **_fields_of(record),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                entry[f"{name}_" if name in entry or name in _ERROR_KEYS else name] = value
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        elif record.exc_text:
            entry["traceback"] = record.exc_text
        if record.stack_info:
            entry["stack"] = self.formatStack(record.stack_info)
        return "{" + ", ".join(f"{json.dumps(name)}: {_as_json(value)}" for name, value in entry.items()) + "}"


_ERROR_KEYS: t.Final = frozenset({"traceback", "stack"})


def _message_of(record: logging.LogRecord) -> str:
    """The message. If the arguments do not fit the format, both are written unformatted, so that no line is lost."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} {record.args!r}"


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The fields that a `RequestFields` filter has added to the record, or the fields of the current request."""
    if not hasattr(record, "request_id"):
        return dict(request_fields())
    fields = {name: getattr(record, name, None) for name in NAMES}
    if set(fields.values()) <= {"-", None}:
        return {}
    return {name: None if value == "-" else value for name, value in fields.items()}


def _as_json(value: object) -> str:
    with suppress(Exception):  # raised by objects of the application
        return json.dumps(value, default=repr, allow_nan=False)
    with suppress(Exception):
        return json.dumps(repr(value))
    return json.dumps(f"<{type(value).__name__}>")


def write_json(logger: logging.Logger) -> None:
    """Write the records of `logger` and of the loggers below it to the console as JSON.

    Only handlers that write to the console are replaced. Handlers of the loggers above get the records as before,
    unless they would write a line to the console a second time.
    """
    if logger is logging.root:
        logging.getLogger("costrel.server").warning(
            "--log-format json does not apply to the application's log records, because the application is named"
            " 'root', like the root logger."
        )
        return
    for each in (logger, *_below(logger)):
        each.handlers[:] = [_in_json(handler) if _is_on_console(handler) else handler for handler in each.handlers]
    above = [handler for handler in _above(logger) if _is_on_console(handler)]
    if above and not any(map(_is_on_console, logger.handlers)):
        logger.addHandler(_in_json(above[0]))
    if above:
        logger.propagate = False
        logger.addHandler(_Upwards(logger))


def _in_json(handler: logging.StreamHandler[t.TextIO]) -> logging.Handler:
    """A copy of `handler`, which other loggers may share, with JSON as its format."""
    copy = logging.StreamHandler(handler.stream)
    copy.setLevel(handler.level)
    copy.filters[:] = handler.filters
    copy.setFormatter(JSONFormatter())
    return copy


class _Upwards(logging.Handler):
    """Passes records on to the handlers above a logger, except for those that write to the console."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self._logger = logger

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass the record on, as `Logger.callHandlers` does."""
        for handler in _from(self._logger.parent):
            if record.levelno >= handler.level and not _is_on_console(handler):
                handler.handle(record)
        return True


def _above(logger: logging.Logger) -> Iterator[logging.Handler]:
    """The handlers that records of `logger` propagate to."""
    return _from(logger.parent if logger.propagate else None)


def _from(logger: logging.Logger | None) -> Iterator[logging.Handler]:
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _below(logger: logging.Logger) -> Iterator[logging.Logger]:
    for name, other in list(logging.Logger.manager.loggerDict.items()):
        if name.startswith(f"{logger.name}.") and isinstance(other, logging.Logger):
            yield other


def _is_on_console(handler: logging.Handler) -> t.TypeGuard[logging.StreamHandler[t.TextIO]]:
    """Whether a handler writes to standard output or error, possibly through a proxy like Flask's default handler."""
    if not isinstance(handler, logging.StreamHandler):
        return False
    return handler.stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
