"""The values that a view may return, and their conversion to responses."""

from __future__ import annotations

import sys
import typing as t
from collections.abc import AsyncIterator, Coroutine, Iterator

from ..context import AppContract, peek_request, requesting
from ..http.errors import HTTPException
from ..http.headers import Headers
from ..messages.response import Response
from .error_format import respond

EXPECTED = (
    "A view returns a string, bytes, a dict, a list, an iterator, a Response, a WSGI application, or a tuple of one of"
    " them with a status, headers or both"
)


def make_response(self: AppContract, rv: t.Any) -> Response:
    """The response for the value `rv` that a view or an error handler returned.

    Raises TypeError if that is impossible, and names the endpoint or the type.
    """
    kind = type(rv)
    answer: Response
    # Below these come after tests that cost more than the rest.
    if kind is str:  # PERF: hello
        answer = self.response_class(rv)
        return answer
    if kind is dict or kind is list:  # PERF: item
        answer = self.json.response(rv)
        return answer
    response_class = self.response_class
    status = headers = None
    if isinstance(rv, tuple):
        if kind is tuple and len(rv) == 2 and type(rv[1]) is int:  # PERF: abort
            rv, status = rv
        else:
            rv, status, headers = unpack(rv)
        kind = type(rv)
    if rv is None:
        raise TypeError(f"{_view()} returned None: it may have come to its end without a return statement.")
    if kind is str or not isinstance(rv, response_class):
        # Errors come before iterators, because the test for an iterator takes longer. PERF: abort, missing
        if kind is str or isinstance(rv, (str, bytes, bytearray)):
            rv = response_class(rv, status=status, headers=headers)
            status = headers = None
        elif isinstance(rv, HTTPException):
            error: HTTPException = rv
            rv = respond(requesting(), error, lambda: adopt(self, error))
        elif isinstance(rv, (Iterator, AsyncIterator)):
            rv = response_class(rv, status=status, headers=headers)
            status = headers = None
        elif isinstance(rv, (dict, list)):
            rv = self.json.response(rv)
        else:
            rv = adopt(self, rv)
    if status is not None:
        if isinstance(status, (str, bytes, bytearray)):
            rv.status = status
        else:
            rv.status_code = status
    if headers:
        rv.headers.update(headers)
    response: Response = rv
    return response


def unpack(rv: tuple[t.Any, ...]) -> tuple[t.Any, t.Any, t.Any]:
    """Body, status and headers of a tuple: (body, status, headers), (body, headers) or (body, status)."""
    if len(rv) == 3:
        return rv
    if len(rv) == 2:
        if isinstance(rv[1], (Headers, dict, tuple, list)):
            return rv[0], None, rv[1]
        return rv[0], rv[1], None
    raise TypeError(
        f"{_view()} returned a tuple of {len(rv)} items. The tuple must have the form (body, status), (body, headers)"
        " or (body, status, headers)."
    )


def adopt(app: AppContract, rv: t.Any) -> Response:
    """Another kind of response, or a WSGI application, as the application's own class."""
    wrong = f"{_view()} returned a value that is no response. {EXPECTED}, but it was {_shown(rv)}."
    if not isinstance(rv, Response) and not callable(rv):
        raise TypeError(wrong)
    try:
        return app.response_class.force_type(rv, requesting().request._source)
    except TypeError as error:
        message = f"{error}\n{wrong}"
        raise TypeError(message).with_traceback(sys.exc_info()[2]) from None


def _view() -> str:
    """The view of the current request, for the beginning of a message."""
    ctx = peek_request()
    endpoint = None if ctx is None else ctx.request.endpoint
    return "The view" if endpoint is None else f"The view of the endpoint {endpoint!r}"


def _shown(rv: object) -> str:
    """A value that is no response, for a message."""
    if type(rv) is int:
        return f"an int. Return str({rv!r}) for text, or ('', {rv!r}) for a status"
    if isinstance(rv, Coroutine):
        rv.close()  # it is never awaited: Python would warn of that too
        name = getattr(rv, "__name__", "")
        return f"a coroutine of {name!r} that was not awaited. Add the missing await"
    article = "an" if type(rv).__name__[:1].lower() in "aeio" else "a"
    return f"{article} {type(rv).__name__}"
