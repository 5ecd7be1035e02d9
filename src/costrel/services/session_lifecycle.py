"""Questions of the lifecycle about the session of a request, and the answers that cost least.

The methods `opening_blocks` and `saving_blocks` of an interface tell whether it may block the event loop. An interface
without them may always block.
"""

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


def opening_blocks(app: AppContract, request: Request) -> bool:
    """Whether opening the session of a request may block the event loop."""
    blocks = getattr(app.session_interface, "opening_blocks", None)
    return blocks is None or bool(blocks(app, request))


def saving_blocks(app: AppContract, session: object) -> bool:
    """Whether saving a session may block the event loop."""
    blocks = getattr(app.session_interface, "saving_blocks", None)
    return blocks is None or bool(blocks(session))
