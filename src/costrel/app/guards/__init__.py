"""What stands between a client and the views because a setting or a decorator says so: resolved at the first request.

An application that asks for none of it (`Flask` as it comes) has no `Guards`, and pays one comparison.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Generator

from . import csrf
from .cross_origin import CrossOrigin
from .csp import MARK as POLICY_MARK
from .csp import csp_nonce
from .headers import HeaderDefaults
from .limits import Limits
from .marks import has_marks
from .proxies import FORWARDED as FORWARDED
from .proxies import Proxies

SAFE_METHODS: t.Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that change nothing (RFC 9110 §9.2.1)."""

Finish: t.TypeAlias = Callable[[t.Any, t.Any], None]


class Guards:
    """The guards of one application, each None where nothing asks for it. PERF: hello (called without detours)."""

    def __init__(self, app: t.Any) -> None:
        config = app.config
        proxies = Proxies.of(config.get("TRUSTED_PROXIES"))
        headers = HeaderDefaults.of(app)
        self.arrive: Callable[[dict[str, t.Any]], None] | None = None if proxies is None else proxies.apply
        """Called before anything reads an environ with one of `FORWARDED`: believes the trusted proxies alone."""
        self.cross_origin = CrossOrigin.of(app)
        """Answers preflight requests, before all else."""
        self.limits = Limits.of(app)
        """Counts requests."""
        self.csrf = csrf.CrossSiteCheck.of(app)
        """Checks requests with unsafe methods, before the hooks and the view."""
        self.meet_all = self.cross_origin is not None or self.limits is not None
        """Whether `admit` has something to do for requests with safe methods too."""
        self._finishers: list[Finish] = [
            guard.finish for guard in (self.cross_origin, self.limits) if guard is not None
        ]
        if headers is not None:
            self._finishers.append(headers.add)
        one = len(self._finishers) == 1
        self.finish: Finish | None = self._finishers[0] if one else self._finish if self._finishers else None
        """Called when all the others have had the response: adds the headers that nobody has set."""
        self.headers = None if headers is None or self.meet_all else headers.always
        """Those headers as a list where it is the same for all responses, to be added without that call."""

    @classmethod
    def of(cls, app: t.Any) -> Guards | None:
        """The guards that the settings and decorators of `app` ask for; None where they ask for none."""
        guards = cls(app)
        return guards if guards.arrive or guards.csrf or guards.finish else None

    def _finish(self, ctx: t.Any, response: t.Any) -> None:
        for finish in self._finishers:
            finish(ctx, response)

    def trusts(self, request: t.Any, origin: str) -> bool:
        """Whether a CORS policy lets pages of `origin` make a browser send this request."""
        return self.cross_origin is not None and self.cross_origin.trusts(request, origin)


def admit(ctx: t.Any, to_thread: object) -> Generator[t.Any, t.Any, t.Any]:
    """What comes before the hooks: the answer to a preflight request, the limits, the check of who sends.

    Raises TooManyRequests and CrossSiteRequest. Yields `to_thread` before it may block a loop.
    """
    guards: Guards = ctx.app.guards
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


def count_known(ctx: t.Any, to_thread: object) -> Generator[t.Any, t.Any, None]:
    """What comes between the hooks and the view: the limits of those that the hooks may have come to know."""
    limits = ctx.app.guards.limits
    due = [] if limits is None else limits.due(ctx.request, True)
    if due:
        yield from limits.count(ctx, due, to_thread)


def template_names(app: t.Any) -> dict[str, Callable[..., t.Any]]:
    """What the templates of `app` may call because its settings turn the guards on."""
    config = app.config
    names: dict[str, Callable[..., t.Any]] = {}
    if config.get("CSRF_PROTECTION"):
        names["csrf_token"] = csrf.csrf_token
    if (
        config.get("CONTENT_SECURITY_POLICY")
        or config.get("CONTENT_SECURITY_POLICY_REPORT_ONLY")
        or has_marks(app, POLICY_MARK)
    ):
        names["csp_nonce"] = csp_nonce
    return names
