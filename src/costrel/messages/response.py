"""A response with its body: text, bytes, an iterable, an asynchronous iterable or a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urljoin

from ..http.conditional import is_resource_modified, remove_entity_headers
from ..http.dates import http_date
from ..http.errors import HTTPException, RequestedRangeNotSatisfiable
from ..http.etags import ETags, generate_etag
from ..http.headers import Headers
from ..http.ranges import Range
from ..http.urls import iri_to_uri
from ..support.properties import cached_property
from .body import Body, EdgeBody, ResponseStream, body_of, encoded
from .environ import get_current_url
from .response_head import (
    STATUS_LINES,
    HeadersInput,
    ResponseHead,
    add_missing,
    field_of,
    has_plain_headers,
    known_types,
    lower_names,
)
from .small_files import SmallFile
from .streams import ClosingIterator, RangeWrapper
from .wsgi_call import run_wsgi_app

if TYPE_CHECKING:
    from http import HTTPStatus

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .request import Request


# What a request may make its answer depend on (RFC 9110 §13.1), besides a range.
_CONDITIONS = frozenset({"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"})

# Those of `remove_entity_headers` that plain headers may have.
_PLAIN_ENTITY_HEADERS = frozenset({"Content-Encoding", "Content-Length", "Content-Type", "Last-Modified"})


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

    #: Turn a body that is an iterator into a list when somebody asks for its data.
    implicit_sequence_conversion = True
    #: Make ``Location`` an absolute URL; RFC 9110 §10.2.2 allows relative ones.
    autocorrect_location_header = False
    #: Add ``Content-Length`` wherever it can be known.
    automatically_set_content_length = True
    #: A module or object with ``loads``, for :meth:`get_json`.
    json_module: Any = json

    #: The body: a list of one ``bytes`` where it was given as text or bytes.
    response: Any
    direct_passthrough: bool = False

    _on_close: list[Callable[[], Any]] | None = None
    #: How many pairs of headers there are when nothing but type, length and known defaults has been written.
    _plain_pairs = 2

    def __init__(
        self,
        response: Body = None,
        status: int | str | HTTPStatus | None = None,
        headers: HeadersInput | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        # PERF: messages (response), abort. Most are a text and perhaps a media type and a status: that is said without
        # further calls.
        line = "200 OK" if status is None else STATUS_LINES.get(status) if status.__class__ is int else None
        if headers is None and line is not None and content_type is None and response.__class__ is str:
            named = known_types.get(self.default_mimetype if mimetype is None else mimetype)
            if (
                named is not None
                and not direct_passthrough
                and (status is not None or self.default_status == 200)
                and self.automatically_set_content_length
                and self.__class__.set_data is _set_data
            ):
                body = response.encode()
                self.response = [body]
                self._header_pairs = [named, ("Content-Length", str(len(body)))]
                # The class has these, too; Python finds them sooner here, and each is read on the way out.
                self._headers = self._on_close = None
                self._status, self._status_code = line, 200 if status is None else int(status)
                self.direct_passthrough, self._plain_pairs = False, 2
                return
        super().__init__(status, headers, mimetype, content_type)
        if direct_passthrough:
            self.direct_passthrough = True
        if response is None:
            self.response = []
        elif isinstance(response, (str, bytes, bytearray)):
            self.set_data(response)
        else:
            self.response = response

    def __repr__(self) -> str:
        if self.is_sequence:
            size = f"{sum(map(len, self.iter_encoded()))} bytes"
        else:
            size = "streamed" if self.is_streamed else "likely-streamed"
        return f"<{type(self).__name__} {size} [{self.status}]>"

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Call ``func`` when the response was sent, or could not be; usable as a decorator."""
        if self._on_close is None:
            self._on_close = []
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
        # PERF: error404. What an error says need not be sent and received first.
        if isinstance(app, HTTPException) and app.response is None and _shows_its_page(app):
            return _page_response(cls, app.get_body(environ), app.code, app.get_headers(environ))
        return cls(*run_wsgi_app(app, environ, buffered))

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
        body = value.encode() if isinstance(value, str) else value
        self.response = [body]
        if self.automatically_set_content_length:
            length = str(len(body))
            pairs = self._header_pairs
            # Still as the constructor left it: there is nothing but a content type.
            if self._headers is None and pairs is not None and len(pairs) == 1:
                pairs.append(("Content-Length", length))
            else:
                self.headers["Content-Length"] = length

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

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Parse the body as JSON; None if the content type does not say that it is.

        :param force: whatever the content type says.
        :param silent: answer None where the body is no JSON, instead of raising ValueError.
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
        """Answer the conditions of a GET or HEAD (RFC 9110 §13): with 304, 412 or part of the body (206, §14).

        :param accept_ranges: True allows ranges of bytes; a text is the value of ``Accept-Ranges``.
        :param complete_length: bytes of the whole body, needed for ranges.
        :raises RequestedRangeNotSatisfiable: if no part of the body is in the ``Range`` that was asked for.
        """
        environ: WSGIEnvironment = getattr(request_or_environ, "environ", request_or_environ)  # type: ignore[arg-type]  # without, it is one
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self
        add_missing(self, "Date", http_date())
        ranges = "bytes" if accept_ranges is True else accept_ranges
        if ranges and (ranges != "bytes" or add_missing(self, "Accept-Ranges", ranges) not in {None, ranges}):
            self.headers["Accept-Ranges"] = ranges
        partial = self._process_range_request(environ, complete_length, ranges)
        has_conditions = not environ.keys().isdisjoint(_CONDITIONS)
        if has_conditions and not partial and not self._is_modified_for(environ, ignore_if_range=True):
            match = environ.get("HTTP_IF_MATCH")
            self.status_code = 412 if match and ETags.from_header(match) else 304
        if self.automatically_set_content_length and not partial and field_of(self, "Content-Length") is None:
            length = self.calculate_content_length()
            if length is not None:
                self.headers["Content-Length"] = str(length)
        return self

    def _is_modified_for(self, environ: WSGIEnvironment, ignore_if_range: bool) -> bool:
        return is_resource_modified(
            http_range=environ.get("HTTP_RANGE"),
            http_if_range=environ.get("HTTP_IF_RANGE"),
            http_if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
            http_if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
            http_if_match=environ.get("HTTP_IF_MATCH"),
            etag=field_of(self, "ETag"),
            last_modified=field_of(self, "Last-Modified"),
            ignore_if_range=ignore_if_range,
        )

    def _is_range_request_processable(self, environ: WSGIEnvironment) -> bool:
        """Whether a range was asked for, of this very version of the resource."""
        if "HTTP_RANGE" not in environ:
            return False
        return "HTTP_IF_RANGE" not in environ or not self._is_modified_for(environ, ignore_if_range=False)

    def _process_range_request(
        self, environ: WSGIEnvironment, complete_length: int | None, accept_ranges: bool | str
    ) -> bool:
        """Cut the body to the range that was asked for; answer whether there was one."""
        if not accept_ranges or not complete_length or not self._is_range_request_processable(environ):
            return False
        wanted = Range.from_header(environ.get("HTTP_RANGE"))
        span = None if wanted is None else wanted.range_for_length(complete_length)
        content_range = None if wanted is None else wanted.to_content_range_header(complete_length)
        if span is None or content_range is None:
            raise RequestedRangeNotSatisfiable(complete_length)
        start, stop = span
        self.headers["Content-Length"] = str(stop - start)
        self.content_range = content_range
        self.status_code = 206
        self._wrap_range_response(start, stop - start)
        return True

    def _wrap_range_response(self, start: int, length: int) -> None:
        if self.status_code == 206:
            body = list(self.iter_encoded()) if self.is_sequence else self.response
            self.response = RangeWrapper(body, start, length)

    # -- sending

    @property
    def has_to_close(self) -> bool:
        """Whether :meth:`close` has something to do."""
        return self._on_close is not None or hasattr(self.response, "close") or type(self).close is not _close

    def close(self) -> None:
        """Close the body and run what :meth:`call_on_close` has; servers call it."""
        close = getattr(self.response, "close", None)
        if close is not None:
            close()
        for func in self._on_close or ():
            func()

    def __enter__(self) -> Response:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they are sent: a copy, with locations as URIs and what the status asks for.

        :raises ValueError: if the name of one is not a token.
        """
        return Headers.adopt(self._pairs_to_send(environ))

    def _pairs_to_send(self, environ: WSGIEnvironment) -> list[tuple[str, str]]:
        pairs = self._header_pairs
        pairs = Headers(self.headers)._list if pairs is None else pairs.copy()
        status = self._status_code
        if status == 304 and has_plain_headers(self):  # PERF: not_modified
            return [pair for pair in pairs if pair[0] not in _PLAIN_ENTITY_HEADERS]
        names = lower_names(pairs)
        headers = Headers.adopt(pairs)
        if "location" in names:
            headers["Location"] = self._location_to_send(environ, headers.getlist("location")[-1])
        if "content-location" in names:
            headers["Content-Location"] = iri_to_uri(headers.getlist("content-location")[-1])
        status = self.status_code
        if 100 <= status < 200 or status == 204:
            # RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status code
            # of 1xx (Informational) or 204 (No Content)."
            headers.remove("Content-Length")
        elif status == 304:
            remove_entity_headers(pairs)
        elif "content-length" not in names and self.automatically_set_content_length and self.is_sequence:
            headers["Content-Length"] = str(sum(map(len, self.iter_encoded())))
        return pairs

    def _location_to_send(self, environ: WSGIEnvironment, location: str) -> str:
        location = iri_to_uri(location)
        if self.autocorrect_location_header:
            return urljoin(iri_to_uri(get_current_url(environ, strip_querystring=True)), location)
        return location

    def _has_no_body(self, environ: WSGIEnvironment) -> bool:
        status = self.status_code
        return environ["REQUEST_METHOD"] == "HEAD" or 100 <= status < 200 or status in {204, 304}

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body as it is sent; the server closes it."""
        if self._has_no_body(environ):
            return ClosingIterator((), self.close) if self.has_to_close else ()
        if self.direct_passthrough:
            body: Iterable[bytes] = self.response
            return body
        return ClosingIterator(self.iter_encoded(), self.close)

    def headers_of_one_piece(self, environ: WSGIEnvironment) -> list[tuple[str, str]] | None:
        """The headers to send with a body that is one ``bytes``, of the length that they say, with nobody to call.

        None where it is another: :meth:`get_wsgi_headers` and :meth:`get_app_iter` have to look.
        """
        body, pairs, status, cls = self.response, self._header_pairs, self._status_code, self.__class__
        if body.__class__ is list and len(body) == 1 and not self.direct_passthrough:
            piece = body[0]
        elif body.__class__ is SmallFile:
            piece = body.whole()
        else:
            return None
        if (
            piece.__class__ is not bytes
            or pairs is None
            or self._on_close is not None
            or (status != 200 and (status < 200 or status == 204 or status == 304))
            or environ["REQUEST_METHOD"] == "HEAD"
            or cls.get_wsgi_headers is not _get_wsgi_headers
            or cls.get_app_iter is not _get_app_iter
            or cls.iter_encoded is not _iter_encoded
            or cls.close is not _close
        ):
            return None
        if self._headers is not None or len(pairs) != self._plain_pairs:
            names = lower_names(pairs)
            if "location" in names or "content-location" in names:
                return None
            if ("Content-Length", str(len(piece))) not in pairs:
                return None
        if body.__class__ is SmallFile:
            self.response = [piece]
        return [*pairs]

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Body, status line and headers as they are sent."""
        # PERF: messages (response)
        pairs = self.headers_of_one_piece(environ)
        if pairs is not None:
            return self.response, self._status, pairs
        return self._wsgi_response(environ)

    def _wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """The same of a body that is not in one piece."""
        if self.__class__.get_wsgi_headers is _get_wsgi_headers:
            pairs = self._pairs_to_send(environ)
        else:
            pairs = self.get_wsgi_headers(environ).to_wsgi_list()
        return self.get_app_iter(environ), self.status, pairs

    def for_edge(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], EdgeBody]:
        """Status, headers and body for an edge that is not WSGI.

        The body is ``bytes`` if it is complete, a :class:`FileBody` if it is a file, else an iterable or asynchronous
        iterable of bytes. After sending it, or failing to, the edge awaits the ``aclose`` of an asynchronous iterator,
        and then calls :meth:`close`.
        """
        pairs = self.headers_of_one_piece(environ)
        if pairs is not None:
            return self._status_code, pairs, self.response[0]
        headers = self.get_wsgi_headers(environ).to_wsgi_list()
        if self._has_no_body(environ):
            return self.status_code, headers, b""
        # Whoever overrides the iterable means it to be sent.
        body = body_of(self) if self.__class__.get_app_iter is _get_app_iter else None
        return self.status_code, headers, self.get_app_iter(environ) if body is None else body

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        if self.__class__.get_wsgi_response is _get_wsgi_response:
            pairs = self.headers_of_one_piece(environ)
            if pairs is not None:
                start_response(self._status, pairs)
                body: Iterable[bytes] = self.response
                return body
            app_iter, status, headers = self._wsgi_response(environ)
        else:
            app_iter, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        return app_iter


# What a response checks its own class against, before it takes a short way past one of these.
_HTML = HTTPException().get_headers()
_init = Response.__init__
_set_data = Response.set_data
_get_wsgi_headers = Response.get_wsgi_headers
_get_wsgi_response = Response.get_wsgi_response
_get_app_iter = Response.get_app_iter
_iter_encoded = Response.iter_encoded
_close = Response.close


def _shows_its_page(error: HTTPException) -> bool:
    """Whether an error answers with its own body, code and headers, and with nothing that a subclass puts there."""
    cls = error.__class__
    return (
        cls.get_response is HTTPException.get_response
        and cls.__call__ is HTTPException.__call__
        and "get_response" not in error.__dict__
    )


def file_response(cls: type[Response], body: Any, pairs: list[tuple[str, str]], has_length: bool) -> Response:
    """A response of a class that sends a file, with headers that nobody else has written."""
    if getattr(cls, "__init__", None) is not _init or cls.default_status != 200:
        return cls(body, None, Headers.adopt(pairs), direct_passthrough=True)
    # As the constructor leaves it. PERF: static
    response = cls.__new__(cls)
    response.response = [] if body is None else body
    response._header_pairs, response._plain_pairs = pairs, len(pairs) if has_length else 0
    response._headers = response._on_close = None
    response._status, response._status_code = "200 OK", 200
    response.direct_passthrough = True
    return response


def _page_response(cls: type[Response], page: str, code: int | None, headers: list[tuple[str, str]]) -> Response:
    """A response of a class that shows the page of an error."""
    line = STATUS_LINES.get(code or 0)
    if (
        line is None
        or headers != _HTML
        or cls.__init__ is not _init
        or cls.set_data is not _set_data
        or not cls.automatically_set_content_length
    ):
        return cls(page, code, headers)
    # As the constructor leaves it. PERF: error404
    response = cls.__new__(cls)
    body = page.encode()
    response.response = [body]
    response._header_pairs = [*_HTML, ("Content-Length", str(len(body)))]
    response._headers = response._on_close = None
    response._status, response._status_code = line, code or 0
    response.direct_passthrough, response._plain_pairs = False, 2
    return response
