"""The parameters of a view or a provider, and whether a view is typed. Nothing here needs msgspec."""

from __future__ import annotations

import inspect
import typing as t
from collections.abc import Callable

from .candidates import Coverage as Coverage
from .expressions import ANNOTATED, TypeExpr, annotations_of, marker_of
from .markers import Input, Use
from .schemes import CredentialScheme

Function: t.TypeAlias = Callable[..., t.Any]

MISSING: t.Final = object()
"""Stands for a default or an annotation that a parameter does not have."""


class SignatureError(TypeError):
    """The signature of a view is invalid. The error is raised when the application is sealed."""


class Parameter(t.NamedTuple):
    """One parameter: its annotation and its default, or MISSING."""

    name: str
    expr: TypeExpr
    default: object

    @property
    def is_input(self) -> bool:
        """Whether it can take a value of the request at all."""
        return self.expr is not MISSING and not self.name.startswith("_")

    @property
    def is_marked(self) -> bool:
        """Whether it is marked as an input or with a provider."""
        return isinstance(self.expr, ANNOTATED) and (
            marker_of(self.expr, Input) is not None
            or marker_of(self.expr, Use) is not None
            or marker_of(self.expr, CredentialScheme) is not None
        )


class Signature(t.NamedTuple):
    """The parameters of a function that can be passed by name, and the annotation of its result."""

    function: Function
    parameters: tuple[Parameter, ...]
    result: TypeExpr

    @property
    def name(self) -> str:
        """How messages name the function."""
        return function_name(self.function)


Known: t.TypeAlias = tuple[Signature, Coverage]
"""The facts that decide whether a view is typed."""


def function_name(function: Function) -> str:
    """The name of a function in messages."""
    name: str = getattr(function, "__qualname__", type(function).__qualname__)
    return name.rpartition("<locals>.")[2]


def signature_of(function: Function, skip: int = 0) -> Signature:
    """The signature of a function itself, not of a function that it wraps; `skip` leaves out ``self``."""
    called = type(function).__call__ if not hasattr(function, "__annotations__") else function
    hints = annotations_of(called)
    kept = tuple(
        Parameter(name, hints.get(name, MISSING), default) for name, default in _defaults_of(function, skip).items()
    )
    return Signature(function, kept, hints.get("return", MISSING))


def _defaults_of(function: Function, skip: int) -> dict[str, object]:
    """The default of each parameter that can be passed by name; MISSING for one without."""
    parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())[skip:]
    return {
        each.name: MISSING if each.default is each.empty else each.default
        for each in parameters
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }


def is_typed(signature: Signature, coverage: Coverage) -> bool:
    """Whether a view is typed. No parameter of a view that Flask could call becomes an input by itself."""
    if coverage.chosen:
        return True
    return any(each.is_marked or _is_beyond_flask(each, coverage) for each in signature.parameters if each.is_input)


def _is_beyond_flask(parameter: Parameter, coverage: Coverage) -> bool:
    """Whether Flask could never have called a view with this parameter."""
    return (
        coverage.by_signature
        and not coverage.preprocessed
        and parameter.default is MISSING
        and parameter.name not in coverage.filled
    )
