"""What stands between a client and the views because a setting says so: resolved once, at the first request.

An application whose settings ask for none of it (`Flask` as it comes) has no `Guards`, and pays one comparison.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Generator

from . import csrf
from .csp import csp_nonce
from .headers import HeaderDefaults
from .proxies import FORWARDED as FORWARDED
from .proxies import Proxies

SAFE_METHODS: t.Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that change nothing (RFC 9110 §9.2.1)."""


class Guards:
    """The guards of one application, each None where its setting is off. PERF: hello (called without detours)."""

    def __init__(self, app: t.Any) -> None:
        config = app.config
        proxies = Proxies.of(config.get("TRUSTED_PROXIES"))
        headers = HeaderDefaults.of(config)
        self.arrive: Callable[[dict[str, t.Any]], None] | None = None if proxies is None else proxies.apply
        """Called before anything reads an environ with one of `FORWARDED`: believes the trusted proxies alone."""
        self.csrf = csrf.CrossSiteCheck.of(config)
        """Checks requests with unsafe methods, before the hooks and the view."""
        self.finish: Callable[[dict[str, t.Any], t.Any], None] | None = None if headers is None else headers.add
        """Called when all the others have had the response: adds the headers that nobody has set."""
        self.headers = None if headers is None else headers.always
        """Those headers as a list where it is the same for all responses, to be added without that call."""

    @classmethod
    def of(cls, app: t.Any) -> Guards | None:
        """The guards that the settings of `app` ask for; None where they ask for none."""
        guards = cls(app)
        return guards if guards.arrive or guards.csrf or guards.finish else None


def check_site(ctx: t.Any, to_thread: object) -> Generator[t.Any, t.Any, None]:
    """Raise CrossSiteRequest for a request of another site's page. Yields `to_thread` before it may block a loop."""
    check = ctx.app.guards.csrf
    if check is not None:
        if ctx.on_loop and check.needs_token:
            yield to_thread
        check.check(ctx)


def template_names(app: t.Any) -> dict[str, Callable[..., t.Any]]:
    """What the templates of `app` may call because its settings turn the guards on."""
    names: dict[str, Callable[..., t.Any]] = {}
    if app.config.get("CSRF_PROTECTION"):
        names["csrf_token"] = csrf.csrf_token
    if app.config.get("CONTENT_SECURITY_POLICY"):
        names["csp_nonce"] = csp_nonce
    return names
