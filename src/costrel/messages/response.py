"""A response with its body: text, bytes, an iterable, an asynchronous iterable or a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from types import CoroutineType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urljoin

from ..http.conditional import OF_CONTENT, is_range_current, precondition_status
from ..http.dates import http_date
from ..http.errors import HTTPException, RequestedRangeNotSatisfiable
from ..http.etags import generate_etag
from ..http.framing import forbids_content_length, has_no_body, length_fields
from ..http.headers import Headers
from ..http.ranges import ContentRange, byte_ranges
from ..http.urls import iri_to_uri
from ..support.coroutines import run_coroutine
from ..support.properties import cached_property
from ..support.seams import Seams
from .body import Body, EdgeBody, ResponseStream, body_of, encoded, to_utf8
from .byte_parts import PartsOfBody
from .environ import get_current_url
from .response_head import (
    HeaderFields,
    HeadersInput,
    Pairs,
    ResponseHead,
    append,
    field_of,
    fields_of,
    fields_without,
    lower_names,
)
from .small_files import SmallFile
from .source import Fields, environ_of, hot
from .streams import ClosingIterator, RangeWrapper
from .wsgi_call import run_wsgi_app

if TYPE_CHECKING:
    from http import HTTPStatus

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .request import Request


# The conditions of a request, except for range conditions (RFC 9110 §13.1).
_CONDITIONS = Fields("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")


class Response(ResponseHead):
    """One response, and the WSGI application that sends it.

    :param response: the body: text (sent as UTF-8), bytes, an iterable of either, or an asynchronous iterable of
        either, which only an ASGI server can send. None for an empty body.
    :param status: a code, ``HTTPStatus`` or status line.
    :param headers: pairs, or a mapping to one value or several.
    :param mimetype: the content type without a charset; ``; charset=utf-8`` is added to a type of text.
    :param content_type: the content type as it stands.
    :param direct_passthrough: give the body to the server as it is; for the file wrappers of servers.
    :raises ValueError: for a control character in status, headers or types.
    """

    #: Turn a body that is an iterator into a list when its data is used.
    implicit_sequence_conversion = True
    #: Make ``Location`` an absolute URL; RFC 9110 §10.2.2 allows relative URLs.
    autocorrect_location_header = False
    #: Add ``Content-Length`` wherever it can be known.
    automatically_set_content_length = True
    #: False sends the body as it is, True compresses any type, also event streams; None leaves it to ``COMPRESS``.
    compress: bool | None = None
    #: A module or object with ``loads``, for :meth:`get_json`.
    json_module: Any = json

    #: The body: a list of one ``bytes`` if it was given as text or bytes.
    response: Any
    direct_passthrough: bool = False

    _on_close: list[Callable[[], Any]]

    def __init__(
        self,
        response: Body = None,
        status: int | str | HTTPStatus | None = None,
        headers: HeadersInput | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        ResponseHead.__init__(self, status, headers, mimetype, content_type)
        self.direct_passthrough = direct_passthrough
        self._on_close = []
        if response.__class__ is str or isinstance(response, (str, bytes, bytearray)):
            self.set_data(response)
        elif response is None:
            self.response = []
        else:
            self.response = response

    def __repr__(self) -> str:
        if self.is_sequence:
            size = f"{sum(map(len, self.iter_encoded()))} bytes"
        else:
            size = "streamed" if self.is_streamed else "likely-streamed"
        return f"<{type(self).__name__} {size} [{self.status}]>"

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Call ``func`` when the response was sent, or could not be; usable as a decorator. It may be ``async def``."""
        self._on_close.append(func)
        return func

    # -- made from something else

    @classmethod
    def force_type(cls, response: Any, environ: WSGIEnvironment | None = None) -> Response:
        """Make a response of this class from another response, which changes its class, or from a WSGI application.

        What the application leaves out is as :class:`Response` has it, whatever the defaults of this class.

        :param environ: what to call the application with.
        """
        if isinstance(response, Response):
            response.__class__ = cls
            return response
        if environ is None:
            raise TypeError("cannot convert WSGI application into response objects without an environ")
        forced = Response.from_app(response, environ)
        forced.__class__ = cls
        return forced

    @classmethod
    def from_app(cls, app: WSGIApplication, environ: WSGIEnvironment, buffered: bool = False) -> Response:
        """Make a response from what an application answers.

        :param buffered: run it to its end at once.
        """
        if isinstance(app, HTTPException) and PAGES.are_original(app) and app.response is None:
            # Its page need not be sent and received first.
            return cls(app.get_body(environ), app.code, app.get_headers(environ))
        return cls(*run_wsgi_app(app, environ_of(environ), buffered))

    # -- the body

    @overload
    def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    def get_data(self, as_text: Literal[True]) -> str: ...
    def get_data(self, as_text: bool = False) -> bytes | str:
        """The whole body as bytes, or decoded from UTF-8. A body that is an iterator becomes a list."""
        self._ensure_sequence()
        data = b"".join(self.iter_encoded())
        return data.decode() if as_text else data

    def set_data(self, value: bytes | bytearray | str) -> None:
        """Replace the body and set ``Content-Length``."""
        body: bytes | bytearray
        try:
            body = value.encode() if value.__class__ is str or isinstance(value, str) else value
        except UnicodeEncodeError:
            body = to_utf8(str(value))
        self.response = [body]
        if self.automatically_set_content_length:
            pairs = self._header_pairs
            if self._headers is None and pairs is not None and len(pairs) == 1:  # the content type
                pairs.append(length_fields[len(body)])
            else:
                self.headers["Content-Length"] = str(len(body))

    @property
    def data(self) -> bytes:
        """The whole body as bytes; can be set to bytes or text."""
        return self.get_data()

    @data.setter
    def data(self, value: bytes | str) -> None:
        self.set_data(value)

    @property
    def json(self) -> Any:
        """The parsed body: :meth:`get_json` as an attribute."""
        return self.get_json()

    @overload
    def get_json(self, force: bool = ..., silent: Literal[False] = ...) -> Any: ...
    @overload
    def get_json(self, force: bool = ..., *, silent: bool) -> Any | None: ...
    def get_json(self, force: bool = False, silent: bool = False) -> Any | None:
        """Parse the body as JSON; None if the content type does not say that it is.

        :param force: whatever the content type says.
        :param silent: return None if the body is not JSON, instead of raising ValueError.
        """
        if not (force or self.is_json):
            return None
        try:
            return self.json_module.loads(self.get_data())
        except ValueError:
            if not silent:
                raise
            return None

    def calculate_content_length(self) -> int | None:
        """Length of the body in bytes; None if it is an iterator that must not be read yet."""
        try:
            self._ensure_sequence()
        except RuntimeError:
            return None
        return sum(map(len, self.iter_encoded()))

    @property
    def is_streamed(self) -> bool:
        """Whether the length of the body is unknown: it is an iterator."""
        try:
            len(self.response)
        except (TypeError, AttributeError):
            return True
        return False

    @property
    def is_sequence(self) -> bool:
        """Whether the body is a list or tuple."""
        return isinstance(self.response, (tuple, list))

    def _ensure_sequence(self, mutable: bool = False) -> None:
        if self.is_sequence:
            if mutable and not isinstance(self.response, list):
                self.response = list(self.response)
            return
        if self.direct_passthrough:
            raise RuntimeError(
                "The body goes to the server as it is (direct_passthrough), and cannot become a list of bytes. Set"
                " direct_passthrough to False before reading it."
            )
        if not self.implicit_sequence_conversion:
            raise RuntimeError(
                "The body is an iterator, and implicit_sequence_conversion is off: call make_sequence() before reading"
                " it."
            )
        self.make_sequence()

    def make_sequence(self) -> None:
        """Read a body that is an iterator into a list; it is closed with the response."""
        if not self.is_sequence:
            close = getattr(self.response, "close", None)
            self.response = list(self.iter_encoded())
            if close is not None:
                self.call_on_close(close)

    def iter_encoded(self) -> Iterator[bytes]:
        """The pieces of the body as bytes."""
        return encoded(self.response)

    @cached_property
    def stream(self) -> ResponseStream:
        """A writable file whose text or bytes are added to the body."""
        return ResponseStream(self)

    def freeze(self) -> None:
        """Make the response independent of iterators, so that it can be pickled: a list, with length and ``ETag``."""
        self.response = list(self.iter_encoded())
        self.headers["Content-Length"] = str(sum(map(len, self.response)))
        self.add_etag()

    # -- conditional requests and ranges

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Set an ``ETag`` that is a hash of the body, unless there is one."""
        if overwrite or "etag" not in self.headers:
            self.set_etag(generate_etag(self.get_data()), weak)

    def make_conditional(
        self,
        request_or_environ: WSGIEnvironment | Request,
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Response:
        """Answer the conditions of a GET or HEAD with 304 or 412 (RFC 9110 §13), or a range with a part (§14).

        Does nothing for other methods: their conditions must be checked before the request takes effect. A response
        whose status is not 2xx stays unchanged (§13.2.1). Ranges apply only to GET and the status 200 (§14.2). One
        range is answered with 206; several ranges with 206 and ``multipart/byteranges`` if the body is seekable and
        longer than these, else with the whole body.

        :param accept_ranges: True allows ranges of bytes; a text is the value of ``Accept-Ranges``.
        :param complete_length: bytes of the whole body, needed for ranges.
        :raises RequestedRangeNotSatisfiable: if no part of the body is in the ``Range`` that was asked for.
        """
        environ: WSGIEnvironment = getattr(request_or_environ, "_source", request_or_environ)  # type: ignore[arg-type]  # without, it is one
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self
        fields = fields_of(self)
        if fields.get("Date") is None:
            append(self, "Date", http_date())
        ranges = "bytes" if accept_ranges is True else accept_ranges
        if ranges == "bytes" and fields.get("Accept-Ranges") is None:
            append(self, "Accept-Ranges", ranges)
        elif ranges:
            self.headers["Accept-Ranges"] = ranges
        status = None if _CONDITIONS.are_absent_from(environ) else self._precondition_status(environ, fields)
        partial = False
        if status is None:
            partial = self._process_range_request(environ, complete_length, ranges)
        elif status == 412:
            self._fail_precondition()
        else:
            self.status_code = status
        if self.automatically_set_content_length and not partial and fields.get("Content-Length") is None:
            length = self.calculate_content_length()
            if length is not None:
                self.headers["Content-Length"] = str(length)
        return self

    def _precondition_status(self, environ: WSGIEnvironment, fields: HeaderFields) -> int | None:
        """The status that the request's conditions demand; None to go on."""
        if not 200 <= self._status_code < 300:
            return None
        return precondition_status(
            environ.get("HTTP_IF_MATCH"),
            environ.get("HTTP_IF_UNMODIFIED_SINCE"),
            environ.get("HTTP_IF_NONE_MATCH"),
            environ.get("HTTP_IF_MODIFIED_SINCE"),
            fields.get("ETag"),
            fields.get("Last-Modified"),
        )

    def _fail_precondition(self) -> None:
        """Answer 412 without the body: the client wanted that only if its condition is true."""
        self.status_code = 412
        close = getattr(self.response, "close", None)
        if close is not None:
            close()
        self.response, self.direct_passthrough = [], False
        headers = self.headers
        for name in ("Content-Disposition", "Content-Encoding", "Content-Language", "Content-MD5", "Content-Range"):
            headers.pop(name, None)
        headers["Content-Length"] = "0"

    def _is_range_request_processable(self, environ: WSGIEnvironment) -> bool:
        """Whether a range was asked for, of this very version of the resource."""
        if environ.get("HTTP_RANGE") is None or environ["REQUEST_METHOD"] != "GET" or self._status_code != 200:
            return False
        if_range = environ.get("HTTP_IF_RANGE")
        return if_range is None or is_range_current(if_range, field_of(self, "ETag"), field_of(self, "Last-Modified"))

    def _process_range_request(
        self, environ: WSGIEnvironment, complete_length: int | None, accept_ranges: bool | str
    ) -> bool:
        """Cut the body to the requested ranges; return whether there were any."""
        if accept_ranges not in (True, "bytes") or not complete_length:
            return False
        if not self._is_range_request_processable(environ):
            return False
        spans = byte_ranges(environ.get("HTTP_RANGE"), complete_length)
        if spans is None:
            return False
        if not spans:
            raise RequestedRangeNotSatisfiable(complete_length)
        if len(spans) > 1:
            return self._send_parts(spans, complete_length)
        start, stop = spans[0]
        self.headers["Content-Length"] = str(stop - start)
        self.content_range = ContentRange("bytes", start, stop, complete_length)
        self.status_code = 206
        self._wrap_range_response(start, stop - start)
        return True

    def _send_parts(self, spans: list[tuple[int, int]], complete_length: int) -> bool:
        """Make a body of several parts; return whether that is possible, and shorter than the whole."""
        headers = self.headers
        if "Content-Encoding" in headers:  # a client would apply the coding of the parts to the multipart body
            return False
        if self.is_sequence:
            self.response = [b"".join(self.iter_encoded())]
        parts = PartsOfBody.of(self.response, spans, complete_length, headers.get("Content-Type"))
        if parts is None or parts.length >= complete_length:  # else a short request could demand a long response
            return False
        self.response = parts
        headers["Content-Type"] = f"multipart/byteranges; boundary={parts.boundary}"
        headers["Content-Length"] = str(parts.length)
        self.status_code = 206
        return True

    def _wrap_range_response(self, start: int, length: int) -> None:
        if self.status_code == 206:
            body = list(self.iter_encoded()) if self.is_sequence else self.response
            self.response = RangeWrapper(body, start, length)

    # -- sending

    @property
    def has_to_close(self) -> bool:
        """Whether :meth:`close` has something to do."""
        body_closes = self.response.__class__ is not SmallFile and hasattr(self.response, "close")
        return bool(self._on_close) or body_closes or "close" in EXITS.replaced(self)

    def close(self) -> None:
        """Close the body and run what :meth:`call_on_close` has; servers call it."""
        close = getattr(self.response, "close", None)
        if close is not None:
            close()
        for func in self._on_close:
            result = func()
            if result.__class__ is CoroutineType:
                run_coroutine(result)

    def __enter__(self) -> Response:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they are sent: a copy, with locations as URIs and the changes that the status asks for.

        :raises ValueError: if the name of one is not a token.
        """
        return Headers.adopt(self._sent(environ)[1])

    def _headers_by(self, replaced: frozenset[str], source: WSGIEnvironment, pairs: Pairs) -> Pairs:
        """The headers that are sent if these methods among `EXITS` are replaced; `pairs` are Costrel's own."""
        return self.get_wsgi_headers(environ_of(source)).to_wsgi_list() if "get_wsgi_headers" in replaced else pairs

    def _sent(self, source: WSGIEnvironment) -> tuple[bytes | None, Pairs]:
        """The body if it is one ``bytes`` with nothing to close, and the headers, by Costrel's own methods.

        The caller asks `EXITS` which methods are replaced. If any is, the body is none such, and `_headers_by` has the
        headers.
        """
        body, pairs, status = self.response, self._header_pairs, self._status_code
        pairs = [*pairs] if self._headers is None and pairs is not None else self._resolved_pairs(source)
        if status != 200 and has_no_body(status):
            closes = body.__class__ is not list or self._on_close
            return (None if closes else b""), _without_content(pairs, status)
        if body.__class__ is list:
            piece = body[0] if len(body) == 1 else None
        else:
            piece = body.whole() if body.__class__ is SmallFile else None
        if piece.__class__ is bytes and length_fields[len(piece)] in pairs:
            if self._on_close:
                return None, pairs
            return (piece if hot(source, "REQUEST_METHOD") != "HEAD" else b""), pairs
        if self.automatically_set_content_length and self.is_sequence and not _has_length(pairs):
            pairs.append(("Content-Length", str(sum(map(len, self.iter_encoded())))))
        return None, pairs

    def _resolved_pairs(self, environ: WSGIEnvironment) -> Pairs:
        """A copy of the headers. Their names are checked, and URIs made of those that are locations."""
        pairs = Headers(self.headers)._list if self._header_pairs is None else [*self._header_pairs]
        names = lower_names(pairs)
        if "location" in names or "content-location" in names:
            headers = Headers.adopt(pairs)
            if "location" in names:
                headers["Location"] = self._location_to_send(environ, headers.getlist("location")[-1])
            if "content-location" in names:
                headers["Content-Location"] = iri_to_uri(headers.getlist("content-location")[-1])
        return pairs

    def _location_to_send(self, environ: WSGIEnvironment, location: str) -> str:
        location = iri_to_uri(location)
        if self.autocorrect_location_header:
            return urljoin(iri_to_uri(get_current_url(environ_of(environ), strip_querystring=True)), location)
        return location

    def _has_no_body(self, environ: WSGIEnvironment) -> bool:
        status = self._status_code
        return has_no_body(status, hot(environ, "REQUEST_METHOD"))

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body as it is sent; the server closes it."""
        if self._has_no_body(environ):
            return ClosingIterator((), self.close) if self.has_to_close else ()
        if self.direct_passthrough:
            body: Iterable[bytes] = self.response
            return body
        return ClosingIterator(self.iter_encoded(), self.close)

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, Pairs]:
        """Body, status line and headers as they are sent."""
        piece, pairs = self._sent(environ)
        replaced = EXITS.replaced(self)
        if replaced:
            piece, pairs = None, self._headers_by(replaced, environ, pairs)
        if piece is None:
            return self.get_app_iter(environ), self._status, pairs
        return () if not piece and self._has_no_body(environ) else (piece,), self._status, pairs

    def body_for_edge(
        self, source: WSGIEnvironment, replaced: frozenset[str]
    ) -> tuple[EdgeBody, Callable[[], None] | None]:
        """The body for an edge that is not WSGI, unless it is one piece, and a function to call after it was sent.

        The body is ``bytes`` if it is complete, a :class:`FileBody` if it is a file, else an iterable or asynchronous
        iterable of bytes. After sending it, or failing to, the edge awaits the ``aclose`` of an asynchronous iterator,
        and then calls the function.

        :param source: of the request that is answered.
        :param replaced: the methods among `EXITS` that are not Costrel's own.
        """
        close = self.close if self.has_to_close else None
        if self._has_no_body(source):
            return b"", close
        # A class that overrides the iterable means it to be sent.
        body = None if "get_app_iter" in replaced else body_of(self)
        return self.get_app_iter(environ_of(source)) if body is None else body, close

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        app_iter, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        return app_iter


EXITS = Seams(
    Response,
    "__call__",
    "close",
    "get_app_iter",
    "get_wsgi_headers",
    "get_wsgi_response",
    "iter_encoded",
    usual=7,  # those that `Response.__init__` sets
)
"""The methods through which a response leaves."""

WRITERS = frozenset({"__call__", "get_wsgi_response"})
"""Those with which a response writes itself out as a WSGI application."""

PAGES = Seams(HTTPException, "__call__", "get_response")
"""The methods through which an HTTP error becomes a response."""


def _has_length(pairs: Pairs) -> bool:
    return any(name.lower() == "content-length" for name, _ in pairs)


def _without_content(pairs: Pairs, status: int) -> Pairs:
    """The headers of a response that has no content by its status."""
    return fields_without(pairs, _LENGTH if forbids_content_length(status) else OF_CONTENT)


_LENGTH = frozenset({"content-length"})
