"""Warns if an application, or the server that calls it, breaks PEP 3333 or HTTP."""

from __future__ import annotations

import typing as t
from collections import abc
from types import TracebackType
from urllib.parse import urlparse
from warnings import warn

from ..http.conditional import is_entity_header
from ..http.framing import forbids_content_length
from ..http.headers import Headers
from ..messages.streams import FileWrapper
from ..support.closing import call_close

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ExcInfo = tuple[type[BaseException], BaseException, TracebackType]


class WSGIWarning(Warning):
    """PEP 3333 was broken."""


class HTTPWarning(Warning):
    """HTTP was broken."""


def check_type(context: str, obj: object, need: type = str) -> None:
    """Warn if an object is not exactly of a type."""
    if type(obj) is not need:
        warn(f"{context!r} requires {need.__name__!r}, got {type(obj).__name__!r}.", WSGIWarning, stacklevel=3)


class InputStream:
    """`wsgi.input`, with warnings about calls that not every server can answer."""

    def __init__(self, stream: t.IO[bytes]) -> None:
        self._stream = stream

    def read(self, *args: t.Any) -> bytes:
        if not args:
            warn(
                "'wsgi.input.read()' was called without a size: the stream need not end with the body, and a server may"
                " wait there for ever. Read as many bytes as CONTENT_LENGTH says.",
                WSGIWarning,
                stacklevel=2,
            )
        elif len(args) != 1:
            warn("Too many parameters passed to 'wsgi.input.read()'.", WSGIWarning, stacklevel=2)
        return self._stream.read(*args)

    def readline(self, *args: t.Any) -> bytes:
        if not args:
            warn(
                "'wsgi.input.readline()' was called: the stream need not end with the body. Use 'read' with a size.",
                WSGIWarning,
                stacklevel=2,
            )
        elif len(args) == 1:
            warn(
                "'wsgi.input.readline()' was called with a size, which PEP 3333 does not ask servers to take.",
                WSGIWarning,
                stacklevel=2,
            )
        else:
            raise TypeError("Too many arguments passed to 'wsgi.input.readline()'.")
        return self._stream.readline(*args)

    def __iter__(self) -> t.Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        warn("The application closed the input stream!", WSGIWarning, stacklevel=2)
        self._stream.close()


class ErrorStream:
    """`wsgi.errors`, with warnings."""

    def __init__(self, stream: t.IO[str]) -> None:
        self._stream = stream

    def write(self, s: str) -> None:
        check_type("wsgi.error.write()", s, str)
        self._stream.write(s)

    def flush(self) -> None:
        self._stream.flush()

    def writelines(self, seq: t.Iterable[str]) -> None:
        for line in seq:
            self.write(line)

    def close(self) -> None:
        warn("The application closed the error stream!", WSGIWarning, stacklevel=2)
        self._stream.close()


class GuardedWrite:
    """The `write` function that `start_response` returns; counts the bytes in `chunks`."""

    def __init__(self, write: t.Callable[[bytes], object], chunks: list[int]) -> None:
        self._write = write
        self._chunks = chunks

    def __call__(self, s: bytes) -> None:
        check_type("write()", s, bytes)
        self._write(s)
        self._chunks.append(len(s))


class GuardedIterator:
    """The body. When it is closed, the bytes that were sent are compared with the headers.

    :param headers_set: the status code and headers; filled by the time that the application starts its response.
    :param chunks: the lengths of the chunks that were sent.
    """

    closed = True  # until there is something to close

    def __init__(self, iterator: t.Iterable[bytes], headers_set: tuple[int, Headers], chunks: list[int]) -> None:
        self._iterator = iterator
        self._next = iter(iterator).__next__
        self.closed = False
        self.headers_set = headers_set
        self.chunks = chunks

    def __iter__(self) -> GuardedIterator:
        return self

    def __next__(self) -> bytes:
        if self.closed:
            warn("Iterated over closed 'app_iter'.", WSGIWarning, stacklevel=2)
        chunk = self._next()
        if not self.headers_set:
            warn("The application returned before it started the response.", WSGIWarning, stacklevel=2)
        check_type("application iterator items", chunk, bytes)
        self.chunks.append(len(chunk))
        return chunk

    def close(self) -> None:
        """Close the application's iterator, and warn if the bytes sent do not suit the headers."""
        self.closed = True
        call_close(self._iterator)
        if self.headers_set:
            for problem, category in _body_problems(*self.headers_set, sum(self.chunks)):
                warn(problem, category, stacklevel=2)

    def __del__(self) -> None:
        if not self.closed:
            warn("Iterator was garbage collected before it was closed.", WSGIWarning, stacklevel=2)


def _body_problems(status: int, headers: Headers, bytes_sent: int) -> abc.Iterator[tuple[str, type[Warning]]]:
    content_length = headers.get("content-length", type=int)
    if status == 304:
        for key, _ in headers:
            name = key.lower()
            if is_entity_header(name) and name not in ("expires", "content-location"):
                yield f"Entity header {name!r} found in 304 response.", HTTPWarning
        if bytes_sent:
            yield "304 responses must not have a body.", HTTPWarning
    elif forbids_content_length(status):
        if content_length != 0:
            yield f"{status} responses must have an empty content length.", HTTPWarning
        if bytes_sent:
            yield f"{status} responses must not have a body.", HTTPWarning
    elif content_length is not None and content_length != bytes_sent:
        yield f"Content-Length says {content_length} bytes, and {bytes_sent} were sent.", WSGIWarning


class LintMiddleware:
    """Warn about common mistakes of applications and servers; the application behaves as it would without."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def check_environ(self, environ: WSGIEnvironment) -> None:
        """Warn of missing or malformed items of an environ."""
        if type(environ) is not dict:
            warn("WSGI environment is not a standard Python dict.", WSGIWarning, stacklevel=4)
        for key in (
            "REQUEST_METHOD",
            "SERVER_NAME",
            "SERVER_PORT",
            "wsgi.version",
            "wsgi.input",
            "wsgi.errors",
            "wsgi.multithread",
            "wsgi.multiprocess",
            "wsgi.run_once",
        ):
            if key not in environ:
                warn(f"Required environment key {key!r} not found", WSGIWarning, stacklevel=3)
        if environ["wsgi.version"] != (1, 0):
            warn("Environ is not a WSGI 1.0 environ.", WSGIWarning, stacklevel=3)
        for key in ("SCRIPT_NAME", "PATH_INFO"):
            path = environ.get(key, "")
            if path and path[0] != "/":
                warn(f"{key!r} does not start with a slash: {path!r}", WSGIWarning, stacklevel=3)

    def check_start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None
    ) -> tuple[int, Headers]:
        """Warn of malformed arguments; return the status code and the headers."""
        check_type("status", status, str)
        code = status.split(None, 1)[0]
        if len(code) != 3 or not code.isdecimal():
            warn("Status code must be three digits.", WSGIWarning, stacklevel=3)
        if len(status) < 4 or status[3] != " ":
            warn(
                f"The status {status!r} is not a code of three digits, a space and a reason.",
                WSGIWarning,
                stacklevel=3,
            )
        status_code = int(code)
        if status_code < 100:
            warn("Status code < 100 detected.", WSGIWarning, stacklevel=3)
        self._check_header_list(headers)
        if exc_info is not None and not isinstance(exc_info, tuple):
            warn("Invalid value for exc_info.", WSGIWarning, stacklevel=3)
        fields = Headers(headers)
        self.check_headers(fields)
        return status_code, fields

    def _check_header_list(self, headers: list[tuple[str, str]]) -> None:
        if type(headers) is not list:
            warn("Header list is not a list.", WSGIWarning, stacklevel=4)
        for item in headers:
            if type(item) is not tuple or len(item) != 2:
                warn("Header items must be 2-item tuples.", WSGIWarning, stacklevel=4)
            name, value = item
            if type(name) is not str or type(value) is not str:
                warn("Header keys and values must be strings.", WSGIWarning, stacklevel=4)
            if name.lower() == "status":
                warn(
                    "A header named Status means something else in CGI: PEP 3333 forbids it.", WSGIWarning, stacklevel=4
                )

    def check_headers(self, headers: Headers) -> None:
        """Warn of malformed values."""
        etag = headers.get("etag")
        if etag is not None:
            if etag.startswith(("W/", "w/")):
                if etag.startswith("w/"):
                    warn("Weak etag indicator should be upper case.", HTTPWarning, stacklevel=4)
                etag = etag[2:]
            if not etag[:1] == etag[-1:] == '"':
                warn("Unquoted etag emitted.", HTTPWarning, stacklevel=4)
        location = headers.get("location")
        if location is not None and not urlparse(location).netloc:
            warn("Absolute URLs required for location header.", HTTPWarning, stacklevel=4)

    def check_iterator(self, app_iter: t.Iterable[bytes]) -> None:
        """Warn of a body that is text."""
        if isinstance(app_iter, str):
            warn(
                "The application returned a string, which is sent character by character. Return a list of bytes.",
                WSGIWarning,
                stacklevel=3,
            )

    def __call__(self, *args: t.Any, **kwargs: t.Any) -> t.Iterable[bytes]:
        if len(args) != 2:
            warn("A WSGI app takes two arguments.", WSGIWarning, stacklevel=2)
        if kwargs:
            warn("A WSGI app does not take keyword arguments.", WSGIWarning, stacklevel=2)
        environ: WSGIEnvironment = args[0]
        start_response: StartResponse = args[1]
        self.check_environ(environ)
        environ["wsgi.input"] = InputStream(environ["wsgi.input"])
        environ["wsgi.errors"] = ErrorStream(environ["wsgi.errors"])
        # Others are the server's own, and it may treat their instances specially.
        environ["wsgi.file_wrapper"] = FileWrapper
        headers_set: list[t.Any] = []
        chunks: list[int] = []

        def checking_start_response(*args: t.Any, **kwargs: t.Any) -> t.Callable[[bytes], None]:
            if len(args) not in (2, 3):
                warn(f"Invalid number of arguments: {len(args)}, expected 2 or 3.", WSGIWarning, stacklevel=2)
            if kwargs:
                warn("'start_response' does not take keyword arguments.", WSGIWarning, stacklevel=2)
            status, headers = args[0], args[1]
            exc_info = args[2] if len(args) > 2 else None
            headers_set[:] = self.check_start_response(status, headers, exc_info)
            return GuardedWrite(start_response(status, headers, exc_info), chunks)

        app_iter = self.app(environ, t.cast("StartResponse", checking_start_response))
        self.check_iterator(app_iter)
        return GuardedIterator(app_iter, t.cast(tuple[int, Headers], headers_set), chunks)
