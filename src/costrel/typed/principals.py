"""Parameters that take a principal, by its type, or a credential as it was sent."""

from __future__ import annotations

import inspect
import typing as t
from collections.abc import Mapping

from ..context import requesting
from ..http.errors import Unauthorized
from .expressions import NoneType, TypeExpr, Unresolved, class_of, marker_of, members, plain, spelled
from .problems import Problem
from .providers import UNPROVIDABLE
from .schemes import CredentialScheme, Scheme
from .signatures import MISSING, Parameter, Signature, SignatureError, signature_of
from .texts import Values

if t.TYPE_CHECKING:
    from ..messages.request import Request

Key: t.TypeAlias = "str | Scheme"
"""A scheme of the application by its name, or a marker such as ``Bearer()`` itself."""

Types: t.TypeAlias = tuple[TypeExpr, ...]
"""Not a set, since the metadata of a type may have no hash."""

_AWAITABLES: t.Final = ("Awaitable", "Coroutine")


class Need(t.NamedTuple):
    """A parameter that takes a principal or a credential.

    `fits` are the schemes whose principals it accepts, `relevant` those that may provide one of its types.
    """

    function: str
    parameter: str
    expr: TypeExpr
    fits: tuple[Key, ...]
    relevant: tuple[Key, ...]
    default: object
    """The value without a principal; MISSING if the parameter requires one."""

    @property
    def has_default(self) -> bool:
        """Whether the parameter can do without a principal."""
        return self.default is not MISSING

    @property
    def marker(self) -> Scheme | None:
        """The marker of a parameter that takes a credential as it was sent."""
        first = self.fits[0] if self.fits else None
        return first if isinstance(first, Scheme) else None

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        """Add the principal of the current request to `values`.

        :raises Unauthorized: if the view was called without authentication.
        """
        found = requesting().principals or {}
        for key in self.fits:
            if key in found:
                values[self.parameter] = found[key]
                return
        if self.default is MISSING:
            raise Unauthorized(f"The parameter {self.parameter!r} of {self.function!r} needs authentication.")
        values[self.parameter] = self.default


def types_of(schemes: Mapping[str, Scheme]) -> dict[str, Types]:
    """The types of principals by scheme; a scheme whose types are unknown, scalars or containers has none.

    :raises SignatureError: if a return annotation cannot be evaluated: a view could read the type from the body.
    """
    return {name: _types_of(name, scheme) for name, scheme in schemes.items()}


def _types_of(name: str, scheme: Scheme) -> Types:
    expr = scheme.provides
    if expr is None and scheme.verify is not None:
        expr = _result_of(scheme.verify)
    if isinstance(expr, Unresolved):
        raise SignatureError(f"The function of the scheme {name!r} returns {expr}. Pass the type as provides=.")
    if expr is None or expr is MISSING or expr is t.Any:
        return ()
    found = tuple(each for each in members(expr) if each is not NoneType)
    provided = all(isinstance(each, t.NewType) or class_of(each) not in (*UNPROVIDABLE, None, object) for each in found)
    return found if provided else ()


def _result_of(verify: t.Callable[..., object]) -> TypeExpr:
    try:
        result = signature_of(verify).result
    except (ValueError, TypeError, KeyError, AttributeError):  # some built-in functions have no signature
        return MISSING
    cls = class_of(result)
    if cls is not None and cls.__name__ in _AWAITABLES and t.get_args(plain(result)):
        return t.cast(TypeExpr, t.get_args(plain(result))[-1])
    return result


def needs_of(signature: Signature, types: Mapping[str, Types]) -> list[Need]:
    """The parameters of a function that take a principal or a credential."""
    found = (_need_of(signature, parameter, types) for parameter in signature.parameters if parameter.is_input)
    return [need for need in found if need is not None]


def _need_of(signature: Signature, parameter: Parameter, types: Mapping[str, Types]) -> Need | None:
    marker = marker_of(parameter.expr, CredentialScheme)
    if marker is None and not types:
        return None
    wanted = members(parameter.expr)
    kinds = [each for each in wanted if each is not NoneType]
    default = None if NoneType in wanted and parameter.default is MISSING else parameter.default
    if marker is not None:
        _refuse_verify(signature, parameter, marker)
        return Need(signature.name, parameter.name, parameter.expr, (marker,), (marker,), default)
    relevant = tuple(name for name, provided in types.items() if any(each in kinds for each in provided))
    if not relevant or not all(any(each in types[name] for name in relevant) for each in kinds):
        return None
    fits = tuple(name for name in relevant if all(each in kinds for each in types[name]))
    return Need(signature.name, parameter.name, parameter.expr, fits, relevant, default)


def _refuse_verify(signature: Signature, parameter: Parameter, marker: Scheme) -> None:
    texts = [plain(each) for each in members(parameter.expr) if each is not NoneType]
    if marker.verify is not None or texts != [str]:
        raise SignatureError(
            f"The parameter {parameter.name!r} of {signature.name!r} is marked {type(marker).__name__}(): this takes"
            " the credential as it was sent, a str, without verify=. To take the principal, register the scheme in"
            f" app.auth_schemes, and annotate the parameter with {'its type' if texts == [str] else spelled(texts[0])}."
        )


def accepts_one_argument(function: t.Callable[..., object]) -> bool:
    """Whether a function can be called with one positional argument; true for functions without a signature."""
    try:
        inspect.signature(function).bind(None)
    except ValueError:
        return True
    except TypeError:
        return False
    return True
