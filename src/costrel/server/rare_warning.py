"""A warning that is logged at most once a minute, however often its cause occurs."""

from __future__ import annotations

import logging
import time
import typing as t

INTERVAL: t.Final = 60.0
"""The minimum number of seconds between two records."""

_logger = logging.getLogger("costrel.server")


class RareWarning:
    """Logs a message, which may have `%` placeholders."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._logged_at = float("-inf")

    def log(self, *arguments: object) -> None:
        """Log the message unless it was logged within the last minute."""
        now = time.monotonic()
        if now - self._logged_at >= INTERVAL:
            self._logged_at = now
            _logger.warning(self._message, *arguments)
