"""Stands in for an application that cannot be loaded after a change, until the next change."""

from __future__ import annotations

import traceback
import typing as t
from collections.abc import Iterator
from types import FrameType, TracebackType

from .. import context
from ..app.application import Costrel
from ..app.response import Response
from ..http.hosts import host_is_trusted

_HIDDEN = "The application could not be loaded. The reason is shown where the server was started."
_THIS_COMPUTER = ("localhost", "127.0.0.1")


def failed_application(error: BaseException, raises: bool = False) -> Costrel:
    """An application that answers every request with the error that kept the real one from loading.

    With `raises` it raises that error, for the debugger around it to show.

    Only this computer is told what it was, and only under its own name: a page of another site, whose name leads
    here, is not (DNS rebinding).
    """
    app = Costrel(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    text, shown = describe(error), _origin(error)
    tb = shown.__traceback__

    def answer() -> Response:
        if raises:
            raise shown.with_traceback(tb)  # each time anew: raising it adds frames
        request = context.requesting().request
        is_here = request.remote_addr in ("127.0.0.1", "::1") and host_is_trusted(request.host, _THIS_COMPUTER)
        return app.response_class(
            text if is_here else _HIDDEN,
            status=500,
            mimetype="text/plain",
            headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        )

    app.before_request(answer)
    return app


def _origin(error: BaseException) -> BaseException:
    """The error itself, or, where it only tells the terminal about another, that one."""
    told = error.__context__ if hasattr(error, "format_message") else None
    return error if told is None else told


def describe(error: BaseException) -> str:
    """The message of an error that was made for the terminal, the traceback of any other."""
    message: t.Callable[[], str] | None = getattr(error, "format_message", None)
    return message() if message else "".join(traceback.format_exception(error))


def files_of(error: BaseException) -> list[str]:
    """The files in which the error may be, for a watcher: a module that failed to load is not among the imported."""
    found: set[str] = set()
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SyntaxError) and cause.filename:
            found.add(cause.filename)
        found.update(frame.f_code.co_filename for frame in _frames(cause.__traceback__))
        cause = cause.__cause__ or cause.__context__
    return sorted(found)


def _frames(tb: TracebackType | None) -> Iterator[FrameType]:
    while tb is not None:
        yield tb.tb_frame
        tb = tb.tb_next
