"""Output on a terminal: colours if it supports them, and control characters escaped."""

from __future__ import annotations

import logging
import os
import sys
import typing as t
from collections.abc import Callable
from contextlib import suppress

from ..http.urls import uri_to_iri
from ..services.logging import has_level_handler

_CODES = {"bold": 1, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}
_RESET = "\x1b[0m"
_STATUS_STYLES = {304: ("cyan",), 404: ("yellow",)}
_CLASS_STYLES = {1: ("bold",), 3: ("green",), 4: ("bold", "red"), 5: ("bold", "magenta")}

_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {ord("\\"): "\\\\"}
_VISIBLE_IN_QUOTES = _VISIBLE | {ord('"'): '\\"'}


def paint(value: str, *styles: str) -> str:
    """`value` in the named styles: bold, red, green, yellow, magenta, cyan."""
    if not styles:
        return value
    return "".join(f"\x1b[{_CODES[style]}m" for style in reversed(styles)) + value + _RESET


def unpainted(value: str, *styles: str) -> str:
    """Return `value` unchanged: a `paint` for streams without colours."""
    return value


def harmless(text: str) -> str:
    """`text` with control characters escaped, so that data from a client can neither break nor colour log lines."""
    return text.translate(_VISIBLE)


def readable(target: str) -> str:
    """A request's target, percent-decoded as far as it is readable, with control characters and quotes escaped."""
    if target.isascii() and target.isprintable() and not ("%" in target or "\\" in target or '"' in target):
        return target  # as most targets are
    with suppress(ValueError):  # it is not a URI
        target = uri_to_iri(target)
    return target.translate(_VISIBLE_IN_QUOTES)


def shows_colour(stream: object) -> bool:
    """Whether to write colours to `stream`: it is a terminal, and the environment does not have ``NO_COLOR``."""
    return not os.environ.get("NO_COLOR") and bool(getattr(stream, "isatty", lambda: False)())


def painter(stream: object) -> Callable[..., str]:
    """`paint` if `stream` shows colours, otherwise a function that returns the text unchanged."""
    return paint if shows_colour(stream) else unpainted


class StandardError(logging.StreamHandler[t.TextIO]):
    """Writes to the current ``sys.stderr``, since a test or a terminal may replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> t.TextIO:  # type: ignore[override]  # the base class sets an attribute once
        return sys.stderr


def ready_logger(name: str) -> logging.Logger:
    """The logger `name`. Unless it has been configured, it gets level INFO and writes to standard error."""
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not has_level_handler(logger):
        logger.addHandler(StandardError())
    return logger


def log(type: str, message: str, *args: object, **kwargs: object) -> None:
    """Log to the logger ``werkzeug``. `type` is the name of a logger method, such as "info"."""
    getattr(ready_logger("werkzeug"), type)(message.rstrip(), *args, **kwargs)


def style_of_status(status: int) -> tuple[str, ...]:
    """The styles for a request whose response has this status."""
    return _STATUS_STYLES.get(status) or _CLASS_STYLES.get(status // 100, ())
