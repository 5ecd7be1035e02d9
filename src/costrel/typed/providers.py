"""Providers: functions that make values for views, such as a database session, by the type that they return."""

from __future__ import annotations

import inspect
import typing as t
from collections import abc
from collections.abc import Callable

from .expressions import TypeExpr, Unresolved, class_of, plain, spelled
from .signatures import MISSING, Function, Signature, function_name, signature_of

_GENERATORS: t.Final = (
    abc.Iterator,
    abc.Iterable,
    abc.Generator,
    abc.AsyncIterator,
    abc.AsyncIterable,
    abc.AsyncGenerator,
)

UNPROVIDABLE: t.Final = (str, bytes, int, float, bool, complex, list, dict, set, frozenset, tuple, type(None))
"""Types that an application uses for unrelated values: a provider of such a type would provide them all."""


class Provider:
    """A function that provides values of a type.

    :param first: it runs before the inputs are validated: a login check.
    :param until: ``"stream"`` if a generator resumes at the end of a stream, ``"view"`` if it does so after the view.
    :raises TypeError: if the function has no return annotation, or returns scalars or containers.
    """

    def __init__(self, function: Function, *, first: bool = False, until: str = "stream", named: bool = False) -> None:
        if until not in ("stream", "view"):
            raise ValueError(f'A provider ends with the "stream" or with the "view", not with {until!r}.')
        self.function = function
        self.name = function_name(function)
        self.first = first
        self.until_view = until == "view"
        self.is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        self.is_generator = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        self.signature: Signature = signature_of(function)
        self.type: TypeExpr = self.signature.result if named else self._provided()

    def _provided(self) -> TypeExpr:
        expr = self.signature.result
        if self.is_generator and class_of(expr) in _GENERATORS and t.get_args(plain(expr)):
            expr = t.get_args(plain(expr))[0]
        if isinstance(expr, Unresolved):
            raise TypeError(f"The provider {self.name!r} returns {expr}.")
        if expr is MISSING:
            raise TypeError(
                f"The provider {self.name!r} has no return annotation: it tells which parameters get its values."
            )
        if class_of(expr) in UNPROVIDABLE and not isinstance(expr, t.NewType):
            raise TypeError(
                f"The provider {self.name!r} returns {spelled(expr)}. Scalars and containers cannot be provided by"
                " type: return a class of your own, or mark the parameters with Use()."
            )
        return expr

    def __repr__(self) -> str:
        return f"<Provider {self.name} of {spelled(self.type)}>"


class Providers:
    """The providers of an application or a blueprint, by the type that they provide."""

    def __init__(self) -> None:
        self._found: list[tuple[TypeExpr, Provider]] = []

    def add(self, provider: Provider) -> None:
        """Add a provider; it replaces one of the same type."""
        self._found = [(expr, other) for expr, other in self._found if expr != provider.type]
        self._found.append((provider.type, provider))

    def get(self, expr: TypeExpr) -> Provider | None:
        """The provider of exactly this type, or None."""
        return next((provider for known, provider in self._found if known == expr), None)


def stand_in(expr: TypeExpr, value: object) -> Provider:
    """A provider for tests: of `value`, or of its results if it is a function or a class."""
    cls = class_of(expr)
    is_value = cls is not None and isinstance(value, cls)
    if not is_value and (inspect.isroutine(value) or inspect.isclass(value)):
        return Provider(t.cast("Callable[..., object]", value), named=True)

    def provide() -> object:
        return value

    return Provider(provide, named=True)
