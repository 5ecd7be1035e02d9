"""Readiness checks, which tell the server whether the application can answer requests."""

from __future__ import annotations

import math
import typing as t
from collections.abc import Callable

from ..support.values import Value

TIMEOUT: t.Final = 2.0


class ReadinessCheck(Value):
    """One check. `function` may be ``async``; if it returns False or raises, the application is not ready.

    `timeout` is in seconds. Raises ValueError for one that is not positive and finite.
    """

    name: str
    function: Callable[[], t.Any]
    timeout: float

    def __init__(self, name: str, function: Callable[[], t.Any], timeout: float = TIMEOUT) -> None:
        if not 0 < timeout < math.inf:
            raise ValueError(f"A readiness check may take a number of seconds above 0, not {timeout!r}.")
        self.__dict__.update(name=name, function=function, timeout=timeout)
