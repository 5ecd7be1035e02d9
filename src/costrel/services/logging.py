"""The application's logger. It writes to the server's error stream unless the program has configured logging."""

from __future__ import annotations

import logging
import sys
import typing as t

from .. import context
from ..support.local import LocalProxy


class LoggingApp(t.Protocol):
    """The part of an application that its logger needs."""

    @property
    def name(self) -> str: ...
    @property
    def debug(self) -> bool: ...


def _error_stream() -> t.TextIO:
    if context.has_request_context():
        stream: t.TextIO = context.requesting().request.environ["wsgi.errors"]
        return stream
    return sys.stderr


wsgi_errors_stream: t.Any = LocalProxy(_error_stream)
"""The error stream of the server: ``wsgi.errors`` during a request, otherwise ``sys.stderr``."""

default_handler: logging.StreamHandler[t.TextIO] = logging.StreamHandler(wsgi_errors_stream)
"""The handler for the logger of an application if no other handler would get its records."""
default_handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))


def has_level_handler(logger: logging.Logger) -> bool:
    """Whether a handler of the logger or of its parents accepts records of the logger's effective level."""
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: LoggingApp) -> logging.Logger:
    """Return the application's logger. In debug mode its level is DEBUG. A handler is added if there is none."""
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger
