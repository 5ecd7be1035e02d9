"""Tells whether Costrel serves under its own name or under Flask's."""

from __future__ import annotations

import socket
import socketserver
import sys
from collections.abc import Callable

from ..app.application import Costrel


def served_as_flask() -> bool:
    """Whether ``import flask`` imports Costrel in this process."""
    cls = getattr(sys.modules.get("flask"), "Flask", None)
    return isinstance(cls, type) and issubclass(cls, Costrel)


def replaced_run_simple(original: Callable[..., None]) -> Callable[..., object] | None:
    """The function with which a program or test has replaced ``werkzeug.serving.run_simple``; None if it has not."""
    if not served_as_flask():
        return None
    current: Callable[..., object] = getattr(sys.modules.get("werkzeug.serving"), "run_simple", original)
    return None if current is original else current


class _BoundSocket:
    """A stand-in for a socket that is already bound: `bind` does nothing."""

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
        self.socket = _BoundSocket(sock)  # type: ignore[assignment]  # has the methods that `server_bind` uses
        self.server_address = sock.getsockname()


def report_port(sock: socket.socket) -> None:
    """Call ``socketserver.TCPServer.server_bind`` if a program has replaced it.

    Test tools find the port of ``app.run(port=0)`` this way, since Flask's server is based on the standard library.
    """
    if socketserver.TCPServer.server_bind.__module__ != socketserver.__name__:
        socketserver.TCPServer.server_bind(_BoundServer(sock))
