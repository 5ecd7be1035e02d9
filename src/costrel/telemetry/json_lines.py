"""Log records as JSON, one object per line, with the fields of the request."""

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
"""The attributes of a record that are not from its `extra`."""


class RequestFields(logging.Filter):
    """Gives each record the attributes `request_id`, `trace_id` and `endpoint`, for the format of any handler.

    Outside of a request, and for a value that is unknown, they are a dash. For a handler that passes records on to
    another thread, such as `QueueHandler`: the fields are those of the thread in which the line is written.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attributes that the record does not have. Always true."""
        fields = request_fields()
        for name in NAMES:
            if not hasattr(record, name):
                setattr(record, name, fields.get(name) or "-")
        return True


class JSONFormatter(logging.Formatter):
    """Log records as JSON objects, one per line.

    The keys are time, level, logger and message; during a request, request_id, trace_id and endpoint; those of `extra`;
    and, for an error, traceback and stack. A key of `extra` that is one of these gets an underscore at its end.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON. A traceback is a string in it. Values that JSON has no form for are their `repr`."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message_of(record),
            **_fields_of(record),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                entry[f"{name}_" if name in entry or name in _AT_THE_END else name] = value
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        elif record.exc_text:
            entry["traceback"] = record.exc_text
        if record.stack_info:
            entry["stack"] = self.formatStack(record.stack_info)
        return "{" + ", ".join(f"{json.dumps(name)}: {_as_json(value)}" for name, value in entry.items()) + "}"


_AT_THE_END: t.Final = frozenset({"traceback", "stack"})


def _message_of(record: logging.LogRecord) -> str:
    """The message; if its arguments do not fit its format, both as they are, so that the line is not lost."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} {record.args!r}"


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The fields of the request, or those that a filter has given to the record in the thread of the request."""
    if not hasattr(record, "request_id"):
        return dict(request_fields())
    found = {name: getattr(record, name, None) for name in NAMES}
    if set(found.values()) <= {"-", None}:
        return {}
    return {name: None if value == "-" else value for name, value in found.items()}


def _as_json(value: object) -> str:
    with suppress(Exception):  # which objects of the application may raise
        return json.dumps(value, default=repr, allow_nan=False)
    with suppress(Exception):
        return json.dumps(repr(value))
    return json.dumps(f"<{type(value).__name__}>")


def write_json(logger: logging.Logger) -> None:
    """Let the console show the records of `logger` and the loggers below it as JSON.

    Only handlers that write to the console change. Those above `logger`, at last those of the root logger, stay as they
    are, and get its records as before, unless they would write a line to the console a second time.
    """
    if logger is logging.root:
        logging.getLogger("costrel.server").warning(
            "--log-format json does not apply to the application's log lines: its name is 'root', which is the name of"
            " the root logger."
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
    """A handler like `handler`, which other loggers may share, with JSON as its format."""
    twin = logging.StreamHandler(handler.stream)
    twin.setLevel(handler.level)
    twin.filters[:] = handler.filters
    twin.setFormatter(JSONFormatter())
    return twin


class _Upwards(logging.Handler):
    """Passes records on to the handlers above a logger that do not write to the console."""

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
    """The handlers that records of `logger` reach by propagation."""
    return _from(logger.parent if logger.propagate else None)


def _from(logger: logging.Logger | None) -> Iterator[logging.Handler]:
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _below(logger: logging.Logger) -> Iterator[logging.Logger]:
    for name, found in list(logging.Logger.manager.loggerDict.items()):
        if name.startswith(f"{logger.name}.") and isinstance(found, logging.Logger):
            yield found


def _is_on_console(handler: logging.Handler) -> t.TypeGuard[logging.StreamHandler[t.TextIO]]:
    """Whether a handler writes to the standard output or error; Flask's default handler does so by a proxy."""
    if not isinstance(handler, logging.StreamHandler):
        return False
    return handler.stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
