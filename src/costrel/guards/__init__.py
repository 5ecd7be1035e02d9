"""Guards: the security checks and headers that settings and decorators turn on. They are created at the seal.

An application that uses none of them, such as a plain `Flask`, has no `Guards` and pays only for one comparison.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Generator

from ..context import AppContract
from ..messages.source import Fields
from . import csrf
from .compression import Compression
from .contract import Arrival, GuardedRequest, MarkedApp, RespondToError
from .cross_origin import CrossOrigin
from .csp import POLICY, csp_nonce
from .headers import HeaderDefaults
from .limits import Limits
from .notices import Notices
from .proxies import Proxies

if t.TYPE_CHECKING:
    from ..context import RequestContext
    from ..messages.response import Response

SAFE_METHODS: t.Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that do not change a resource (RFC 9110 §9.2.1)."""

Arrive: t.TypeAlias = "Callable[[RequestContext], None]"
Finish: t.TypeAlias = "Callable[[RequestContext, Response], None]"

Y = t.TypeVar("Y")


class Guards:
    """The guards of one application. Each is None if it is off.

    :param caller: reads the caller's trace headers; None if they are not needed before the route is known.
    """

    def __init__(self, app: AppContract, respond: RespondToError, caller: Arrival | None = None) -> None:
        proxies = Proxies.of(app.config.get("TRUSTED_PROXIES"))
        headers = HeaderDefaults.of(app)
        self._await(tuple(each for each in (proxies, caller) if each is not None))
        self.cross_origin = CrossOrigin.of(app, respond)
        """Answers preflight requests, before all other guards."""
        self.limits = Limits.of(app)
        """Counts requests."""
        self.csrf = csrf.CrossSiteCheck.of(app, self.cross_origin)
        """Checks requests with unsafe methods before the hooks and the view."""
        self.compression = Compression.of(app)
        """Compresses responses, last of all."""
        self.meet_all = self.cross_origin is not None or self.limits is not None
        """Whether `admit` must also be called for requests with safe methods."""
        self._finishers: list[Finish] = [
            guard.finish for guard in (self.cross_origin, self.limits) if guard is not None
        ]
        if headers is not None:
            self._finishers.append(headers.add)
        notices = Notices.of(app)
        if notices is not None:
            self._finishers.append(notices.finish)
        one = len(self._finishers) == 1
        self.finish: Finish | None = self._finishers[0] if one else self._finish if self._finishers else None
        """Called at the end of the request. Adds the headers that the response does not have yet."""

    @classmethod
    def of(cls, app: AppContract, respond: RespondToError, caller: Arrival | None = None) -> Guards | None:
        """The guards that the settings and decorators of `app` turn on; None if there are none.

        `respond` creates the response to a refused preflight request.
        """
        guards = cls(app, respond, caller)
        return guards if guards.arrive or guards.csrf or guards.finish or guards.compression else None

    def _await(self, arrivals: tuple[Arrival, ...]) -> None:
        self._arrivals = arrivals
        self.fields = arrivals[0].fields if arrivals else Fields()
        """The header fields of all arrivals."""
        for arrival in arrivals[1:]:
            self.fields = arrival.fields.joined_with(self.fields)
        one = len(arrivals) == 1
        self.arrive: Arrive | None = arrivals[0].arrive if one else self._arrive if arrivals else None
        """Called for requests with one of `fields` before anything else reads them."""

    def _arrive(self, ctx: RequestContext) -> None:
        for arrival in self._arrivals:
            if not arrival.fields.are_absent_from(ctx.request._source):
                arrival.arrive(ctx)

    def without(self, arrival: object) -> None:
        """Remove an arrival."""
        self._await(tuple(each for each in self._arrivals if each is not arrival))

    def _finish(self, ctx: RequestContext, response: Response) -> None:
        for finish in self._finishers:
            finish(ctx, response)

    def trusts(self, request: GuardedRequest, origin: str) -> bool:
        """Whether a CORS policy allows pages of `origin` to have the browser send this request."""
        return self.cross_origin is not None and self.cross_origin.trusts(request, origin)


def admit(ctx: RequestContext, to_thread: Y) -> Generator[Y, object, Response | None]:
    """Run the guards that come before the hooks: preflight requests, rate limits without a key, CSRF.

    Returns the response to a preflight request, otherwise None. Raises TooManyRequests or CrossSiteRequest for a
    refused request. Yields `to_thread` before a call that may block the event loop.
    """
    guards: Guards = ctx.app.guards  # type: ignore[assignment]  # those of `Guards.of`
    if guards.cross_origin is not None:
        answer = guards.cross_origin.preflight(ctx)
        if answer is not None:
            return answer
    limits = guards.limits
    if limits is not None:
        due = limits.due(ctx.request, False)
        if due:
            yield from limits.count(ctx, due, to_thread)
    check = guards.csrf
    if check is not None and ctx.request.method not in SAFE_METHODS:
        if ctx.on_loop and check.needs_token:
            yield to_thread
        check.check(ctx)
    return None


def count_known(ctx: RequestContext, to_thread: Y) -> Generator[Y, object, None]:
    """Check rate limits with a key, after the hooks: the key may depend on the user that a hook has loaded."""
    guards: Guards = ctx.app.guards  # type: ignore[assignment]  # those of `Guards.of`
    limits = guards.limits
    if limits is not None:
        due = limits.due(ctx.request, True)
        if due:
            yield from limits.count(ctx, due, to_thread)


def template_names(app: MarkedApp) -> dict[str, Callable[[], str]]:
    """The functions that the guards of `app` provide to its templates."""
    config = app.config
    names: dict[str, Callable[[], str]] = {}
    if config.get("CSRF_PROTECTION"):
        names["csrf_token"] = csrf.csrf_token
    if (
        config.get("CONTENT_SECURITY_POLICY")
        or config.get("CONTENT_SECURITY_POLICY_REPORT_ONLY")
        or POLICY.is_used_in(app)
    ):
        names["csp_nonce"] = csp_nonce
    return names
