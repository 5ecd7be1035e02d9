"""``app.run(port=0)`` reports its port to tools that replace ``socketserver.TCPServer.server_bind``."""

import socket
import subprocess
import sys
import textwrap

from ..processes import environ, wait_until

PROGRAM = """
import socketserver, sys
import costrel
costrel.install_as_flask()
import flask

bind = socketserver.TCPServer.server_bind

def reporting(server):
    bind(server)
    print(server.socket.getsockname()[1], flush=True)
    socketserver.TCPServer.server_bind = bind

socketserver.TCPServer.server_bind = reporting
flask.Flask("port").run(port=0, use_reloader=False)
"""


def status(port):
    """The start of the answer; b"" as long as the server does not listen, which begins after `server_bind`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return connection.recv(12)
    except ConnectionError:
        return b""


def test_the_port_is_reported_and_serves():
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(PROGRAM)],
        env=environ(),  # commands that other tests run make app.run() do nothing
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        lines = iter(process.stdout.readline, "")
        port = int(next(line for line in lines if line.strip().isdigit()))
        wait_until(lambda: status(port) == b"HTTP/1.1 404", "the server answers")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
