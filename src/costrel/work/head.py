"""The request as functions after the response see it: its head, and a read-only session."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Mapping
from functools import lru_cache

from ..context import AppContract, RequestContext
from ..context.contracts import ThreadsContract
from ..messages.request import Request
from ..messages.source import environ_of
from ..sessions.session import Session

NO_BODY: t.Final = (
    "request.{name} is not available after the response, because the request's body is closed. Read it in the view,"
    " and pass the values to the function: after_response(fn, value)."
)

READ_ONLY: t.Final = (
    "The session cannot be changed after the response, because its cookie is sent with the headers. Change it in the"
    " view."
)

_LEFT_OUT: t.Final = frozenset(
    {"costrel.holds", "werkzeug.debug.preserve_context", "werkzeug.request", "werkzeug.socket", "wsgi.input"}
)
"""Entries of an environ that belong to the request itself or keep its resources alive."""


def _unavailable(name: str) -> property:
    def refuse(self: Request) -> t.NoReturn:
        raise RuntimeError(NO_BODY.format(name=name))

    return property(refuse)


class WithoutBody:
    """A mixin for a request without its body: each use of the body raises RuntimeError with an explanation."""

    data = _unavailable("data")
    files = _unavailable("files")
    form = _unavailable("form")
    get_data = _unavailable("get_data()")
    get_json = _unavailable("get_json()")
    input_stream = _unavailable("input_stream")
    json = _unavailable("json")
    stream = _unavailable("stream")
    values = _unavailable("values")


@lru_cache(maxsize=64)
def head_class(request_class: type[Request]) -> type[Request]:
    """A subclass of an application's request class whose instances have no body."""
    return type(request_class.__name__, (WithoutBody, request_class), {"__module__": request_class.__module__})


class SessionAfterResponse(Session):
    """A read-only copy of a session. Changing it raises RuntimeError."""

    def _refuse(self, *args: object, **kwargs: object) -> t.NoReturn:
        raise RuntimeError(READ_ONLY)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = update = setdefault = renew = bind_user = _refuse

    @classmethod
    def of(cls, session: object) -> SessionAfterResponse:
        """A copy of a session of any class."""
        content = dict(session) if isinstance(session, Mapping) else {}
        try:
            copied = cls(copy.deepcopy(content))
        except Exception:  # a value cannot be copied, or not be written as JSON
            copied = cls(content, texts={})
        if isinstance(session, Session):
            copied.restore(session.created, session.seen, session.user)
        return copied


class Head:
    """The head and the session of one request. Each function gets a context that is made from them."""

    def __init__(self, ctx: RequestContext) -> None:
        request = ctx.request
        self.app: AppContract = ctx.app
        self.environ = {name: value for name, value in environ_of(request._source).items() if name not in _LEFT_OUT}
        self.method: str = request.method
        self.path: str = request.path
        self._rule, self._view_args = request.url_rule, request.view_args
        self._session = ctx._opened
        self._request_class: type[Request] = type(request)

    @property
    def request_id(self) -> str | None:
        """The request id that ``costrel serve`` assigns; None under servers that do not."""
        request_id: str | None = self.environ.get("HTTP_X_REQUEST_ID")
        return request_id

    def __str__(self) -> str:
        path = self.path if self.path.isprintable() else self.path.encode("unicode_escape").decode()
        suffix = "" if self.request_id is None else f" (request {self.request_id})"
        return f"{self.method} {path}{suffix}"

    def context(self) -> AfterContext:
        """A new context with this head."""
        cls = self._request_class
        environ = dict(self.environ)
        request: t.Any = cls(environ) if issubclass(cls, WithoutBody) else head_class(cls)(environ)  # type: ignore[arg-type]  # a class has a hash
        request.url_rule, request.view_args = self._rule, self._view_args
        return AfterContext(self.app, environ, request, self._session)


class AfterContext(RequestContext):
    """The context of a function after a response: an application context, with the head of the request."""

    is_kept = True
    """True, since the request's teardown functions have run, and only the application context's are left."""

    batch: list[t.Any] | None = None
    """Collects the calls that the function itself registers, if something waits for them."""

    has_ended = False
    """Whether the function has ended, and only teardown functions are left to run."""

    way: ThreadsContract | None = None
    """Runs async functions on the event loop, for functions that the function itself registers."""

    _shown: SessionAfterResponse | None = None

    def __init__(
        self,
        app: AppContract,
        environ: dict[str, t.Any],
        request: Request | None = None,
        session: object = None,
    ) -> None:
        super().__init__(app, environ, request, session)
        self.opens_early = False

    @property
    def session(self) -> SessionAfterResponse:
        """A read-only copy of the session at the end of the request. If the request has not used it, it is loaded."""
        if self._shown is None:
            self._shown = SessionAfterResponse.of(self._session)
        return self._shown

    @session.setter
    def session(self, value: object) -> t.NoReturn:
        raise RuntimeError(READ_ONLY)

    def note_end(self, name: str) -> None:
        """Record that the function `name` has ended. Logs a warning if it has changed a value inside the session."""
        self.has_ended = True
        if self._shown is not None and self._shown._texts and self._shown.modified:
            self.app.logger.warning("%s changed a value in the session, and the change is lost. %s", name, READ_ONLY)
