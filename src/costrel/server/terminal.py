"""Lines on a terminal: colours where they can be seen, and control characters that cannot act."""

from __future__ import annotations

import logging
import os
import sys
import typing as t

_CODES = {"bold": 1, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}
_RESET = "\x1b[0m"

_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {ord("\\"): "\\\\"}


def paint(value: str, *styles: str) -> str:
    """`value` in the named styles: bold, red, green, yellow, magenta, cyan."""
    return "".join(f"\x1b[{_CODES[style]}m" for style in reversed(styles)) + value + _RESET


def harmless(text: str) -> str:
    """`text` with its control characters written out, so that what a client sends can neither break nor paint lines."""
    return text.translate(_VISIBLE)


def shows_colour(stream: t.Any) -> bool:
    """Whether colours are welcome on `stream`: a terminal, without ``NO_COLOR`` in the environment."""
    return not os.environ.get("NO_COLOR") and bool(getattr(stream, "isatty", lambda: False)())


class StandardError(logging.StreamHandler[t.TextIO]):
    """Writes to what ``sys.stderr`` is at the time, as a test or a terminal may have replaced it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> t.TextIO:  # type: ignore[override]  # the base class sets an attribute once
        return sys.stderr


def ready_logger(name: str) -> logging.Logger:
    """The logger `name`, made to speak at level INFO unless its user has set it up."""
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not _is_heard(logger):
        logger.addHandler(StandardError())
    return logger


def _is_heard(logger: logging.Logger) -> bool:
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False
