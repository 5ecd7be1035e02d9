"""Compresses text, JSON, SVG and WebAssembly with a content coding that the client accepts."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Generator
from functools import lru_cache

from ..context import AppContract
from ..http import content_coding
from ..messages.byte_parts import PartsOfBody
from ..messages.compressed import CompressedAsyncIterable, CompressedIterable
from ..messages.response import EXITS, Response
from ..messages.response_head import field_of
from ..messages.small_files import SmallFile
from ..messages.streams import FileWrapper

if t.TYPE_CHECKING:
    from ..context import RequestContext

Y = t.TypeVar("Y")

SMALLEST: t.Final = 1024
"""The minimum size in bytes of a body that is compressed. A shorter body fits into one packet anyway."""

LARGE: t.Final = 32 * 1024
"""The size in bytes from which a body is compressed in a thread rather than on the event loop."""

_TYPES: t.Final = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/json",
        "application/json5",
        "application/jsonl",
        "application/ld+json",
        "application/ndjson",
        "application/sql",
        "application/wasm",
        "application/x-javascript",
        "application/x-ndjson",
        "application/xml",
        "application/xml-dtd",
        "application/yaml",
        "image/svg+xml",
    }
)
_EVENTS: t.Final = "text/event-stream"

_FIXED_BYTES: t.Final = ("Content-Encoding", "Content-Digest", "Content-MD5", "Digest")
"""Response fields that describe the exact bytes of the body, which must not change then."""

_BODY_METHODS: t.Final = frozenset({"__call__", "get_app_iter", "get_wsgi_response", "iter_encoded"})


class Compression:
    """Compresses the responses of one application."""

    @classmethod
    def of(cls, app: AppContract) -> Compression | None:
        """The compression of `app`; None if ``COMPRESS`` is off."""
        return cls() if app.config.get("COMPRESS", False) else None

    def apply(self, ctx: RequestContext, response: Response, to_thread: Y) -> Generator[Y, object, None]:
        """Compress a response if possible and worthwhile. Yields `to_thread` before it would block the event loop.

        ``Vary`` is also set if only other clients would get it compressed, and on a partial response or a 304 of such a
        resource.
        """
        if not _is_eligible(response):
            return
        _vary(response)
        if response._status_code == 206 or field_of(response, "Content-Range") is not None:
            return
        coding = _coding(ctx)
        if coding is None:
            return
        _weaken_etag(response)
        if response._status_code == 304:
            return
        data = _whole(response)
        if data is None:
            _compress_stream(response, coding)
        else:
            if ctx.on_loop and len(data) >= LARGE:
                yield to_thread
            compressed = content_coding.compress(coding, data)
            response.response, response.direct_passthrough = [compressed], False
            response.headers["Content-Length"] = str(len(compressed))
        response.headers["Content-Encoding"] = coding
        response.headers.pop("Accept-Ranges", None)  # ranges exist only for the identity coding


def _is_eligible(response: Response) -> bool:
    """Whether the response can be compressed for a client that accepts it."""
    wanted: bool | None = response.compress
    status = response._status_code
    if wanted is False or status < 200 or status in (204, 205):
        return False
    body = response.response
    content_type = body.content_type if isinstance(body, PartsOfBody) else field_of(response, "Content-Type")
    if not wanted and not _is_text(content_type):
        return False
    size = _size(response)
    if size is not None and size < SMALLEST:
        return False
    if any(field_of(response, name) is not None for name in _FIXED_BYTES):
        return False
    control = field_of(response, "Cache-Control")
    if control is not None and "no-transform" in control.lower():  # RFC 9111 §5.2.2.6
        return False
    return _BODY_METHODS.isdisjoint(EXITS.replaced(response))


def _is_text(content_type: str | None) -> bool:
    return content_type is not None and (_is_type(content_type) if len(content_type) < 200 else False)


@lru_cache(maxsize=256)
def _is_type(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/"):
        return kind != _EVENTS
    return kind in _TYPES or kind.endswith(("+json", "+xml"))


def _size(response: Response) -> int | None:
    """The size of a body in bytes; None if it is unknown. For a partial body, the size of the complete one."""
    if isinstance(response.response, PartsOfBody):
        return response.response.complete_length
    if response._status_code == 206:
        return response.content_range.length
    if response._status_code == 304:
        # The size is unknown if the view itself responds with 304. A weak ETag also validates a response that was
        # stored with a strong one, but not the other way round (RFC 9111 §4.3.4).
        return response.content_length or None
    if response.is_sequence:
        return sum(len(piece) for piece in response.iter_encoded())
    return response.content_length


def _vary(response: Response) -> None:
    vary = ", ".join(response.headers.getlist("Vary"))
    names = {name.strip().lower() for name in vary.split(",")}
    if "*" not in names and "accept-encoding" not in names:
        response.headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"


def _coding(ctx: RequestContext) -> str | None:
    """The content coding for the client; None for the identity."""
    source = ctx.request._source
    coding = content_coding.negotiate(source.get("HTTP_ACCEPT_ENCODING"), content_coding.available())
    return None if coding is None or _may_be_attacked(source) else coding


def _may_be_attacked(source: dict[str, t.Any]) -> bool:
    """Whether a request could be part of a BREACH attack.

    In this attack, a page of another site has the browser send requests with the user's credentials, and measures the
    lengths of the compressed responses.
    """
    if source.get("HTTP_SEC_FETCH_SITE") != "cross-site":
        return False
    return source.get("HTTP_COOKIE") is not None or source.get("HTTP_AUTHORIZATION") is not None


def _weaken_etag(response: Response) -> None:
    """Make the ETag weak: a strong one would have to differ for the compressed representation (RFC 9110 §8.8.3.3)."""
    etag = field_of(response, "ETag")
    if etag is not None and not etag.startswith("W/"):
        response.headers["ETag"] = f"W/{etag}"


def _whole(response: Response) -> bytes | None:
    """The body if it is in memory; otherwise None."""
    body = response.response
    if isinstance(body, SmallFile):
        return body.whole()
    return b"".join(response.iter_encoded()) if response.is_sequence else None


def _compress_stream(response: Response, coding: str) -> None:
    pieces = response.response
    coder = content_coding.coder(coding)
    if isinstance(pieces, AsyncIterable):
        response.response = CompressedAsyncIterable(pieces, coder)
    else:
        is_file = isinstance(pieces, FileWrapper) or (
            response.direct_passthrough and response.content_length is not None
        )
        response.response = CompressedIterable(pieces, coder, flushes=not is_file)
    response.direct_passthrough = False
    response.headers.pop("Content-Length", None)
