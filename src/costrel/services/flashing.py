"""Messages that one request leaves in the session for the next page to show."""

from __future__ import annotations

from collections.abc import Iterable

from .. import context
from ..support.signals import message_flashed


def flash(message: str, category: str = "message") -> None:
    """Leave a message for the next request, in the session.

    :param message: the text.
    :param category: a word for templates to tell kinds of messages apart, such as ``"error"``.
    :raises RuntimeError: outside of a request.
    """
    ctx = context.requesting()
    session = ctx.session
    # Flask's session notices an assignment, and not a change inside the list.
    session["_flashes"] = [*session.get("_flashes", ()), (category, message)]
    if message_flashed.receivers:
        app = ctx.app
        message_flashed.send(app, _async_wrapper=app.ensure_sync, message=message, category=category)


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Take the flashed messages out of the session.

    The same request gets the same messages again, and messages that were flashed in the meantime.

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
