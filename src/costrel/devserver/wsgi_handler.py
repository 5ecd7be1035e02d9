"""Handles a connection of the WSGI development server: reads the request, calls the application, sends the response."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import sys
import traceback
import typing as t
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote_to_bytes, urlsplit

from ..http.errors import InternalServerError
from ..http.framing import has_no_body, parse_content_length
from ..server import terminal
from ..support.closing import call_close
from .certificates import is_ssl_error
from .chunked import DechunkedInput

if t.TYPE_CHECKING:
    from email.message import Message

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from .wsgi_serving import BaseWSGIServer

connection_dropped_errors: tuple[type[Exception], ...] = (ConnectionError, TimeoutError, ssl.SSLEOFError)
"""The errors that reading and writing raise after the client has disconnected."""

_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that a status line or header field must not contain (RFC 9110 §5.5)."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""The value of SO_LINGER (on, zero seconds) with which closing the socket resets the connection."""

_DRAIN_IDLE = 0.05
"""The timeout in seconds for each read from a client that is still sending after the response."""

_DRAIN_BYTES = 64 * 1024 * 1024
"""The maximum number of bytes to read from such a client."""


class WSGIRequestHandler(BaseHTTPRequestHandler):
    """Handles the requests of one connection by calling the server's WSGI application."""

    server: BaseWSGIServer
    environ: WSGIEnvironment

    @property
    def server_version(self) -> str:  # type: ignore[override]  # a class attribute in the base
        """The value of the Server header."""
        return self.server._server_version

    def make_environ(self) -> WSGIEnvironment:
        """The WSGI environ (PEP 3333) of the current request."""
        path, query, host = _split_target(self.path)
        environ: WSGIEnvironment = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http" if self.server.ssl_context is None else "https",
            "wsgi.input": self.rfile,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": self.server.multithread,
            "wsgi.multiprocess": self.server.multiprocess,
            "wsgi.run_once": False,
            "werkzeug.socket": self.connection,
            "SERVER_SOFTWARE": self.server_version,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            # Not standard, but other servers also have the undecoded target under these names.
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "REMOTE_ADDR": self.address_string(),
            "REMOTE_PORT": str(self.port_integer()),
            "SERVER_NAME": self.server.server_address[0],
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
        }
        for name, value in self.headers.items():
            _add_header(environ, name, value)
        if host:
            environ["HTTP_HOST"] = host
        if environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked":
            environ["wsgi.input_terminated"] = True
            environ["wsgi.input"] = DechunkedInput(t.cast("t.IO[bytes]", self.rfile))
        certificate = _client_certificate(self.connection)
        if certificate is not None:
            environ["SSL_CLIENT_CERT"] = certificate
        return environ

    def run_wsgi(self) -> None:
        """Call the application for the current request, and send its response."""
        refusal = _refuse_framing(self.headers)
        if refusal is not None:
            self.close_connection = True
            self.send_error(*refusal)
            return
        if self.headers.get("Expect", "").strip().lower() == "100-continue" and self.request_version >= "HTTP/1.1":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            environ = self.environ = self.make_environ()
        except ValueError:
            self.send_error(400, "Bad request target")
            return
        writer = ResponseWriter(self)
        try:
            writer.execute(self.server.app, environ)
        except connection_dropped_errors as error:
            self.connection_dropped(error, environ)
        except Exception:
            if self.server.passthrough_errors:
                raise
            self._answer_error(writer)

    def _answer_error(self, writer: ResponseWriter) -> None:
        trace = traceback.format_exc().rstrip()
        try:
            if writer.sent_head:
                writer.cut()
            else:
                ResponseWriter(self).execute(InternalServerError(), self.environ)
        except connection_dropped_errors as error:
            self.connection_dropped(error, self.environ)
        self.server.log("error", "Error on request:\n%s", trace)

    def handle(self) -> None:
        """Answer the request of this connection."""
        try:
            super().handle()
        except connection_dropped_errors as error:
            self.connection_dropped(error)
        except Exception as error:
            if not is_ssl_error(error):
                raise
            self.log_error("SSL error occurred: %s", error)

    def finish(self) -> None:
        """Close the connection in such a way that a client that is still sending gets its response."""
        self._drain()
        super().finish()

    def _drain(self) -> None:
        # Closing a socket that has unread bytes resets the connection, and the client loses the response.
        try:
            self.wfile.flush()
            if not isinstance(self.connection, ssl.SSLSocket):  # TLS ends the stream with close_notify
                self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAIN_IDLE)
            left = _DRAIN_BYTES
            while left > 0 and (data := self.connection.recv(65_536)):
                left -= len(data)
        except (OSError, ValueError):
            pass

    def handle_expect_100(self) -> bool:
        """Do nothing, since :meth:`run_wsgi` sends ``100 Continue``."""
        return True

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Called when the client has disconnected. Subclasses may override it."""

    def __getattr__(self, name: str) -> t.Any:
        # The base class looks up `do_GET`, `do_POST` and so on. The application handles every method.
        if name.startswith("do_"):
            return self.run_wsgi
        raise AttributeError(name)

    def address_string(self) -> str:
        """The client's address, as in the environ: proxy middleware may have replaced it there."""
        environ = self.__dict__.get("environ")
        if environ:
            return str(environ["REMOTE_ADDR"])
        if not self.client_address:  # a Unix socket
            return "<local>"
        return self.client_address[0]

    def port_integer(self) -> int:
        """The client's port."""
        return self.client_address[1]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log the request line with the status of the response."""
        try:
            request = f"{self.command} {terminal.readable(self.path)} {self.request_version}"
        except AttributeError:  # the request line could not be read
            request = terminal.harmless(self.requestline)
        status = str(getattr(code, "value", code))
        styles = terminal.style_of_status(int(status)) if status.isdecimal() else ()
        request = terminal.painter(sys.stderr)(request, *styles)
        self.log("info", '"%s" %s %s', request, status, size)

    def log_error(self, format: str, *args: object) -> None:
        """Log a protocol error."""
        self.log("error", format, *args)

    def log_message(self, format: str, *args: object) -> None:
        """Log any other message of the base class."""
        self.log("info", format, *args)

    def log(self, type: str, message: str, *args: object) -> None:
        """Log to the logger ``werkzeug``, with the client's address and the time before the message."""
        intro = terminal.harmless(f"{self.address_string()} - - [{self.log_date_time_string()}]").replace("%", "%%")
        terminal.log(type, f"{intro} {message}\n", *args)


class ResponseWriter:
    """Writes one response. Implements ``start_response`` and ``write`` of PEP 3333."""

    def __init__(self, handler: WSGIRequestHandler) -> None:
        self.handler = handler
        self.status = ""
        self.headers: list[tuple[str, str]] | None = None
        self.sent_head = False
        self._chunked = False
        self._has_body = True

    def execute(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Call the application, and write its response."""
        body = app(environ, self.start_response)
        try:
            for data in body:
                self.write(data)
            if not self.sent_head:
                self.write(b"")
            if self._chunked:
                self.handler.wfile.write(b"0\r\n\r\n")
        finally:
            call_close(body)

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        """Set the head of the response. Returns the function :meth:`write`."""
        if exc_info:
            try:
                if self.sent_head and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.headers is not None:
            raise RuntimeError("start_response was called a second time without exc_info.")
        for text in (status, *(part for pair in headers for part in pair)):
            if _UNSAFE.search(text):
                raise ValueError(f"The status or a header contains a control character: {text!r}")
        self.status = status
        self.headers = headers
        return self.write

    def write(self, data: bytes) -> None:
        """Write a part of the body. The head is sent before the first part."""
        if self.headers is None:
            raise RuntimeError("The application sent data before it called start_response.")
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"The body of a WSGI response must be bytes, not {type(data).__name__!r}.")
        if not self.sent_head:
            self._send_head(self.headers)
        if data and self._has_body:
            self.handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        self.handler.wfile.flush()

    def _send_head(self, headers: list[tuple[str, str]]) -> None:
        handler = self.handler
        code, _, reason = self.status.partition(" ")
        number = int(code)
        names = {name.lower() for name, _ in headers}
        self._has_body = not has_no_body(number, handler.command)
        self.sent_head = True
        handler.log_request(number)
        handler.send_response_only(number, reason)
        if "server" not in names:
            handler.send_header("Server", handler.version_string())
        if "date" not in names:
            handler.send_header("Date", handler.date_time_string())
        for name, value in headers:
            handler.send_header(name, value)
        if self._has_body and "content-length" not in names and _takes_chunks(handler):
            self._chunked = True
            handler.send_header("Transfer-Encoding", "chunked")
        # One request per connection, so that the unread rest of a body is never parsed as another request.
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True

    def cut(self) -> None:
        """Reset the connection, so that the client does not mistake a partial response for a complete one."""
        # Without chunks or a length, a normal close would mark the end of the response.
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.handler.rfile.close()
        self.handler.connection.close()
        self.handler.close_connection = True


def _takes_chunks(handler: WSGIRequestHandler) -> bool:
    return handler.protocol_version >= "HTTP/1.1" and handler.request_version >= "HTTP/1.1"


def _split_target(target: str) -> tuple[str, str, str]:
    """The decoded path, the query and, for a target in absolute form (RFC 9112 §3.2.2), the host, as in PEP 3333."""
    url = urlsplit(target)
    path = url.path
    if url.netloc and not url.scheme:  # "//a/b" is a path here, not a host
        path = f"/{url.netloc}{path}"
    host = url.netloc if url.scheme else ""
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1"), url.query, host


def _add_header(environ: WSGIEnvironment, name: str, value: str) -> None:
    # A name with an underscore would have the same key as a name with a hyphen, which a proxy may have set. "Proxy"
    # would become HTTP_PROXY, which CGI programs read as an environment variable (CVE-2016-5385).
    if "_" in name or name.lower() == "proxy":
        return
    key = name.upper().replace("-", "_")
    value = value.replace("\r\n", "")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
    environ[key] = value


def _client_certificate(connection: socket.socket) -> str | None:
    if not isinstance(connection, ssl.SSLSocket):
        return None
    try:
        certificate = connection.getpeercert(binary_form=True)
    except ValueError:  # the handshake has not been done
        return None
    return None if certificate is None else ssl.DER_cert_to_PEM_cert(certificate)


def _refuse_framing(headers: Message) -> tuple[int, str] | None:
    """The status and reason of the error for a request with ambiguous framing or host; None for valid requests.

    A proxy and a server could see different requests in the same bytes (request smuggling, RFC 9112 §6.3 and §11.2).
    """
    lengths = headers.get_all("Content-Length", [])
    encodings = headers.get_all("Transfer-Encoding", [])
    if encodings and lengths:
        return 400, "Both Content-Length and Transfer-Encoding"
    if encodings and [value.strip().lower() for value in encodings] != ["chunked"]:
        return 501, "Unknown transfer encoding"
    if len(lengths) > 1 or (lengths and parse_content_length(lengths[0]) is None):
        return 400, "Bad Content-Length"
    if len(headers.get_all("Host", [])) > 1:
        return 400, "More than one Host"
    return None
