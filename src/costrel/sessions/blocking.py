"""Whether opening or saving a session may block the event loop.

The methods `opening_blocks` and `saving_blocks` of the session interface decide. An interface without them may always
block.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..messages.request import Request


def opening_blocks(app: AppContract, request: Request) -> bool:
    """Whether opening the session of a request may block the event loop."""
    blocks = getattr(app.session_interface, "opening_blocks", None)
    return blocks is None or bool(blocks(app, request))


def saving_blocks(app: AppContract, session: object) -> bool:
    """Whether saving a session may block the event loop."""
    blocks = getattr(app.session_interface, "saving_blocks", None)
    return blocks is None or bool(blocks(session))
