"""Flashed messages: a request stores them in the session, and the next page shows them."""

from __future__ import annotations

from collections.abc import Iterable

from .. import context
from ..support.signals import message_flashed


def flash(message: str, category: str = "message") -> None:
    """Store a message for the next request in the session.

    :param message: the text.
    :param category: a name by which templates can distinguish messages, such as ``"error"``.
    :raises RuntimeError: outside of a request.
    """
    ctx = context.requesting()
    session = ctx.session
    # Flask's session detects an assignment, but not a change inside the list.
    session["_flashes"] = [*session.get("_flashes", ()), (category, message)]
    if message_flashed.receivers:
        app = ctx.app
        message_flashed.send(app, _async_wrapper=app.ensure_sync, message=message, category=category)


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Remove the flashed messages from the session and return them.

    Further calls in the same request return the same messages, and those flashed in the meantime.

    :param with_categories: whether to return pairs of category and text.
    :param category_filter: the categories to return; all if it is empty.
    :raises RuntimeError: outside of a request.
    """
    flashes = _taken_from_session(context.requesting())
    wanted = category_filter
    if wanted:
        flashes = [flashed for flashed in flashes if flashed[0] in wanted]
    if with_categories:
        return flashes
    return [message for _, message in flashes]


def _taken_from_session(ctx: context.RequestContext) -> list[tuple[str, str]]:
    session = ctx.session
    taken = session.pop("_flashes") if "_flashes" in session else []
    flashes = ctx.flashes = [*(ctx.flashes or ()), *taken]
    return flashes
