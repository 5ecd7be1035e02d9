"""Authentication schemes in the document: their definitions, the security of each operation, and the refusals."""

from __future__ import annotations

import typing as t

from ..app.authentication import AmbiguousCredential, Authentication
from ..app.requirements import Requirement
from ..http.errors import HTTPException, Unauthorized
from ..typed.schemes import Scheme, SessionCookie
from .routes import Route
from .schemas import Schema

if t.TYPE_CHECKING:
    from ..app.application import Costrel
    from ..typed.principals import Key

_CHALLENGE: t.Final[Schema] = {
    "description": "The accepted authentication schemes (RFC 9110 §11.6.1).",
    "schema": {"type": "string"},
}


class Security:
    """The security of the operations of an application."""

    def __init__(self, app: Costrel) -> None:
        self._app = app
        self._authentication = Authentication(app)
        self.schemes: Schema = {name: self._described(scheme) for name, scheme in sorted(app.auth_schemes.items())}
        """The definitions by name."""

    def of(self, route: Route) -> Requirement | None:
        """The requirement of an operation; None if it is open."""
        view = self._app.view_functions[route.endpoint]
        return self._authentication.of(route.rule, view, route.plan)

    def refusals(self, requirement: Requirement) -> dict[type[HTTPException], Schema]:
        """The errors with which requests without a valid credential are answered, and their header fields."""
        schemes = [self._authentication.scheme(key) for key in requirement.keys]
        found: dict[type[HTTPException], Schema] = {}
        if not requirement.optional or any(not scheme.is_ambient for scheme in schemes):
            found[Unauthorized] = {"WWW-Authenticate": {**_CHALLENGE, "required": True}}
        if any(scheme.may_be_ambiguous for scheme in schemes):
            found[AmbiguousCredential] = {"WWW-Authenticate": _CHALLENGE}
        return found

    def written(self, requirement: Requirement) -> list[Schema]:
        """A requirement as OpenAPI writes it: any of the objects, each with all of its schemes."""
        alternatives = list(requirement.alternatives)
        if requirement.extras:
            alternatives += [(*keys, *requirement.extras) for keys in alternatives or [()]]
        found: list[Schema] = [{self._name_of(key): [] for key in keys} for keys in alternatives]
        return [*found, {}] if requirement.optional else found

    def _name_of(self, key: Key) -> str:
        """The name of a scheme; the marker of a parameter has the name of an equal scheme, or gets one."""
        if isinstance(key, str):
            return key
        described = self._described(key)
        known = next((name for name, other in self.schemes.items() if other == described), None)
        if known is not None:
            return known
        name = type(key).__name__.lower()
        while name in self.schemes:
            name += "_2"
        self.schemes[name] = described
        return name

    def _described(self, scheme: Scheme) -> Schema:
        described = scheme.described()
        if isinstance(scheme, SessionCookie):
            described["name"] = self._app.config["SESSION_COOKIE_NAME"]
        return described
