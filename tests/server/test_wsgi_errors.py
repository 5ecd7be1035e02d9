"""Applications, clients and connections that fail, on the WSGI development server."""

import socket
import ssl
import sys
import threading

import pytest

from costrel.devserver.wsgi_handler import WSGIRequestHandler
from costrel.devserver.wsgi_serving import BaseWSGIServer

from .wsgi_served import hello, served


def failing(kind):
    def app(environ, start_response):
        if kind == "raises":
            raise ValueError("oh no")
        if kind == "late start_response":
            return [b"x"]
        if kind == "text":
            start_response("200 OK", [])
            return ["text"]
        if kind == "twice":
            start_response("200 OK", [])
            start_response("200 OK", [])
        if kind == "split header":
            start_response("200 OK", [("X", "a\r\nEvil: 1")])
        if kind == "split status":
            start_response("200 OK\r\nEvil: 1", [])
        return []

    return app


@pytest.mark.parametrize("kind", ["raises", "late start_response", "text", "twice", "split header", "split status"])
def test_an_application_that_fails_before_it_answers(exchange, log, kind):
    with served(failing(kind)) as server:
        answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    first, second = log()
    assert answer.startswith(b"HTTP/1.0 500 INTERNAL SERVER ERROR\r\n")
    assert b"Evil" not in answer
    assert first == '127.0.0.1 - - [T] "GET / HTTP/1.1" 500 -'
    assert second.startswith("Error on request:\nTraceback (most recent call last):\n")


@pytest.mark.parametrize("threaded", [True, False])
def test_an_answer_that_fails_half_way_is_cut(exchange, log, threaded):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"half"
        raise ValueError("oh no")

    with served(app, threaded=threaded) as server:
        answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.endswith(b"<RESET>")
    assert b"0\r\n\r\n" not in answer
    assert log()[1].endswith("ValueError: oh no")


def test_an_error_page_may_take_the_place_of_what_was_not_sent_yet(exchange):
    def app(environ, start_response):
        start_response("200 OK", [("A", "b")])
        try:
            raise ValueError
        except ValueError:
            start_response("500 Oh", [("Content-Length", "1")], sys.exc_info())
        return [b"e"]

    with served(app) as server:
        answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith(b"HTTP/1.0 500 Oh\r\n")
    assert b"A: b" not in answer


def test_it_may_not_once_it_was(exchange, log):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"x")
        try:
            raise ValueError("oh no")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        return []

    with served(app) as server:
        assert exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"x<RESET>")

    assert log()[1].endswith("ValueError: oh no")


def test_errors_may_pass_through(exchange, capsys):
    raised = []

    class Server(BaseWSGIServer):
        def handle_error(self, request, client_address):
            try:
                super().handle_error(request, client_address)
            except ValueError as error:
                raised.append(error)

    server = Server("127.0.0.1", 0, failing("raises"), passthrough_errors=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    server.shutdown()
    thread.join(10)

    assert answer == b""
    assert [str(error) for error in raised] == ["oh no"]


def test_errors_of_a_connection_are_shown(capsys):
    with BaseWSGIServer("127.0.0.1", 0, hello) as server:
        try:
            raise ValueError("oh no")
        except ValueError:
            server.handle_error(None, ("127.0.0.1", 1))

    assert "ValueError: oh no" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["application", "reading"])
def test_a_client_that_is_gone_is_told_to_the_handler(exchange, where):
    dropped = []

    class Handler(WSGIRequestHandler):
        def connection_dropped(self, error, environ=None):
            dropped.append((type(error), environ and environ["PATH_INFO"]))

        def parse_request(self):
            if where == "reading":
                raise ConnectionResetError
            return super().parse_request()

    def app(environ, start_response):
        raise BrokenPipeError

    with served(app, request_handler=Handler) as server:
        exchange(server.port, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")

    assert dropped == [(BrokenPipeError, "/x") if where == "application" else (ConnectionResetError, None)]


def test_a_client_that_is_gone_when_its_error_page_comes(log):
    dropped = []

    class Handler(WSGIRequestHandler):
        def connection_dropped(self, error, environ=None):
            dropped.append(type(error))

        def send_response_only(self, code, message=None):
            raise BrokenPipeError

    def app(environ, start_response):
        raise ValueError("oh no")

    with served(app, request_handler=Handler) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(100)

    assert dropped == [BrokenPipeError]


@pytest.mark.parametrize("error", [ssl.SSLError("bad record"), RuntimeError("bug")])
def test_errors_of_tls_are_logged_and_others_raised(exchange, log, capsys, error):
    class Handler(WSGIRequestHandler):
        def parse_request(self):
            raise error

    with served(hello, request_handler=Handler) as server:
        exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    if isinstance(error, ssl.SSLError):
        assert log() == ["127.0.0.1 - - [T] SSL error occurred: ('bad record',)"]
    else:
        assert "RuntimeError: bug" in capsys.readouterr().err
