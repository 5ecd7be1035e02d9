"""Questions of the lifecycle about the session of a request, and the answers that cost least."""

from __future__ import annotations

import typing as t

from .sessions import SecureCookieSessionInterface

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..messages.request import Request


def may_need_refresh(app: AppContract, request: Request, cookies: str) -> bool:
    """Whether the session must be opened after a view that did not use it, so that its cookie can be sent again.

    The cookie of a permanent session is sent with each response. `cookies` is the request's Cookie field.
    """
    interface = app.session_interface
    if isinstance(interface, SecureCookieSessionInterface):
        return interface.may_need_refresh(app, request, cookies)
    return app.config["SESSION_REFRESH_EACH_REQUEST"] and app.config["SESSION_COOKIE_NAME"] in cookies
