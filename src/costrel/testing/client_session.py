"""Opens the session of a test client, so that a test can read and change it without a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .browser import COOKIES_DISABLED
from .cookie_jar import CookieJar
from .environ_builder import split_host

if TYPE_CHECKING:
    from ..app.application import Costrel
    from ..sessions.interface import SessionMixin


@contextmanager
def opened_session(
    app: Costrel, cookies: CookieJar | None, args: tuple[object, ...], kwargs: dict[str, Any]
) -> Iterator[SessionMixin]:
    """Open the session of the client with these cookies for a ``with`` block, and save it after the block.

    The arguments go to `Costrel.test_request_context`. Raises TypeError if the client keeps no cookies,
    RuntimeError if the application opens no session.
    """
    if cookies is None:
        raise TypeError(COOKIES_DISABLED)
    interface = app.session_interface
    ctx = app.test_request_context(*args, **kwargs)
    request = ctx.request
    cookies.add_to(request.environ)
    with ctx:
        session = interface.open_session(app, request)
    if session is None:
        raise RuntimeError("Session backend did not open a session. Is SECRET_KEY set?")
    yield session
    if interface.is_null_session(session):
        return
    response = app.response_class()
    with ctx:
        interface.save_session(app, session, response)
    cookies.receive(split_host(request.host)[0], request.path, response.headers.getlist("Set-Cookie"))
