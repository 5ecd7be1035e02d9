"""Authentication schemes: the place of a credential in a request, and the function that checks it.

They are cheap to import, since applications name them. Comparing a credential with a secret takes
`hmac.compare_digest`, so that the time of the comparison tells nothing; looking up a hash of it does as well.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from ..http.authentication import WWWAuthenticate
from ..http.grammar import quote_header_value
from ..support.patterns import LatePattern
from ..support.values import Value

if t.TYPE_CHECKING:
    from ..context import RequestContext
    from ..messages.request import Request

Verify: t.TypeAlias = Callable[..., object]
"""Takes a credential and returns the principal, or None for a credential that is not valid. It may be async."""

_is_name = LatePattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 §5.6.2
_is_printable = LatePattern(r"[ -~]+").fullmatch
_is_bearer_token = LatePattern(r"[!-~]+").fullmatch
_second_field = LatePattern(r",[ \t]*[A-Za-z][\w-]*[ \t]").search

ABSENT: t.Final = "absent"
"""The request has no credential for a scheme."""

INVALID: t.Final = "invalid"
"""It has one that is not valid."""

AMBIGUOUS: t.Final = "ambiguous"
"""It has two, and proxies may disagree on which of them counts."""


class BadCredential(Exception):
    """A credential that no `verify` needs to see. Its reason is `INVALID` or `AMBIGUOUS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Challenge(WWWAuthenticate):
    """A challenge whose parameters are quoted, as RFC 6750 §3 and the ``realm`` of RFC 9110 §11.5 demand."""

    def __init__(self, scheme: str, values: dict[str, str | None]) -> None:
        super().__init__(scheme, values)
        object.__setattr__(self, "_spelled", scheme)

    def to_header(self) -> str:
        pairs = (f"{name}={quote_header_value(value, allow_token=False)}" for name, value in self.parameters.items())
        return f"{object.__getattribute__(self, '_spelled')} {', '.join(pairs)}"


class Scheme(Value):
    """How clients show who they are. Use one of its subclasses.

    :param verify: takes a credential and returns the principal that it stands for, or None. It may be async.
    :param provides: the type of the principals, if the return annotation of `verify` does not tell.
    :param realm: the realm in challenges; by default the name of the scheme.
    """

    where: str
    """The place of the credential: ``"header"``, ``"query"`` or ``"cookie"``."""
    vary: str | None
    """The request field that responses depend on."""
    how: str
    """How to send the credential, as a part of a sentence."""
    verify: Verify | None
    provides: object
    realm: str | None

    def __init__(self, verify: Verify | None, provides: object, realm: str | None, **attributes: object) -> None:
        kind = type(self).__name__
        if verify is not None and not callable(verify):
            raise TypeError(f"{kind}() takes a function that checks a credential, not {verify!r}.")
        if realm is not None and not _is_printable(realm):
            raise ValueError(f"The realm {realm!r} of {kind}() must consist of printable ASCII characters.")
        self.__dict__.update(verify=verify, provides=provides, realm=realm, **attributes)

    def __hash__(self) -> int:
        return hash((type(self), self.where, self.realm))

    @property
    def is_ambient(self) -> bool:
        """Whether browsers send the credential by themselves, also in requests that another site makes them send."""
        return self.where == "cookie"

    @property
    def may_be_ambiguous(self) -> bool:
        """Whether `find` recognises a second credential."""
        return False

    def find(self, ctx: RequestContext, name: str) -> object:
        """The credential in a request; None if there is none. `name` is the scheme's.

        :raises BadCredential: if it cannot be valid.
        """
        raise NotImplementedError

    def is_presented(self, ctx: RequestContext, name: str) -> bool:
        """Whether a request has a credential for this scheme, valid or not."""
        try:
            return self.find(ctx, name) is not None
        except BadCredential:
            return True

    def challenge(self, name: str, reason: str) -> Challenge:
        """The challenge for a request whose credential is `ABSENT`, `INVALID` or `AMBIGUOUS`."""
        raise NotImplementedError

    def described(self) -> dict[str, object]:
        """The security scheme object of OpenAPI."""
        raise NotImplementedError


class CredentialScheme(Scheme):
    """A scheme whose credential can also be taken as it is: ``token: Annotated[str, Bearer()]``."""


class Bearer(CredentialScheme):
    """Tokens in the field ``Authorization: Bearer …`` (RFC 6750 §2.1).

    :param bearer_format: a hint for the API document, such as ``"JWT"``.
    :param flows: documents the OAuth 2 flows by which clients get a token, as OpenAPI writes them.
    """

    bearer_format: str | None
    flows: Mapping[str, object] | None

    def __init__(
        self,
        verify: Verify | None = None,
        *,
        provides: object = None,
        realm: str | None = None,
        bearer_format: str | None = None,
        flows: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(
            verify,
            provides,
            realm,
            where="header",
            vary="Authorization",
            how="a token in the field 'Authorization: Bearer ...'",
            bearer_format=bearer_format,
            flows=flows,
        )

    @property
    def may_be_ambiguous(self) -> bool:
        return True

    def find(self, ctx: RequestContext, name: str) -> str | None:
        value: str = ctx.request._source.get("HTTP_AUTHORIZATION", "")
        scheme, _, rest = value.strip(" \t").partition(" ")
        token = rest.strip(" \t")
        if scheme.lower() != "bearer" or not token:
            return None
        if _second_field(token):  # servers join fields of one name by a comma
            raise BadCredential(AMBIGUOUS)
        if not _is_bearer_token(token):
            raise BadCredential(INVALID)
        return token

    def challenge(self, name: str, reason: str) -> Challenge:
        values: dict[str, str | None] = {"realm": self.realm or name}
        if reason == INVALID:
            values |= {"error": "invalid_token", "error_description": "The token is invalid or has expired."}
        elif reason == AMBIGUOUS:
            values |= {"error": "invalid_request", "error_description": "The request has more than one token."}
        return Challenge("Bearer", values)

    def described(self) -> dict[str, object]:
        if self.flows is not None:
            return {"type": "oauth2", "flows": dict(self.flows)}
        found: dict[str, object] = {"type": "http", "scheme": "bearer"}
        if self.bearer_format is not None:
            found["bearerFormat"] = self.bearer_format
        return found


class ApiKey(CredentialScheme):
    """Keys in a header field, in the query or in a cookie.

    Raises TypeError unless one of the three is given, and ValueError for a name that no field can have.
    """

    name: str

    def __init__(
        self,
        verify: Verify | None = None,
        *,
        header: str | None = None,
        query: str | None = None,
        cookie: str | None = None,
        provides: object = None,
        realm: str | None = None,
    ) -> None:
        places = {"header": header, "query": query, "cookie": cookie}
        given = [(where, name) for where, name in places.items() if name is not None]
        if len(given) != 1:
            raise TypeError("ApiKey() takes the place of the key: one of header=, query= or cookie=.")
        where, name = given[0]
        if not name or (where != "query" and not _is_name(name)) or (where == "header" and "_" in name):
            raise ValueError(f"No {where} can have the name {name!r}, which servers drop.")
        field = {"header": name, "query": None, "cookie": "Cookie"}[where]
        place = {"header": "the field", "query": "the query parameter", "cookie": "the cookie"}[where]
        super().__init__(
            verify, provides, realm, where=where, vary=field, how=f"an API key in {place} {name!r}", name=name
        )

    @property
    def may_be_ambiguous(self) -> bool:
        return self.where == "query"

    def find(self, ctx: RequestContext, name: str) -> str | None:
        key = self._sent(ctx.request)
        if not key:
            return None
        if not _is_printable(key):
            raise BadCredential(INVALID)
        return key

    def _sent(self, request: Request) -> str | None:
        if self.where == "cookie":
            return request.cookies.get(self.name)
        if self.where == "header":
            value: str | None = request._source.get(f"HTTP_{self.name.upper().replace('-', '_')}")
            return value
        keys: list[str] = request.args.getlist(self.name)
        if len(keys) > 1:
            raise BadCredential(AMBIGUOUS)
        return keys[0] if keys else None

    def challenge(self, name: str, reason: str) -> Challenge:
        return Challenge("ApiKey", {"realm": self.realm or name, "in": self.where, "name": self.name})

    def described(self) -> dict[str, object]:
        return {"type": "apiKey", "in": self.where, "name": self.name}


class SessionCookie(Scheme):
    """The session of a user whom `login_user` has signed in.

    :param load: takes the identifier of a user and returns the principal, or None. It may be async.
    :param identify: returns the identifier of a principal: text, a number or a UUID. By default this is the principal
        itself if it is one of these, else its attribute ``id``, else the result of its method ``get_id()``.
    """

    identify: Callable[[t.Any], object] | None

    def __init__(
        self,
        load: Verify | None = None,
        *,
        identify: Callable[[t.Any], object] | None = None,
        provides: object = None,
        realm: str | None = None,
    ) -> None:
        if identify is not None and not callable(identify):
            raise TypeError(f"identify= takes a function of a principal, not {identify!r}.")
        how = "the cookie of a session in which you are signed in"
        super().__init__(load, provides, realm, where="cookie", vary="Cookie", how=how, identify=identify)

    def find(self, ctx: RequestContext, name: str) -> object:
        return ctx.session.get(session_key(name))

    def challenge(self, name: str, reason: str) -> Challenge:
        return Challenge("Cookie", {"realm": self.realm or name})

    def described(self) -> dict[str, object]:
        return {"type": "apiKey", "in": "cookie", "name": "session"}


def session_key(name: str) -> str:
    """The key under which a session has the identifier of the user of a scheme."""
    return f"_principal_{name}"


class AuthSchemes(dict[str, Scheme]):
    """The authentication schemes of an application by name.

    Raises TypeError for a value that is no scheme, and ValueError for a name that an API document cannot have.
    """

    def __setitem__(self, name: str, scheme: Scheme) -> None:
        if not isinstance(scheme, Scheme):
            raise TypeError(
                f"auth_schemes[{name!r}] is {scheme!r}: it must be a Bearer(), an ApiKey() or a SessionCookie()."
            )
        if not isinstance(name, str) or not _is_component(name):
            raise ValueError(
                f"{name!r} cannot be the name of an authentication scheme: use letters, digits, '.', '-' and '_'."
            )
        super().__setitem__(name, scheme)

    def update(self, *args: t.Any, **kwargs: Scheme) -> None:
        for name, scheme in dict(*args, **kwargs).items():
            self[name] = scheme


_is_component = LatePattern(r"[A-Za-z0-9._-]+").fullmatch  # OpenAPI 3.1 §4.8.7.1
