"""The stand-in for an application that fails to load after a change, until the next change."""

from __future__ import annotations

import traceback
import typing as t
from collections.abc import Iterator
from types import FrameType, TracebackType

from .. import context
from ..app.application import Costrel
from ..app.response import Response
from ..http.hosts import host_is_trusted

_HIDDEN = "The application could not be loaded. See the terminal of the server for the error."
_THIS_COMPUTER = ("localhost", "127.0.0.1")


def failed_application(error: BaseException, raises: bool = False) -> Costrel:
    """An application that responds to every request with the error of the real application's import.

    If `raises` is true, it raises that error, so that the debugger shows it. The error is shown only to requests from
    this computer with a local host name: another name could belong to a page of another site (DNS rebinding).
    """
    app = Costrel(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    text, shown = describe(error), _origin(error)
    tb = shown.__traceback__

    def answer() -> Response:
        if raises:
            raise shown.with_traceback(tb)  # with the original traceback, since raising it adds frames
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
    """The error itself, or its context if the error is click's message about another error."""
    cause = error.__context__ if hasattr(error, "format_message") else None
    return error if cause is None else cause


def describe(error: BaseException) -> str:
    """The message of a click error, or the traceback of any other error."""
    message: t.Callable[[], str] | None = getattr(error, "format_message", None)
    return message() if message else "".join(traceback.format_exception(error))


def files_of(error: BaseException) -> list[str]:
    """The files that may contain the error. The watcher needs them: a module that failed is not in `sys.modules`."""
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
