"""The request of functions after the response: its head, and its session, which is read-only."""

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
    "request.{name} cannot be used after the response: the body of the request ended with the request. Read it in the"
    " view, and pass the values to the function: after_response(fn, value)."
)

READ_ONLY: t.Final = (
    "The session cannot be changed after the response, whose headers carry its cookie. Change it in the view."
)

_LEFT_OUT: t.Final = frozenset(
    {"costrel.holds", "werkzeug.debug.preserve_context", "werkzeug.request", "werkzeug.socket", "wsgi.input"}
)
"""Entries of an environ that belong to the request itself, or keep its resources alive."""


def _gone(name: str) -> property:
    def refuse(self: Request) -> t.NoReturn:
        raise RuntimeError(NO_BODY.format(name=name))

    return property(refuse)


class BodyIsGone:
    """A mixin for a request without its body: each use of the body raises RuntimeError with the reason."""

    data = _gone("data")
    files = _gone("files")
    form = _gone("form")
    get_data = _gone("get_data()")
    get_json = _gone("get_json()")
    input_stream = _gone("input_stream")
    json = _gone("json")
    stream = _gone("stream")
    values = _gone("values")


@lru_cache(maxsize=64)
def head_class(request_class: type[Request]) -> type[Request]:
    """A subclass of an application's class of requests whose instances have no body."""
    return type(request_class.__name__, (BodyIsGone, request_class), {"__module__": request_class.__module__})


class SessionAfterResponse(Session):
    """A copy of a session: changing it raises RuntimeError."""

    def _refuse(self, *args: object, **kwargs: object) -> t.NoReturn:
        raise RuntimeError(READ_ONLY)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = update = setdefault = renew = bind_user = _refuse

    @classmethod
    def of(cls, session: object) -> SessionAfterResponse:
        """The copy of a session of any kind."""
        content = dict(session) if isinstance(session, Mapping) else {}
        try:
            made = cls(copy.deepcopy(content))
        except Exception:  # a value that cannot be copied, or written as JSON
            made = cls(content, texts={})
        if isinstance(session, Session):
            made.restore(session.created, session.seen, session.user)
        return made


class Head:
    """The head of one request, and its session, from which a context is made for each function."""

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
        """The id of the request, which ``costrel serve`` gives to each."""
        request_id: str | None = self.environ.get("HTTP_X_REQUEST_ID")
        return request_id

    def __str__(self) -> str:
        path = self.path if self.path.isprintable() else self.path.encode("unicode_escape").decode()
        told = "" if self.request_id is None else f" (request {self.request_id})"
        return f"{self.method} {path}{told}"

    def context(self) -> AfterContext:
        """A new context with the application and this head."""
        cls = self._request_class
        environ = dict(self.environ)
        request: t.Any = cls(environ) if issubclass(cls, BodyIsGone) else head_class(cls)(environ)  # type: ignore[arg-type]  # a class has a hash
        request.url_rule, request.view_args = self._rule, self._view_args
        return AfterContext(self.app, environ, request, self._session)


class AfterContext(RequestContext):
    """The context of a function after a response: an application context of its own, with the head of the request."""

    is_kept = True
    """The functions that tear the request down have run: only those of the application context run here."""

    batch: list[t.Any] | None = None
    """A list for the calls that the function itself registers, if something waits for them."""

    has_ended = False
    """Whether the function has ended, so that only the teardown functions are left."""

    way: ThreadsContract | None = None
    """The way to the event loop, for functions that the function itself registers."""

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
        """The session as the request has left it, for reading. Read from its store if the request did not use it."""
        if self._shown is None:
            self._shown = SessionAfterResponse.of(self._session)
        return self._shown

    @session.setter
    def session(self, value: object) -> t.NoReturn:
        raise RuntimeError(READ_ONLY)

    def note_end(self, name: str) -> None:
        """Called when the function `name` has ended. Logs a warning if it has changed a value in the session."""
        self.has_ended = True
        if self._shown is not None and self._shown._texts and self._shown.modified:
            self.app.logger.warning("%s changed a value in the session. The change is lost. %s", name, READ_ONLY)
