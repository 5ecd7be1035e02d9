"""The option ``security=``: which authentication schemes a request has to satisfy."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from itertools import product

if t.TYPE_CHECKING:
    from ..typed.principals import Key, Need

Security: t.TypeAlias = "str | list[t.Any] | tuple[t.Any, ...]"
"""The name of a scheme, a list of which any suffices, or a tuple of which all are necessary; ``[]`` opens a view."""

Alternative: t.TypeAlias = "tuple[Key, ...]"


class WrongSecurity(ValueError):
    """The security of a view or an authentication scheme is invalid. Raised when the application is sealed."""


class Requirement(t.NamedTuple):
    """The schemes that a request has to satisfy."""

    alternatives: tuple[Alternative, ...]
    """One of them suffices; each lists the schemes that are necessary together."""
    optional: bool = False
    """Whether a request without any credential may pass."""
    extras: Alternative = ()
    """Credentials that the view takes if they are sent."""

    @property
    def keys(self) -> list[Key]:
        """All schemes, each once."""
        return list(dict.fromkeys((*(key for keys in self.alternatives for key in keys), *self.extras)))


def check_security(place: str, security: object) -> None:
    """Raise TypeError or ValueError for a ``security=`` that is not made of names, lists and tuples."""
    alternatives_of(place, security)


def alternatives_of(place: str, security: object) -> tuple[tuple[str, ...], ...] | None:
    """The alternatives of a ``security=``: empty for ``[]``, None for None."""
    if security is None:
        return None
    if isinstance(security, list) and not security:
        return ()
    return tuple(dict.fromkeys(_alternatives_of(place, security)))


def _alternatives_of(place: str, security: object) -> list[tuple[str, ...]]:
    if isinstance(security, str):
        return [(security,)]
    if not isinstance(security, (list, tuple)):
        raise TypeError(
            f"security= of {place} contains {security!r}. It takes names of app.auth_schemes: a list of which any"
            " suffices, a tuple of which all are necessary."
        )
    if not security:
        raise ValueError(
            f"security= of {place} contains an empty {type(security).__name__}. Only security=[] as a whole opens a"
            " view."
        )
    parts = [_alternatives_of(place, each) for each in security]
    if isinstance(security, list):
        return [keys for part in parts for keys in part]
    return [tuple(dict.fromkeys(key for keys in chosen for key in keys)) for chosen in product(*parts)]


def check_names(place: str, security: object, names: Iterable[str]) -> None:
    """Raise WrongSecurity for a name that is not among the schemes of the application."""
    known = list(names)
    for keys in alternatives_of(place, security) or ():
        for name in keys:
            if name not in known:
                raise WrongSecurity(f"security= of {place} names {name!r}{_advice(name, known)}")


def _advice(name: str, known: list[str]) -> str:
    if not known:
        return f", but app.auth_schemes is empty: add app.auth_schemes[{name!r}] = Bearer(verify=...)."
    from difflib import get_close_matches  # loaded for an error only

    near = get_close_matches(name, known, n=3)
    listed = ", ".join(map(repr, near or sorted(known)))
    return f", which is not in app.auth_schemes. {'Did you mean' if near else 'It has'} {listed}{'?' if near else '.'}"


def combined(place: str, declared: tuple[tuple[str, ...], ...] | None, needs: Iterable[Need]) -> Requirement | None:
    """The requirement of a view: the declared one, and the principals and credentials that its parameters take.

    Without a declaration, a parameter that requires a principal requires the schemes that provide it.

    :raises WrongSecurity: if a parameter requires a principal that a request may do without.
    """
    needs = list(needs)
    markers = [need for need in needs if need.marker is not None]
    principals = [need for need in needs if need.marker is None]
    required = [need for need in principals if not need.has_default]
    optional = False
    alternatives: list[Alternative] = [*declared] if declared else []
    if declared:
        for need in required:
            _check_need(place, need, alternatives)
    elif declared is None and required:
        alternatives = [tuple(dict.fromkeys(keys)) for keys in product(*(need.fits for need in required))]
    elif required:
        raise WrongSecurity(f"{_named(required[0])} requires a principal, but security=[] opens {place}. {_REMEDY}")
    elif principals:
        alternatives = [(key,) for key in dict.fromkeys(key for need in principals for key in need.fits)]
        optional = True
    return _with_markers(alternatives, optional, markers)


def _with_markers(alternatives: list[Alternative], optional: bool, markers: list[Need]) -> Requirement | None:
    required = tuple(dict.fromkeys(key for need in markers if not need.has_default for key in need.fits))
    extras = tuple(key for need in markers for key in need.fits if key not in required)
    if required:
        alternatives = [(*keys, *required) for keys in alternatives] if alternatives else [required]
        if optional:
            alternatives.append(required)
        optional = False
    if not alternatives and not extras:
        return None
    return Requirement(tuple(alternatives), optional or not alternatives, extras)


_REMEDY: t.Final = "Annotate it with '... | None' to take requests without one."


def _check_need(place: str, need: Need, alternatives: Iterable[Alternative]) -> None:
    for keys in alternatives:
        if set(need.fits).isdisjoint(keys):
            how = " and ".join(map(repr, keys))
            partly = not set(need.relevant).isdisjoint(keys)
            problem = f"{how} may provide another type" if partly else f"{how} does not provide one"
            raise WrongSecurity(
                f"{_named(need)} requires a principal, but security= of {place} accepts {how}: {problem}. {_REMEDY}"
            )


def _named(need: Need) -> str:
    return f"The parameter {need.parameter!r} of {need.function!r}"
