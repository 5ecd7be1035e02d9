"""Under which name Costrel serves here: its own, or that of Flask."""

from __future__ import annotations

import socket
import socketserver
import sys
from collections.abc import Callable

from ..app.application import Costrel


def served_as_flask() -> bool:
    """Whether ``import flask`` gives Costrel in this process."""
    cls = getattr(sys.modules.get("flask"), "Flask", None)
    return isinstance(cls, type) and issubclass(cls, Costrel)


def replaced_run_simple(own: Callable[..., None]) -> Callable[..., object] | None:
    """The function that replaces ``werkzeug.serving.run_simple``, which is our `own`, in a program or test; or None."""
    if not served_as_flask():
        return None
    current: Callable[..., object] = getattr(sys.modules.get("werkzeug.serving"), "run_simple", own)
    return None if current is own else current


class _BoundSocket:
    """A socket that is bound already: binding it again does nothing."""

    def __init__(self, sock: socket.socket) -> None:
        self.getsockname = sock.getsockname
        self.fileno = sock.fileno
        self.family = sock.family

    def bind(self, address: object) -> None:
        pass

    def setsockopt(self, *args: object) -> None:
        pass


class _BoundServer(socketserver.TCPServer):
    """A server of the standard library on a socket that Costrel has bound."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = _BoundSocket(sock)  # type: ignore[assignment]  # as much of a socket as `server_bind` uses
        self.server_address = sock.getsockname()


def report_port(sock: socket.socket) -> None:
    """Call the function with which a program has replaced ``socketserver.TCPServer.server_bind``.

    Flask's server is based on the standard library, so test tools find the port of ``app.run(port=0)`` this way.
    """
    if socketserver.TCPServer.server_bind.__module__ != socketserver.__name__:
        socketserver.TCPServer.server_bind(_BoundServer(sock))
