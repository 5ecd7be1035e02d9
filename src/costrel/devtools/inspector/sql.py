"""Reports the statements that SQLAlchemy sends to databases, if the application uses SQLAlchemy."""

from __future__ import annotations

import re
import sys
import typing as t
from collections.abc import Callable, Mapping
from importlib import import_module
from time import perf_counter

from ..values import HIDDEN, is_secret

_MAX_PARAMETERS: t.Final = 50


class Execution(t.Protocol):
    """SQLAlchemy's execution context for a statement."""

    @property
    def compiled_parameters(self) -> list[Mapping[str, object]]: ...


class Events(t.Protocol):
    """The module ``sqlalchemy.event``."""

    def listen(self, target: object, name: str, function: Callable[..., None]) -> None: ...


class Engines(t.Protocol):
    """The module ``sqlalchemy.engine``."""

    @property
    def Engine(self) -> type: ...


class SQLListener:
    """Listens to all engines once SQLAlchemy has been imported.

    :param note: called with each statement, its parameters without secrets, and its duration in milliseconds.
    """

    def __init__(self, note: Callable[[str, object, float], None]) -> None:
        self._note = note
        self._listens = False

    def connect(self) -> None:
        """Start listening if SQLAlchemy has been imported completely."""
        if self._listens or "sqlalchemy.engine" not in sys.modules or "sqlalchemy.event" not in sys.modules:
            return
        self._listens = True
        events = t.cast("Events", import_module("sqlalchemy.event"))
        engine = t.cast("Engines", import_module("sqlalchemy.engine")).Engine
        events.listen(engine, "before_cursor_execute", self._begin)
        events.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, connection: object, cursor: object, sql: str, given: object, context: object, many: bool) -> None:
        if context is not None:
            vars(context)["_costrel_started"] = perf_counter()

    def _end(
        self, connection: object, cursor: object, sql: str, given: object, context: Execution | None, many: bool
    ) -> None:
        started = None if context is None else vars(context).get("_costrel_started")
        ms = 0.0 if started is None else (perf_counter() - started) * 1000
        named = [] if context is None else getattr(context, "compiled_parameters", None)
        self._note(sql, parameters_of(sql, given, named or []), ms)


def parameters_of(sql: str, given: object, named: list[Mapping[str, object]]) -> object:
    """The parameters of a statement, without secrets.

    :param given: the parameters as the driver gets them, often without names.
    :param named: the parameters by name, for each execution of the statement; empty if SQLAlchemy does not know them.
    """
    if named:
        sets = [_without_secrets(values) for values in named[:_MAX_PARAMETERS]]
        return sets[0] if len(sets) == 1 else sets
    if isinstance(given, Mapping):
        return _without_secrets(given)
    # Without names, it is unknown which value belongs to the secret column.
    return HIDDEN if given and _names_secret(sql) else given


def _names_secret(sql: str) -> bool:
    return any(is_secret(word) for word in re.findall(r"\w+", sql))


def _without_secrets(values: Mapping[str, object]) -> dict[str, object]:
    return {name: HIDDEN if is_secret(name) else value for name, value in values.items()}
