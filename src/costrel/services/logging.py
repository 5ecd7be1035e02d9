"""The application's logger: to the server's error stream, unless the program has set logging up itself."""

from __future__ import annotations

import logging
import sys
import typing as t

from .. import context
from ..support.local import LocalProxy


def _error_stream() -> t.TextIO:
    if context.has_request_context():
        stream: t.TextIO = context.requesting().request.environ["wsgi.errors"]
        return stream
    return sys.stderr


wsgi_errors_stream: t.Any = LocalProxy(_error_stream)
"""Where the server wants errors written: the request's ``wsgi.errors``, outside of one ``sys.stderr``."""

default_handler: logging.StreamHandler[t.TextIO] = logging.StreamHandler(wsgi_errors_stream)
"""The handler that an application's logger gets where no other would see its messages."""
default_handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))


def has_level_handler(logger: logging.Logger) -> bool:
    """Whether a handler, here or up the chain, takes messages of the logger's effective level."""
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: t.Any) -> logging.Logger:
    """The logger named like the application, at DEBUG in debug mode and with a handler if it would have none."""
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger
