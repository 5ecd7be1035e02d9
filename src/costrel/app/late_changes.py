"""Changes that come after the head of a response was sent, and so have no effect: they are logged as warnings."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Mapping
from weakref import ref

from ..telemetry.log_fields import note_sending

if t.TYPE_CHECKING:
    from ..context import RequestContext
    from ..http.headers import Headers
    from ..messages.response import Response

_LOST: t.Final = "%s while %s was sent. The change is lost, since status, headers and cookies go first: %s."


def watch(ctx: RequestContext, response: Response) -> None:
    """Prepare a stream whose head is about to be sent: late changes, log lines and the span of its request.

    The response is compared with its state after the body.
    """
    if not response.direct_passthrough and response.response.__class__ not in (list, tuple):
        response.call_on_close(_Watch(ctx, response).report)
        response.call_on_close(note_sending(ctx.request._source, ctx.request.endpoint))
        if ctx.trace is not None:
            ctx.trace.follow(response, ctx.request._source["REQUEST_METHOD"])


class _Watch:
    """The state of a request and its response at the moment in which the head is sent."""

    def __init__(self, ctx: RequestContext, response: Response) -> None:
        self._ctx = ctx
        self._response = ref(response)  # a cycle would keep a stream that is not read
        self._status = response._status_code
        self._fields = _fields(response)
        self._session = _content(ctx._opened)
        self._functions = len(ctx._after_request_functions)

    def report(self) -> None:
        """Log the differences."""
        response = self._response()
        if response is None:
            return
        if self._status != response._status_code:
            self._warn("The status was changed", "set it before the stream is returned")
        names = {name for name, _ in set(self._fields) ^ set(_fields(response))}
        if names:
            self._warn(f"The header {', '.join(sorted(names))} was changed", "set it before the stream is returned")
        if len(self._ctx._after_request_functions) != self._functions:
            self._warn("A function was passed to after_this_request", "call it before the stream is returned")
        if self._session_differs():
            self._warn("The session was changed", "change it before the stream is returned")

    def _session_differs(self) -> bool:
        session = self._ctx._opened
        if self._session is None:  # it was opened, or first used, by the stream
            return bool(getattr(session, "modified", False))
        return self._session != _content(session)

    def _warn(self, change: str, remedy: str) -> None:
        app, request = self._ctx.app, self._ctx.request
        app.logger.warning(_LOST, change, repr(request.path), remedy)


def _fields(response: Response) -> list[tuple[str, str]]:
    """The header fields, without making `Headers` of plain pairs."""
    headers: Headers | None = response._headers
    return list(headers) if headers is not None else [*(response._header_pairs or ())]


def _content(session: object) -> dict[object, object] | None:
    """A copy of a session that was used. None for no session, and for one whose content cannot be read."""
    if not isinstance(session, Mapping) or not getattr(session, "accessed", True):
        return None
    try:
        return copy.deepcopy(dict(session))
    except Exception:  # a value that cannot be copied, or a store that is down
        return None
