"""Costrel's, with `def` views in place and with the part of `costrel serve` between Granian and the application."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from costrel.server.access_log import AccessLog
from costrel.server.log_formats import LINES, Lines

from . import costrel_app
from .child import COUNTED


class Served:
    """An application behind the request ids and the access log of a worker. Each batch of the log has COUNTED lines."""

    def __init__(self, scenario: str, lines: Lines | None) -> None:
        edge: Any = costrel_app.asgi(scenario)
        self.app = edge.app
        self._log = AccessLog(edge, lines, stream=io.StringIO())
        self._requests = 0

    def answer_in_place(self, scope: Any, receive: Any, send: Any, moved: Callable[[Any, Any], Any]) -> Any:
        self._requests += 1
        if self._requests % COUNTED == 0:
            self._log.flush()
        return self._log.answer_in_place(scope, receive, send)


def asgi(scenario: str) -> Served:
    return Served(scenario, LINES["text"])
