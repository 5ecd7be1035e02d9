"""Servers in a thread of the test's own, and raw requests to them."""

import asyncio
import logging
import re
import socket
import threading
from contextlib import contextmanager

import pytest

from costrel.devserver.embedded import EmbeddedServer
from costrel.devserver.wsgi_handler import WSGIRequestHandler
from costrel.server import addresses

PATIENCE = 30
"""How many seconds a test waits for something that is to happen at once."""


@contextmanager
def serving(application, host="127.0.0.1", certificate=None):
    """An ASGI application on a free port, served by a thread until the block ends; gives the server and its port."""
    sock = addresses.bind(host, 0)
    port = None if host.startswith("unix://") else sock.getsockname()[1]
    server = EmbeddedServer(application, sock, quiet_logger(), certificate)
    errors = []

    def run():
        try:
            asyncio.run(server.run())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    server.errors = errors
    server.thread = thread
    try:
        yield server, port
    finally:
        server.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def quiet_logger():
    """A separate logger for a test, without handlers."""
    logger = logging.Logger("test")
    logger.addHandler(logging.NullHandler())
    return logger


def connect(port):
    """A connection to a server on this computer."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.settimeout(PATIENCE)
    return connection


def exchange(port, request):
    """What a server sends for these bytes until it closes the connection."""
    with connect(port) as connection:
        connection.sendall(request)
        return read_all(connection)


def read_all(connection):
    """All that comes until the connection ends; a reset shows as ``<RESET>``."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        received += b"<RESET>"
    return received


def read_until(connection, mark):
    """What comes up to and with `mark`."""
    received = b""
    while mark not in received:
        data = connection.recv(65_536)
        if not data:
            raise AssertionError(f"the connection ended after {received!r}")
        received += data
    return received


@pytest.fixture(autouse=True)
def http_1_1_is_forgotten():
    """A server with threads sets the protocol on the handler's class."""
    yield
    if "protocol_version" in vars(WSGIRequestHandler):
        del WSGIRequestHandler.protocol_version


@pytest.fixture
def log(caplog):
    """The messages of the logger `werkzeug`, with `T` for the time."""
    caplog.set_level(logging.INFO, "werkzeug")

    def messages():
        return [re.sub(r"\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\]", "[T]", record.getMessage()) for record in caplog.records]

    return messages


@pytest.fixture(name="serving")
def _serving():
    return serving


@pytest.fixture(name="quiet_logger")
def _quiet_logger():
    return quiet_logger


@pytest.fixture(name="connect")
def _connect():
    return connect


@pytest.fixture(name="exchange")
def _exchange():
    return exchange


@pytest.fixture(name="read_all")
def _read_all():
    return read_all


@pytest.fixture(name="read_until")
def _read_until():
    return read_until
