"""The errors for code that runs without the context it needs: they name the proxy, and the user's own line."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from functools import lru_cache
from types import FrameType

OUTSIDE_APP = """Working outside of application context.

Something here needs to know its application: current_app, g, url_for, a command, an extension.
Run it inside a view or a command, or inside a block `with app.app_context(): ...`."""

OUTSIDE_REQUEST = """Working outside of request context.

Something here needs the request that is being handled: request, session, flash, a relative url_for.
Run it inside a view, or, in tests and shells, inside a block `with app.test_request_context("/"): ...`.
A generator that a view returns needs `stream_with_context` around it."""

OUTSIDE_WEBSOCKET = """Working outside of a WebSocket.

Something here needs the WebSocket that is being served: websocket.
Run it inside a view registered with 'websocket' and not with 'route', or inside a function of 'before_websocket'."""

_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep

_MOST_FRAMES = 200


def outside(message: str, used: str | None = None) -> RuntimeError:
    """The error with `message`, after whose first line stand the proxy `used`, the user's line, and the thread."""
    first, _, advice = message.partition("\n\n")
    parts = [first]
    frame = _user_frame(sys._getframe(2))
    if frame is not None:
        parts.append(_place(frame, used))
    elif used is not None:
        parts.append(f"{used!r} was used.")
    parts.append(advice)
    thread = threading.current_thread()
    if thread is not threading.main_thread():
        parts.append(
            f"This is the thread {thread.name!r}, and a thread has no context of its own. Start it by"
            " costrel.context_thread(fn), or run the function in a costrel.ContextExecutor: both take the context along"
            " from the place of the call."
        )
    return RuntimeError("\n\n".join(parts))


def _place(frame: FrameType, used: str | None) -> str:
    import linecache  # for an error only

    name, line = frame.f_code.co_filename, frame.f_lineno
    place = f'File "{name}", line {line}, in {frame.f_code.co_name}'
    source = linecache.getline(name, line, frame.f_globals).strip()
    subject = "The context was needed" if used is None else f"{used!r} was used"
    return f"{subject} here:\n  {place}" + (f"\n    {source}" if source else "")


def _user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code, otherwise of a library; None if there is neither."""
    of_library: FrameType | None = None
    for _ in range(_MOST_FRAMES):
        if frame is None:
            break
        filename = frame.f_code.co_filename
        if not filename.startswith((_HERE, "<frozen ")):
            if not filename.startswith(_libraries()):
                return frame
            of_library = of_library or frame
        frame = frame.f_back
    return of_library


@lru_cache(maxsize=1)
def _libraries() -> tuple[str, ...]:
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple({each + os.sep for path in paths for each in (path, os.path.realpath(path))})
