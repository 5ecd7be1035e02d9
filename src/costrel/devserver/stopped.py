"""Answers requests after a change has made the program exit: the browser shows why, and reloads when it is fixed."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

from ..devtools import gates
from ..devtools.frames import report_of
from ..devtools.page import ErrorPage, Shell
from ..devtools.refresh import EVENTS, new_start

_POLL_INTERVAL = 0.05
_MAX_FILES = 1_000
_REQUEST_TIMEOUT = 5.0

HIDDEN = b"The program has exited. See the terminal of the server for the reason.\n"


@contextmanager
def answering(fd: int | None, status: int, files: t.Callable[[], Iterable[str]]) -> Iterator[None]:
    """Answer requests at the listening socket `fd` during the block. Does nothing if `fd` is None.

    The page shows the syntax error in one of `files`, or else the exit status of the program.
    """
    if fd is None:
        yield
        return
    server = _Server(fd, _page(status, files()))
    thread = threading.Thread(target=lambda: server.serve_forever(_POLL_INTERVAL), name="costrel-stopped", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def syntax_error_of(files: Iterable[str]) -> SyntaxError | None:
    """The first syntax error in these Python files."""
    for path, _ in zip(sorted(files), range(_MAX_FILES), strict=False):
        if path.endswith(".py"):
            try:
                with open(path, "rb") as file:
                    compile(file.read(), path, "exec", dont_inherit=True)
            except SyntaxError as error:
                return error.with_traceback(None)
            except (OSError, ValueError):
                continue
    return None


class _Page(t.NamedTuple):
    start: str
    html: str
    headers: dict[str, str]


def _page(status: int, files: Iterable[str]) -> _Page:
    start, error = new_start(), syntax_error_of(files)
    if error is not None:
        page = ErrorPage(report_of(error), start=start)
        return _Page(start, page.html(), page.headers())
    shell = Shell(start=start)
    return _Page(start, shell.render("stopped.html", status=status), shell.headers())


class _Server(HTTPServer):
    def __init__(self, fd: int, page: _Page) -> None:
        sock = socket.socket(fileno=socket.dup(fd))
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.page = page

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: clients may disconnect at any time."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_TIMEOUT

    def do_GET(self) -> None:
        page = self.server.page
        environ: dict[str, str] = {"REMOTE_ADDR": self._peer(), "HTTP_HOST": self.headers.get("Host", "")}
        if "X-Forwarded-For" in self.headers:
            environ["HTTP_X_FORWARDED_FOR"] = self.headers["X-Forwarded-For"]
        if not gates.is_local(environ):
            self._answer(503, "text/plain", HIDDEN)
        elif self.path == EVENTS:
            self._answer(200, "text/event-stream", f"retry: 200\nevent: start\ndata: {page.start}\n\n".encode())
        else:
            self._answer(503, "text/html; charset=utf-8", page.html.encode(), page.headers)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def _peer(self) -> str:
        return str(self.client_address[0]) if self.client_address else ""

    def _answer(self, status: int, kind: str, body: bytes, headers: t.Mapping[str, str] = {}) -> None:
        with suppress(OSError):  # the client has disconnected
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the program's own log lines would be hard to find."""
