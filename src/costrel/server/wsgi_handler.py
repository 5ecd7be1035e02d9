"""One connection of the WSGI development server: a request read, the application called, the answer written."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import sys
import traceback
import typing as t
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote_to_bytes, urlsplit

from ..http.errors import InternalServerError
from ..http.framing import has_no_body, parse_content_length
from . import terminal
from .certificates import is_ssl_error
from .chunked import DechunkedInput

if t.TYPE_CHECKING:
    from .wsgi_serving import BaseWSGIServer

connection_dropped_errors: tuple[type[Exception], ...] = (ConnectionError, TimeoutError, ssl.SSLEOFError)
"""What reading and writing raise when the client has gone."""

_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What may not be in a status or a header: it would end the line, or be taken for something else (RFC 9110 §5.5)."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""For SO_LINGER: on, zero seconds."""

_DRAIN_IDLE = 0.05
"""How long, in seconds, a client may pause that is still sending after it was answered."""

_DRAIN_BYTES = 64 * 1024 * 1024
"""How much of that is read at most."""


class WSGIRequestHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection by calling the server's WSGI application."""

    server: BaseWSGIServer
    environ: dict[str, t.Any]

    @property
    def server_version(self) -> str:  # type: ignore[override]  # a class attribute in the base
        """The name and version that responses give."""
        return self.server._server_version

    def make_environ(self) -> dict[str, t.Any]:
        """The WSGI environ (PEP 3333) of the request that was read last."""
        path, query, host = _split_target(self.path)
        environ: dict[str, t.Any] = {
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
            # Neither is standard; both are what other servers call the undecoded target.
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
        """Call the application for the request that was read last, and write what it answers."""
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
        answer = Answer(self)
        try:
            answer.execute(self.server.app, environ)
        except connection_dropped_errors as error:
            self.connection_dropped(error, environ)
        except Exception:
            if self.server.passthrough_errors:
                raise
            self._answer_error(answer)

    def _answer_error(self, answer: Answer) -> None:
        trace = traceback.format_exc().rstrip()
        try:
            if answer.sent_head:
                answer.cut()
            else:
                Answer(self).execute(InternalServerError(), self.environ)
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
        """End the connection, without losing the answer to a client that is still sending."""
        self._drain()
        super().finish()

    def _drain(self) -> None:
        # A socket that is closed with bytes unread resets the connection, and the client loses what it was sent.
        try:
            self.wfile.flush()
            if not isinstance(self.connection, ssl.SSLSocket):  # the client sees the end, and need not be waited for
                self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAIN_IDLE)
            left = _DRAIN_BYTES
            while left > 0 and (data := self.connection.recv(65_536)):
                left -= len(data)
        except (OSError, ValueError):
            pass

    def handle_expect_100(self) -> bool:
        """Leave ``100 Continue`` to :meth:`run_wsgi`, which sends it once."""
        return True

    def connection_dropped(self, error: BaseException, environ: dict[str, t.Any] | None = None) -> None:
        """Called when the client has gone; for subclasses."""

    def __getattr__(self, name: str) -> t.Any:
        # The base class looks for `do_GET` and the like: every method is the application's business.
        if name.startswith("do_"):
            return self.run_wsgi
        raise AttributeError(name)

    def address_string(self) -> str:
        """The client's address; a proxy's middleware may have put another one into the environ."""
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
        """Log the request line with the answer's status."""
        try:
            request = f"{self.command} {terminal.readable(self.path)} {self.request_version}"
        except AttributeError:  # the request line could not be read
            request = terminal.harmless(self.requestline)
        status = str(getattr(code, "value", code))
        styles = terminal.style_of_status(int(status)) if status.isdecimal() else ()
        request = terminal.painter(sys.stderr)(request, *styles)
        self.log("info", '"%s" %s %s', request, status, size)

    def log_error(self, format: str, *args: t.Any) -> None:
        """Log an error of the protocol."""
        self.log("error", format, *args)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Log anything else."""
        self.log("info", format, *args)

    def log(self, type: str, message: str, *args: t.Any) -> None:
        """Log to the logger ``werkzeug``, with client and time before the message."""
        intro = terminal.harmless(f"{self.address_string()} - - [{self.log_date_time_string()}]").replace("%", "%%")
        terminal.log(type, f"{intro} {message}\n", *args)


class Answer:
    """One response on its way out: what PEP 3333 asks of ``start_response`` and ``write``."""

    def __init__(self, handler: WSGIRequestHandler) -> None:
        self.handler = handler
        self.status = ""
        self.headers: list[tuple[str, str]] | None = None
        self.sent_head = False
        self._chunked = False
        self._has_body = True

    def execute(self, app: Callable[..., Iterable[bytes]], environ: dict[str, t.Any]) -> None:
        """Call the application and write its whole answer."""
        body = app(environ, self.start_response)
        try:
            for data in body:
                self.write(data)
            if not self.sent_head:
                self.write(b"")
            if self._chunked:
                self.handler.wfile.write(b"0\r\n\r\n")
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: t.Any = None) -> t.Any:
        """Take the head of the response; returns the function :meth:`write`."""
        if exc_info:
            try:
                if self.sent_head:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.headers is not None:
            raise RuntimeError("start_response was called a second time without exc_info.")
        for text in (status, *(part for pair in headers for part in pair)):
            if _UNSAFE.search(text):
                raise ValueError(f"There is a control character in the status or a header: {text!r}")
        self.status = status
        self.headers = headers
        return self.write

    def write(self, data: bytes) -> None:
        """Write a part of the body, with the head before the first."""
        if self.headers is None:
            raise RuntimeError("The application answered before it called start_response.")
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"A WSGI application answers with bytes, not with {type(data).__name__!r}.")
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
        # One request a connection: nothing that is left unread of a body can then be taken for a request.
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True

    def cut(self) -> None:
        """Break the connection off, so that the client does not take half of an answer for the whole."""
        # A reset in the place of an end: without chunks or a length, the end would look like that of the answer.
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.handler.rfile.close()
        self.handler.connection.close()
        self.handler.close_connection = True


def _takes_chunks(handler: WSGIRequestHandler) -> bool:
    return handler.protocol_version >= "HTTP/1.1" and handler.request_version >= "HTTP/1.1"


def _split_target(target: str) -> tuple[str, str, str]:
    """The decoded path, the query and, of an absolute target, the host (RFC 9112 §3.2.2), as PEP 3333 wants them."""
    url = urlsplit(target)
    path = url.path
    if url.netloc and not url.scheme:  # "//a/b" is a path here, not a host
        path = f"/{url.netloc}{path}"
    host = url.netloc if url.scheme else ""
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1"), url.query, host


def _add_header(environ: dict[str, t.Any], name: str, value: str) -> None:
    # With an underscore the name could not be told from that with a hyphen, which a proxy may have set; "Proxy"
    # would be read as an environment variable by CGI programs (CVE-2016-5385).
    if "_" in name or name.lower() == "proxy":
        return
    key = name.upper().replace("-", "_")
    value = value.replace("\r\n", "")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
    environ[key] = value


def _client_certificate(connection: t.Any) -> str | None:
    if not isinstance(connection, ssl.SSLSocket):
        return None
    try:
        certificate = connection.getpeercert(binary_form=True)
    except ValueError:  # the handshake has not been done
        return None
    return None if certificate is None else ssl.DER_cert_to_PEM_cert(certificate)


def _refuse_framing(headers: t.Any) -> tuple[int, str] | None:
    """Why the body's extent, or the host, cannot be known for sure: what to answer in the place of the application.

    Two programs that read such a request differently see different requests in it (RFC 9112 §6.3, §11.2).
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
