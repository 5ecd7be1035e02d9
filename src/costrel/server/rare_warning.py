"""A warning that is logged once a minute at most, however often its cause occurs."""

from __future__ import annotations

import logging
import time
import typing as t

AGAIN: t.Final = 60.0
"""The seconds after which the warning is logged again."""

_logger = logging.getLogger("costrel.server")


class RareWarning:
    """Logs a message with `%` placeholders."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._logged_at = float("-inf")

    def log(self, *arguments: object) -> None:
        """Log the message, unless it was logged within the last minute."""
        now = time.monotonic()
        if now - self._logged_at >= AGAIN:
            self._logged_at = now
            _logger.warning(self._message, *arguments)
