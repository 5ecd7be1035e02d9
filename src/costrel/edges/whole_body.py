"""Large complete bodies over WSGI: they are counted like those over ASGI, and any thread can send them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator

from ..context import RequestContext
from ..messages.response import Response
from ..messages.streams import ClosingIterator, FileWrapper, RangeWrapper
from .threads import RETRY_AFTER
from .unsent import BUSY, WHOLE, busy_fields, size_in_memory, unsent_of

_LARGEST_CHARACTER: t.Final = 4
"""Bytes of UTF-8."""


class WholeBody(ClosingIterator):
    """A body in memory. A server can read and close it in any thread, since no view code produces it."""


def write_large(
    ctx: RequestContext, response: Response, replaced: frozenset[str], fields: list[tuple[str, str]]
) -> WholeBody | tuple[bytes] | None:
    """Give status and headers to the server, and return the body; None if it need not be counted.

    If there is no room for it, the response becomes a 503.
    """
    unsent = unsent_of(ctx.app)
    if unsent.limit is None or "get_app_iter" in replaced or not _may_be_large(response.response):
        return None
    body, close = response.body_for_edge(ctx.request._source, replaced)
    size = size_in_memory(body)
    if not size:
        return None
    # The server may copy the piece: nothing here holds on to it then.
    pieces = _drained([body]) if isinstance(body, bytes) else t.cast("Iterable[bytes]", body)
    del body
    whole = WholeBody(pieces, close)
    release = unsent.hold(whole, size)
    if release is None:
        whole.close()
        ctx.start_response("503 SERVICE UNAVAILABLE", busy_fields(RETRY_AFTER))
        return (BUSY,)
    whole.call_on_close(release)
    ctx.start_response(response._status, fields)
    return whole


def _drained(pieces: list[bytes]) -> Iterator[bytes]:
    while pieces:
        yield pieces.pop(0)


def _may_be_large(body: object) -> bool:
    if isinstance(body, (list, tuple)):
        return sum(map(len, body)) * _LARGEST_CHARACTER > WHOLE
    return isinstance(body, (FileWrapper, RangeWrapper))
