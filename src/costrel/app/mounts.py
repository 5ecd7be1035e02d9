"""Mounts: ASGI and WSGI applications of any framework below a prefix of the application's paths.

Routes come first: a mount is looked up if no rule matches. Trusted hosts and proxies and the limit on bodies apply to
it, and its guard. Hooks, the session, CSRF protection and rate limits do not: they belong to the application's views.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable
from functools import cached_property

from ..guards.origins import check_origin
from ..http.errors import HTTPException, RequestEntityTooLarge
from ..messages.environ import encode, framed_stream, get_content_length
from ..messages.source import environ_of
from ..messages.streams import ClosingIterator
from ..support.asgi_types import ASGIApplication
from ..support.callables import is_asgi, is_wsgi
from ..telemetry.log_fields import note_sending
from . import lifecycle

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..context import AppContract, RequestContext, TraceContract
    from ..routing import Rule

Guard: t.TypeAlias = Callable[[Callable[[], object]], Callable[..., object]]
"""A decorator for views, such as ``login_required``, that calls the view for requests that may pass."""

REPLACED: t.Final = frozenset({"mount"})
"""The value of `RequestContext.overridden` for requests to a mount, which do not go to a view."""

_PASSED: t.Final = object()
_OWN_KEYS: t.Final = frozenset({"asgi.scope", "werkzeug.request"})
"""Entries of an environ that describe the request to the outer application."""

_variable = re.compile(r"<[^<>]*?(\w+)>")


class Mount:
    """One application below `prefix`, which has no slash at its end.

    Raises ValueError for a prefix that no path begins with, and TypeError for an application or guard of another kind.
    """

    def __init__(self, prefix: str, application: object, guard: Guard | None) -> None:
        self.prefix = checked_prefix(prefix, "a mount")
        self.application = application
        self.guard = guard
        self.asgi = _asgi_of(application)
        """The application for an ASGI server; None for a WSGI application, which runs in a thread there."""
        self.wsgi = t.cast("WSGIApplication", application) if is_wsgi(application) else None
        """The application for a WSGI server; None for an ASGI application."""
        if self.asgi is None and self.wsgi is None:
            raise TypeError(
                f"{application!r} is no application to mount: an ASGI application takes (scope, receive, send) and is"
                " async, a WSGI application takes (environ, start_response)."
            )
        if guard is not None and not callable(guard):
            raise TypeError(f"The guard of {prefix!r} is {guard!r}. It must be a decorator for views.")
        self.state: dict[str, t.Any] = {}
        """The state that the application's lifespan has stored for its requests."""
        segments = [re.escape(encode(segment)) for segment in self.prefix.split("/")[1:]]
        self._match = re.compile("".join(f"/+{segment}" for segment in segments) + r"(?=/|\Z)").match

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.prefix or '/'!r}, {self.application!r})"

    @property
    def place(self) -> str:
        """The prefix as it was written."""
        return self.prefix or "/"

    def rest_of(self, path: str) -> str | None:
        """The part of a path below the prefix; None if the path is elsewhere. Both are bytes in latin-1 (PEP 3333)."""
        match = self._match(path)
        return None if match is None else path[match.end() :]

    def is_hidden_by(self, rule: Rule) -> bool:
        """Whether a rule matches all paths below the prefix, so that no request would reach the mount."""
        if rule.websocket or rule.build_only or rule.host or rule.subdomain:
            return False
        pattern, start = "", 0
        for match in _variable.finditer(rule.rule):
            converter = rule.converters.get(match[1])
            takes = "[^/]+" if converter is None or converter.part_isolating else ".+"
            pattern += re.escape(rule.rule[start : match.start()]) + takes
            start = match.end()
        pattern += re.escape(rule.rule[start:])
        return all(re.fullmatch(pattern, f"{self.prefix}/{rest}") for rest in ("x", "x/y"))

    @cached_property
    def _guarded(self) -> Callable[..., object]:
        def pass_on() -> object:
            return _PASSED

        pass_on.__name__ = f"mount {self.place}"
        return pass_on if self.guard is None else self.guard(pass_on)

    def enter(self, ctx: RequestContext) -> lifecycle.Steps[t.Any]:
        """The response to a request for the mount: the mounted application, to be called, or the guard's response."""
        try:
            if ctx.websocket is not None and self.guard is not None:
                check_origin(ctx.app, ctx.request)
            rv = _PASSED if self.guard is None else (yield from lifecycle.call(ctx, self._guarded))
            if rv is _PASSED:
                return (yield from self._called(ctx))
        except Exception as error:
            ctx.overridden |= ctx.app.overridden_handlers
            lifecycle.drop_held(ctx, error)
            rv = yield from lifecycle.stage(ctx, "handle_user_exception", lifecycle.answer_error, error)
        return (yield from _respond(ctx, rv))

    def _called(self, ctx: RequestContext) -> lifecycle.Steps[WsgiCall | AsgiCall]:
        source = ctx.request._source
        length = get_content_length(source)
        if self.asgi is not None and (ctx.sends_async or self.wsgi is None):
            call = AsgiCall(self, self.asgi, ctx)
            call.check_size(length or 0)
            return call
        environ = dict(environ_of(source))
        environ["wsgi.input"] = framed_stream(environ, length, ctx.request.max_content_length)
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + encode(self.prefix)
        environ["PATH_INFO"] = self.rest_of(normalised(environ.get("PATH_INFO", "")))
        if ctx.on_loop:
            yield lifecycle.TO_THREAD
        return WsgiCall(
            t.cast("WSGIApplication", self.wsgi),
            {key: value for key, value in environ.items() if key not in _OWN_KEYS and not key.startswith("costrel.")},
            ctx.trace,
        )


class WsgiCall:
    """The response of a mounted WSGI application: a WSGI application itself, which the edges call."""

    def __init__(self, application: WSGIApplication, environ: WSGIEnvironment, trace: TraceContract | None) -> None:
        self._application = application if trace is None else trace.around_wsgi(application)
        self._environ = environ
        self._trace = trace

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the application with the environ below its prefix. An HTTP error of its body's stream is the answer."""
        note_sending(self._environ, None)
        try:
            body = self._application(self._environ, start_response)
        except HTTPException as error:
            answer: Iterable[bytes] = error.get_response(environ)(environ, start_response)
            return answer
        if isinstance(body, (list, tuple)) or type(body) is environ.get("wsgi.file_wrapper"):
            return body
        return ClosingIterator(body)  # the edge runs it in the context variables of the request

    def close(self) -> None:
        """The application was not called, or its response could not be sent."""
        if self._trace is not None:
            self._trace.close()


class AsgiCall:
    """The response of a mounted ASGI application, which an ASGI edge calls when the request's context has ended."""

    on_end: Callable[[], None] | None = None
    """Called in a thread when the application has ended."""

    def __init__(self, mount: Mount, application: ASGIApplication, ctx: RequestContext) -> None:
        self.mount = mount
        self.application = application if ctx.trace is None else ctx.trace.around_asgi(application)
        self._trace = ctx.trace
        self.app = ctx.app
        self.source = ctx.request._source
        self.limit: int | None = ctx.request.max_content_length
        """The most bytes of a body."""

    def check_size(self, size: int) -> None:
        """Raise RequestEntityTooLarge for a body of more bytes than ``MAX_CONTENT_LENGTH`` allows."""
        if self.limit is not None and size > self.limit:
            raise RequestEntityTooLarge(
                f"The request's body has {size:,} bytes or more, MAX_CONTENT_LENGTH allows {self.limit:,}."
            )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.NoReturn:
        """Raise RuntimeError: the server, or the middleware around the application, is WSGI."""
        raise RuntimeError(needs_asgi(self.mount.place))

    def close(self) -> None:
        """The application was not called, or its response could not be sent."""
        if self._trace is not None:
            self._trace.close()


def needs_asgi(place: str) -> str:
    """The error message for an ASGI application under a WSGI server."""
    return (
        f"The application that is mounted at {place!r} is an ASGI application, which a WSGI server cannot call."
        " Serve 'app.asgi', as 'costrel serve' does; in tests, use app.test_client(edge=\"asgi\")."
    )


def refuse_asgi_mounts(app: AppContract) -> None:
    """Raise RuntimeError if an ASGI application is mounted, for the start of a WSGI server."""
    for mount in app.mounts:
        if mount.wsgi is None:
            raise RuntimeError(needs_asgi(mount.place))


def find_mount(app: AppContract, path: str) -> Mount | None:
    """The mount with the longest prefix of a path (bytes in latin-1), or None."""
    path = normalised(path)
    for mount in app.mounts:
        if mount.rest_of(path) is not None:
            return t.cast(Mount, mount)
    return None


def add_mount(mounts: list[Mount], added: Mount, rules: Iterable[Rule]) -> list[Mount]:
    """The mounts with another one, the longest prefix first.

    Raises ValueError if the prefix is taken, or a rule matches all paths below it.
    """
    for mount in mounts:
        if mount.prefix == added.prefix:
            raise ValueError(f"The prefix {added.place!r} is taken: {mount.application!r} is mounted there.")
    for rule in rules:
        refuse_hidden(added, rule)
    return sorted([*mounts, added], key=lambda mount: mount.prefix.count("/"), reverse=True)


def refuse_hidden(mount: Mount, rule: Rule) -> None:
    """Raise ValueError if `rule` matches all paths below the mount."""
    if mount.is_hidden_by(rule):
        raise ValueError(
            f"No request would reach the application mounted at {mount.place!r}: the rule {rule.rule!r} of"
            f" {rule.endpoint!r} matches all paths below it, and routes come before mounts. Change one of the two."
        )


def normalised(path: str) -> str:
    """The path without dot segments (RFC 3986 §5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _respond(ctx: RequestContext, rv: object) -> lifecycle.Steps[t.Any]:
    """The response of the guard, with the session and the default headers, and without the functions after requests."""
    response = ctx.app.make_response(rv)
    for function in ctx._after_request_functions:
        response = yield from lifecycle.call(ctx, function, response)
    if lifecycle.keeps_session(ctx):
        response = yield from lifecycle.save_session(ctx, response)
    guards = ctx.app.guards
    if guards is not None and guards.finish is not None:
        guards.finish(ctx, response)
    return response


def _asgi_of(application: object) -> ASGIApplication | None:
    asgi = getattr(application, "asgi", None)  # an application of Costrel
    if asgi is not None and is_asgi(asgi):
        return t.cast(ASGIApplication, asgi)
    return t.cast(ASGIApplication, application) if is_asgi(application) else None


def checked_prefix(prefix: str, thing: str) -> str:
    """The prefix without a slash at its end. Raises ValueError for one that no path begins with."""
    if not isinstance(prefix, str) or not prefix.startswith("/"):
        raise ValueError(f"The prefix of {thing} is {prefix!r}. It must begin with a slash.")
    bare = prefix[:-1] if prefix.endswith("/") else prefix
    if bare and any(segment in ("", ".", "..") for segment in bare.split("/")[1:]):
        raise ValueError(f"The prefix of {thing} is {prefix!r}. It must not have empty or dot segments.")
    if not set("<>?#%\\").isdisjoint(bare):
        raise ValueError(
            f"The prefix of {thing} is {prefix!r}. It is a decoded path without variables: it must have none of"
            " < > ? # % \\."
        )
    return bare
