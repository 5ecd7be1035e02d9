"""Error handlers: the errors that they may be registered for, and the choice of the handler for an error."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence

from ..http.errors import HTTPException, default_exceptions
from .rare_errors import RARE_ERRORS

Handlers: t.TypeAlias = Mapping[str | None, Mapping[int | None, Mapping[type[Exception], t.Any]]]
"""By blueprint (None: the application), then by status code (None: no HTTP error), then by class."""


def class_and_code(subject: type[Exception] | int) -> tuple[type[Exception], int | None]:
    """The exception class that a handler is for, and its status code if it is an HTTP error.

    Raises ValueError for a code without an exception and for a class that is no exception, TypeError for a value that
    is neither code nor class.
    """
    exc_class: type[Exception]
    if isinstance(subject, int):
        try:
            exc_class = default_exceptions.get(subject) or RARE_ERRORS[subject]
        except KeyError:
            raise ValueError(
                f"There is no HTTP error with the code {subject}. Use a subclass of HTTPException that has it as its"
                " 'code'."
            ) from None
    else:
        exc_class = subject
    _check_class(exc_class)
    return exc_class, exc_class.code if issubclass(exc_class, HTTPException) else None


def _check_class(value: t.Any) -> None:
    allowed = "An error handler is for a class of exceptions, or for the code of an HTTP error."
    if isinstance(value, Exception):
        raise TypeError(f"{value!r} is an instance, not a class. {allowed}")
    if not isinstance(value, type):
        raise TypeError(f"{value!r} is neither a class nor a number. {allowed}")
    if not issubclass(value, Exception):
        raise ValueError(f"{value.__name__!r} is not a subclass of Exception. {allowed}")


def find_handler(handlers: Handlers, exc_class: type[Exception], blueprints: Collection[str]) -> t.Any:
    """The handler for an error of this class, or None.

    A handler for the status code wins over one for the class alone, wherever it stands; then an inner blueprint over
    an outer one and over the application; then a nearer class over a more general one.
    """
    found = [handlers.get(None)]
    if blueprints:
        found = [*map(handlers.get, blueprints), *found]
    classes = exc_class.__mro__
    # The code of a class may differ from the code of its parent, whose handler is for both.
    for cls in classes:
        if issubclass(cls, HTTPException) and cls.code:
            handler = _handler_for(cls.code, found, classes)
            if handler is not None:
                return handler
    return _handler_for(None, found, classes)


def _handler_for(
    code: int | None, scopes: Sequence[Mapping[int | None, Mapping[type[Exception], t.Any]] | None], classes: t.Any
) -> t.Any:
    for by_code in scopes:
        if by_code and (by_class := by_code.get(code)):
            for cls in classes:
                handler = by_class.get(cls)
                if handler is not None:
                    return handler
    return None
