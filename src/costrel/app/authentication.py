"""Authentication: which schemes a request has to satisfy, checked before its view is called (stage 5 of a request)."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping
from functools import partial, update_wrapper
from inspect import isasyncgenfunction, isgeneratorfunction

from ..context import requesting
from ..guards import SAFE_METHODS
from ..guards.marks import OPEN
from ..http.errors import BadRequest, HTTPException, Unauthorized
from ..messages.response_head import add_missing
from ..routing.endpoints import blueprint_path
from ..support.callables import is_async
from ..typed.candidates import VIEW_METHODS, function_for, functions_within
from ..typed.principals import accepts_one_argument
from ..typed.schemes import ABSENT, AMBIGUOUS, INVALID, BadCredential, Challenge, Scheme, SessionCookie
from ..typed.signatures import signature_of
from ..typed.steps import Step, Steps, drive, drive_async, threads_of
from .requirements import Alternative, Requirement, Security, WrongSecurity, alternatives_of, check_names, combined
from .scaffold import Scaffold
from .websocket import WebSocketView

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..context import RequestContext
    from ..guards.csrf import CrossSiteCheck
    from ..guards.limits import Limits
    from ..messages.response import Response
    from ..routing import Map, Rule
    from ..typed.plan import Plan
    from ..typed.planning import Plans
    from ..typed.principals import Key, Need
    from ..typed.providers import Provider

View: t.TypeAlias = Callable[..., t.Any]

_EMPTY: t.Final = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset)
"""Types whose false values, such as False or an empty list of rows, stand for no principal."""


class SecuredApp(t.Protocol):
    """The members of an application that its authentication uses."""

    default_security: Security | None

    @property
    def auth_schemes(self) -> Mapping[str, Scheme]: ...
    @property
    def blueprints(self) -> Mapping[str, object]: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def url_map(self) -> Map: ...
    @property
    def view_functions(self) -> Mapping[str, View]: ...


class Authentication:
    """The authentication of one application: its schemes, and the requirement of each rule."""

    def __init__(self, app: SecuredApp) -> None:
        self._app = app
        self._found: dict[tuple[int, str | None], Requirement | None] = {}
        self._async: dict[Key, bool] = {}

    # -- at the seal ----------------------------------------------------------------------------------------------

    def check_schemes(self) -> None:
        """Raise WrongSecurity for a scheme without a function, or with one that takes no credential."""
        for name, scheme in self._app.auth_schemes.items():
            kind, verify = type(scheme).__name__, scheme.verify
            parameter = "load" if isinstance(scheme, SessionCookie) else "verify"
            if verify is None:
                raise WrongSecurity(
                    f"The authentication scheme {name!r} does not check anything: pass {kind}({parameter}=...), a"
                    " function that takes a credential and returns the principal, or None."
                )
            if isgeneratorfunction(verify) or isasyncgenfunction(verify) or not accepts_one_argument(verify):
                raise WrongSecurity(
                    f"{parameter}= of the authentication scheme {name!r} is {verify!r}: it must be a function of one"
                    " parameter, the credential, that returns the principal, or None."
                )

    def secure(self, endpoint: str, view: View) -> View:
        """`view` itself, or, if one of its rules requires it, the view that authenticates the request first.

        :raises WrongSecurity: for an unknown scheme, and for a principal that a request may do without.
        """
        if not any(self._requirements(endpoint, view)):
            return view
        if isinstance(view, WebSocketView):
            return WebSocketView(view.function, self._before_socket(view.function))
        return self._secured(view)

    def is_required(self, endpoint: str) -> bool:
        """Whether a rule of an endpoint requires authentication, or at least accepts it."""
        return any(self._requirements(endpoint, self._app.view_functions[endpoint]))

    def _requirements(self, endpoint: str, view: View) -> list[Requirement | None]:
        """The requirements of all rules and methods of an endpoint; all, so that each error is found."""
        try:
            rules = [*self._app.url_map.iter_rules(endpoint)]
        except KeyError:  # a view without a rule
            return []
        return [self._requirement(rule, method, view) for rule in rules for method in sorted(rule.methods or {"GET"})]

    def of(self, rule: Rule, view: View, plan: Plan | None, needs: Iterable[Need] = ()) -> Requirement | None:
        """The requirement of a rule, given the plan of its view if that is typed.

        :raises WrongSecurity: as `secure`.
        """
        place, security = self._declared(rule, view)
        check_names(place, security, self._app.auth_schemes)
        return combined(place, alternatives_of(place, security), needs if plan is None else plan.principals)

    def is_declared(self, rule: Rule, view: View) -> bool:
        """Whether a ``security=`` covers a rule, also one that opens it."""
        return self._declared(rule, view)[1] is not None

    def _declared(self, rule: Rule, view: View) -> tuple[str, object]:
        """The innermost declaration for a rule: its own, else of its blueprint, else of one around it, ..."""
        endpoint = str(rule.endpoint)
        own: object = getattr(getattr(rule, "operation", None), "security", None)
        if own is not None:
            return f"the route {rule.rule!r}", own
        if OPEN.on(view) or _is_static(view):
            return "", None
        prefix = endpoint.rpartition(".")[0]
        for name in blueprint_path(prefix) if prefix else ():
            security: object = getattr(self._app.blueprints.get(name), "default_security", None)
            if security is not None:
                return f"the blueprint {name!r}", security
        return "the application", self._app.default_security

    # -- at request time ------------------------------------------------------------------------------------------

    def of_request(self, ctx: RequestContext) -> Requirement | None:
        """The requirement for a request whose rule was found; None for a view that is open."""
        rule = ctx.request.url_rule
        view = self._app.view_functions.get(rule.endpoint)
        return None if view is None else self._requirement(rule, ctx.request.method, view)

    def _requirement(self, rule: Rule, method: str, view: View) -> Requirement | None:
        by_method = hasattr(view, "view_class")
        key = (id(rule), method if by_method else None)
        if key in self._found:
            return self._found[key]
        found = self.of(rule, view, *self._planned(str(rule.endpoint), method, view))
        if not by_method or method.lower() in VIEW_METHODS:  # a rule may accept any text as a method
            self._found[key] = found
        return found

    def _planned(self, endpoint: str, method: str, view: View) -> tuple[Plan | None, Iterable[Need]]:
        """The plan of the function that answers a method, or the principals that the view of a WebSocket takes."""
        if isinstance(view, WebSocketView):
            return None, self._needs_of_socket(view.function)
        plans = self._app.plans.of_endpoint(endpoint) if "plans" in self._app.__dict__ else ()
        within = functions_within(function_for(view, method))
        return next((plan for plan in plans if any(plan.signature.function is each for each in within)), None), ()

    def checks_before(self, ctx: RequestContext) -> tuple[bool, bool]:
        """Whether the origin and the token of an unsafe request are checked before it is authenticated.

        A request that counts because of its own credential, not of its cookie, needs neither.
        """
        requirement = self.of_request(ctx)
        if requirement is None:
            return True, True
        if self._presents_own(ctx, requirement):
            return False, False
        return True, requirement.optional

    def stand_in_for(self, name: str, scheme: Scheme) -> Provider | None:
        """The stand-in of a test for the principals of a scheme."""
        return self._app.plans.stand_in_for(name, scheme) if "plans" in self._app.__dict__ else None

    def scheme(self, key: Key) -> Scheme:
        """The scheme for a key of a requirement."""
        return self._app.auth_schemes[key] if isinstance(key, str) else key

    def _presents_own(self, ctx: RequestContext, requirement: Requirement) -> bool:
        """Whether a request has a credential for one of the schemes whose credentials browsers do not send alone."""
        schemes = {key: self.scheme(key) for key in requirement.keys}
        return any(not scheme.is_ambient and scheme.is_presented(ctx, str(key)) for key, scheme in schemes.items())

    def is_async(self, key: Key) -> bool:
        """Whether the function of a scheme is ``async def``."""
        if key not in self._async:
            self._async[key] = is_async(self.scheme(key).verify)
        return self._async[key]

    def steps(self, ctx: RequestContext) -> Steps[None]:
        """Find the principals of a request.

        :raises Unauthorized: if no alternative is satisfied. The schemes are named in ``WWW-Authenticate``.
        :raises BadRequest: if a credential was sent twice.
        :raises CrossSiteRequest: if the request counts because of its cookie, and may come from another site.
        """
        requirement = self.of_request(ctx)
        if requirement is None or ctx.requirement is requirement:
            return  # another rule of the view has one; or an extension has wrapped a view that authenticates
        if ctx.websocket is None:
            ctx._after_request_functions.append(self._finish_for(ctx, requirement))
        attempt = _Attempt(self, ctx)
        chosen = yield from attempt.first_satisfied(requirement.alternatives)
        if chosen is None and not (requirement.optional and attempt.is_anonymous):
            raise attempt.error(requirement)
        extras = []
        for key in requirement.extras:
            if (yield from attempt.satisfies(key)):
                extras.append(key)
            elif attempt.reasons[key] != ABSENT:
                raise attempt.error(requirement)
        accepted = (*(chosen or ()), *extras)
        ctx.principals = {key: attempt.principals[key] for key in accepted}
        ctx.requirement = requirement
        yield from self._check_origin(ctx, [self.scheme(key) for key in accepted])
        yield from self._count(ctx)

    def _count(self, ctx: RequestContext) -> Steps[None]:
        """Count the request against the limits per principal."""
        limits: Limits | None = getattr(ctx.app.guards, "limits", None)
        due = [] if limits is None else limits.due_for_principal(ctx.request)
        if limits is not None and due:
            principal = next(iter((ctx.principals or {}).values()), None)
            yield Step(partial(limits.count_principal, ctx.request, due, principal), False)

    def _check_origin(self, ctx: RequestContext, schemes: Iterable[Scheme]) -> Steps[None]:
        """The part of the CSRF check that depends on the credential which was accepted."""
        check: CrossSiteCheck | None = getattr(ctx.app.guards, "csrf", None)
        if check is None or ctx.websocket is not None or ctx.request.method in SAFE_METHODS:
            return
        places = {scheme.where for scheme in schemes}
        if not places.isdisjoint({"cookie", "query"}):
            # A link of another site may have the key of that site's own user.
            yield Step(partial(check.require, ctx, origin=True, token="cookie" in places), False)

    def _finish_for(self, ctx: RequestContext, requirement: Requirement) -> Callable[[Response], t.Any]:
        """The function that keeps the response out of shared caches. On a loop it is async: it need not leave that."""
        vary = [scheme.vary for key in requirement.keys if (scheme := self.scheme(key)).vary is not None]
        fields = list(dict.fromkeys(vary))

        def finish(response: Response) -> Response:
            keep_private(response, fields)
            return response

        async def finish_on_loop(response: Response) -> Response:
            return finish(response)

        return finish_on_loop if ctx.on_loop else finish

    def _secured(self, view: View) -> View:
        view_is_async = is_async(view)

        def call(*args: object, **view_args: object) -> object:
            ctx = requesting()
            drive(ctx, self.steps(ctx))
            return view(*args, **view_args)

        async def call_async(*args: object, **view_args: object) -> object:
            ctx = requesting()
            await drive_async(ctx, self.steps(ctx))
            if view_is_async:
                return await view(*args, **view_args)
            threads = await threads_of(ctx)
            if threads is None:
                return view(*args, **view_args)
            return await threads.run_blocking(ctx, partial(view, *args, **view_args), False)

        on_loop = view_is_async or any(map(self.is_async, self._app.auth_schemes))
        return update_wrapper(call_async if on_loop else call, view)

    def _before_socket(self, function: View) -> Callable[[RequestContext], Steps[dict[str, object]]]:
        needs = self._needs_of_socket(function)

        def before(ctx: RequestContext) -> Steps[dict[str, object]]:
            yield from self.steps(ctx)
            values: dict[str, object] = {}
            for need in needs:
                need.read(ctx.request, values, [])
            return values

        return before

    def _needs_of_socket(self, function: View) -> list[Need]:
        """The parameters of the view of a WebSocket that take a principal or a credential."""
        innermost = functions_within(function)[-1]
        if not getattr(innermost, "__annotations__", None):
            return []
        return self._app.plans.principals_of(signature_of(innermost))


class _Attempt:
    """The credentials of one request: each is checked at most once."""

    def __init__(self, authentication: Authentication, ctx: RequestContext) -> None:
        self._authentication = authentication
        self._ctx = ctx
        self.principals: dict[Key, object] = {}
        self.reasons: dict[Key, str] = {}
        """Why a scheme is not satisfied."""

    def first_satisfied(self, alternatives: Iterable[Alternative]) -> Steps[Alternative | None]:
        """The first alternative whose schemes are all satisfied."""
        for keys in alternatives:
            satisfied = True
            for key in keys:
                satisfied = (yield from self.satisfies(key)) and satisfied
            if satisfied:
                return keys
        return None

    def satisfies(self, key: Key) -> Steps[bool]:
        """Whether the request has a valid credential for a scheme."""
        if key not in self.principals and key not in self.reasons:
            try:
                principal = yield from self._check(key)
            except BadCredential as error:
                self.reasons[key] = error.reason
            else:
                if _is_nothing(principal):
                    self.reasons.setdefault(key, INVALID)
                else:
                    self.principals[key] = principal
        return key in self.principals

    def _check(self, key: Key) -> Steps[object]:
        ctx, scheme = self._ctx, self._authentication.scheme(key)
        if isinstance(key, str) and (stand_in := self._authentication.stand_in_for(key, scheme)) is not None:
            return (yield Step(stand_in.function, stand_in.is_async))
        credential = scheme.find(ctx, str(key))
        if credential is None:
            self.reasons[key] = ABSENT
            return None
        if scheme.verify is None:
            return credential
        principal = yield Step(partial(scheme.verify, credential), self._authentication.is_async(key))
        if hasattr(principal, "__await__"):  # of a function that is not `async def` itself
            principal = yield Step(lambda: principal, True)
        return principal

    @property
    def is_anonymous(self) -> bool:
        """Whether no credential was sent on purpose: a session may have ended."""
        return all(
            reason == ABSENT or self._authentication.scheme(key).is_ambient for key, reason in self.reasons.items()
        )

    def error(self, requirement: Requirement) -> HTTPException:
        """The error for a request without a valid credential: 400 if it has two of a kind, else 401."""
        challenges = [
            self._authentication.scheme(key).challenge(_name_of(key), self.reasons.get(key, ABSENT))
            for key in requirement.keys
        ]
        reasons = self.reasons.values()
        if AMBIGUOUS in reasons:
            return AmbiguousCredential(challenges)
        hows = dict.fromkeys(self._authentication.scheme(key).how for key in requirement.keys)
        problem = "The credential is invalid or has expired" if INVALID in reasons else "Authentication is required"
        return Unauthorized(f"{problem}: send {' or '.join(hows)}.", www_authenticate=challenges)


class AmbiguousCredential(BadRequest):
    """*400* `Bad Request`: the request has more than one credential of a kind (RFC 6750 §3.1)."""

    description = "The request has more than one credential of the same kind."

    def __init__(self, challenges: Iterable[Challenge] = ()) -> None:
        super().__init__()
        self.www_authenticate = list(challenges)

    def get_headers(self, environ: WSGIEnvironment | None = None, scope: t.Any = None) -> list[tuple[str, str]]:
        fields = super().get_headers(environ, scope)
        return [*fields, *(("WWW-Authenticate", str(challenge)) for challenge in self.www_authenticate)]


def keep_private(response: Response, vary: Iterable[str]) -> None:
    """Keep shared caches from storing a response (RFC 9111 §5.2.2.7), unless the view has chosen that itself."""
    if add_missing(response, "Cache-Control", "private") is not None:
        cache_control = response.cache_control
        if cache_control.public or cache_control.s_maxage is not None:
            return
        if not (cache_control.private or cache_control.no_store):
            cache_control.private = True
    fields = list(vary)
    if fields and "*" not in response.vary:
        response.vary.update(fields)


def _is_nothing(principal: object) -> bool:
    """Whether a result stands for no principal."""
    return principal is None or (not principal and type(principal) in _EMPTY)


def _is_static(view: View) -> bool:
    """Whether a view serves the static files of an application or blueprint."""
    owner = getattr(view, "__self__", None)
    return isinstance(owner, Scaffold) and getattr(view, "__name__", "") == "send_static_file"


def _name_of(key: Key) -> str:
    """The name of a scheme; a marker has the name of its class."""
    return key if isinstance(key, str) else type(key).__name__.lower()
