"""Signing users in and out of the session, and the principal of the current request."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ..context import requesting
from ..guards.csrf import SESSION_KEY as CSRF_SECRET
from ..sessions.session import Session
from ..typed.schemes import SessionCookie, session_key

if t.TYPE_CHECKING:
    from ..sessions.interface import SessionMixin
    from .application import Costrel

P = t.TypeVar("P")

_NO_SCHEME: t.Final = (
    "{name}() needs an authentication scheme for the session: app.auth_schemes['session'] = SessionCookie(load=...),"
    " with a function that takes the identifier of a user and returns the user, or None."
)


def login_user(principal: object, *, scheme: str | None = None, permanent: bool | None = None) -> None:
    """Sign a principal in: later requests with the cookie of the session authenticate as this principal.

    The session gets a new identifier and a new CSRF token (session fixation). It keeps its other data, such as the cart
    of a visitor, unless another user was signed in. `session.user` is set too, so that the session is listed with those
    of the user.

    :param scheme: the name of the `SessionCookie`, if there are several.
    :param permanent: sets `session.permanent`: whether the session outlives the browser's.
    :raises RuntimeError: without a `SessionCookie` in ``app.auth_schemes``, or without a secret key.
    :raises TypeError: if the principal has no identifier.
    """
    ctx = requesting()
    app = t.cast("Costrel", ctx.app)
    name = _scheme_for(app, principal, scheme)
    identifier = identifier_of(t.cast("SessionCookie", app.auth_schemes[name]), principal)
    session: SessionMixin = ctx.session
    known = session.get(session_key(name))
    if known is not None and known != identifier:
        session.clear()
    session[session_key(name)] = identifier
    session.pop(CSRF_SECRET, None)
    if permanent is not None:
        session.permanent = permanent
    if isinstance(session, Session):
        session.user = str(identifier)
    _renew(app, session)
    ctx.principals = {**(ctx.principals or {}), name: principal}


def logout_user() -> None:
    """Sign the user out: the session ends with all of its data. Values that are set afterwards begin a new session."""
    ctx = requesting()
    app = t.cast("Costrel", ctx.app)
    session: SessionMixin = ctx.session
    if session:
        session.clear()
        _renew(app, session)
    ctx.principals = None


@t.overload
def current_principal(kind: None = None) -> object | None: ...
@t.overload
def current_principal(kind: type[P]) -> P | None: ...
def current_principal(kind: type[t.Any] | None = None) -> object | None:
    """The principal of the current request, of the class `kind` if that is given.

    None if the view has no `security`, or if the request has passed without a credential. Typed views take the
    principal as a parameter.
    """
    found = (requesting().principals or {}).values()
    return next((each for each in found if kind is None or isinstance(each, kind)), None)


def identifier_of(scheme: SessionCookie, principal: object) -> object:
    """The text, number or UUID by which a session refers to a principal.

    :raises TypeError: if it has none.
    """
    from uuid import UUID  # slow to load

    made: object = principal
    if scheme.identify is not None:
        made = scheme.identify(principal)
    elif not isinstance(principal, (str, int, UUID)):
        get_id: Callable[[], object] | None = getattr(principal, "get_id", None)
        made = getattr(principal, "id", None)
        if made is None and callable(get_id):
            made = get_id()
    if not isinstance(made, (str, int, UUID)) or isinstance(made, bool):
        raise TypeError(
            f"login_user() cannot tell how a session refers to {type(principal).__name__!r}, whose identifier is"
            f" {made!r}. It must be text, a number or a UUID: pass SessionCookie(load=..., identify=lambda user: ...)."
        )
    return made


def _scheme_for(app: Costrel, principal: object, name: str | None) -> str:
    schemes = [each for each, scheme in app.auth_schemes.items() if isinstance(scheme, SessionCookie)]
    if name is not None:
        if name not in schemes:
            raise RuntimeError(f"app.auth_schemes[{name!r}] is no SessionCookie. There are: {schemes!r}.")
        return name
    if not schemes:
        raise RuntimeError(_NO_SCHEME.format(name="login_user"))
    if len(schemes) == 1:
        return schemes[0]
    types = app.plans.principal_types
    fitting = [each for each in schemes if type(principal) in types[each]]
    if len(fitting) != 1:
        raise RuntimeError(
            f"Several schemes may sign in {type(principal).__name__!r}: pass scheme=, one of {schemes!r}."
        )
    return fitting[0]


def _renew(app: Costrel, session: SessionMixin) -> None:
    """Give the session a new identifier, if it has one."""
    renew: Callable[[], None] | None = getattr(session, "renew", None)
    regenerate: Callable[[object], None] | None = getattr(app.session_interface, "regenerate", None)
    if renew is not None:
        renew()
    elif regenerate is not None:  # Flask-Session
        regenerate(session)
