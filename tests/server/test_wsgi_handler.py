"""Requests to the WSGI development server: the environ, the response, and the line in the log."""

import socket
import threading
from wsgiref.validate import validator

import pytest

from costrel.devserver.wsgi_handler import WSGIRequestHandler
from costrel.devserver.wsgi_serving import make_server

from .wsgi_served import chunks, environ_of, hello, seen_by, served


def test_an_answer_with_a_length(exchange):
    with served(hello) as server:
        answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert body == b"hello"
    assert lines[0] == "HTTP/1.0 200 OK"
    assert lines[1].startswith("Server: Costrel/")
    assert lines[2].startswith("Date: ")
    assert lines[3:] == ["Content-Type: text/plain", "Content-Length: 5", "Connection: close"]


def test_an_answer_without_a_length_goes_out_in_chunks_to_those_who_know_them(exchange):
    with served(chunks, threaded=True) as server:
        new = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        old = exchange(server.port, b"GET / HTTP/1.0\r\n\r\n")

    assert new.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Transfer-Encoding: chunked\r\n" in new
    assert new.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert b"chunked" not in old
    assert old.endswith(b"\r\n\r\nonetwo")


@pytest.mark.parametrize("threaded", [True, False])
def test_pep_3333_is_kept(exchange, threaded):
    def app(environ, start_response):
        environ["wsgi.input"].read(3)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"valid"]

    with served(validator(app), threaded=threaded) as server:
        answer = exchange(server.port, b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")

    assert answer.split(b"\r\n")[0].endswith(b"200 OK")
    assert b"valid" in answer


def test_the_environ(exchange):
    environ = environ_of(
        exchange,
        b"GET /caf%C3%A9%20x;y?q=%C3%BC&r#f HTTP/1.1\r\nHost: ex.com:81\r\nX-One: 1\r\nX-One: 2\r\nX_Sly: 3\r\n"
        b"Content-Type: text/x\r\nCookie: a=b\r\nCookie: c=d\r\nProxy: evil\r\n\r\n",
    )

    port = environ.pop("REMOTE_PORT")
    server_port = environ.pop("SERVER_PORT")
    plain = {key: value for key, value in environ.items() if isinstance(value, str | bool | tuple)}
    assert port.isdecimal()
    assert server_port.isdecimal()
    assert isinstance(environ["werkzeug.socket"], socket.socket)
    assert plain == {
        "CONTENT_TYPE": "text/x",
        "HTTP_COOKIE": "a=b; c=d",
        "HTTP_HOST": "ex.com:81",
        "HTTP_X_ONE": "1,2",
        "PATH_INFO": "/caf\xc3\xa9 x;y",
        "QUERY_STRING": "q=%C3%BC&r",
        "RAW_URI": "/caf%C3%A9%20x;y?q=%C3%BC&r#f",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/caf%C3%A9%20x;y?q=%C3%BC&r#f",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": environ["SERVER_SOFTWARE"],
        "wsgi.multiprocess": False,
        "wsgi.multithread": False,
        "wsgi.run_once": False,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
    }


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        ("http://other.example:90/p", "/p", "other.example:90"),
        ("//evil/x", "/evil/x", "a"),
        ("*", "*", "a"),
        ("/%FF", "/\xff", "a"),
        ("/é", "/\xc3\xa9", "a"),
        ("/a%2Fb", "/a/b", "a"),
    ],
)
def test_the_target_of_a_request(exchange, target, path, host):
    environ = environ_of(exchange, f"OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    assert environ["PATH_INFO"] == path
    assert environ["HTTP_HOST"] == host


def test_a_target_that_cannot_be_read_is_refused(exchange):
    with served(hello) as server:
        answer = exchange(server.port, b"GET http://[bad/x HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith(b"HTTP/1.0 400 ")


def test_every_method_reaches_the_application(exchange):
    assert environ_of(exchange, b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n")["REQUEST_METHOD"] == "BREW"


def test_a_body_with_a_length(exchange):
    environs = []
    with served(seen_by(environs)) as server:
        exchange(server.port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")

    assert environs[0]["body"] == b"abc"
    assert environs[0]["CONTENT_LENGTH"] == "3"
    assert "wsgi.input_terminated" not in environs[0]


def test_a_body_in_chunks(exchange):
    environs = []
    with served(seen_by(environs)) as server:
        exchange(
            server.port,
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        )

    assert environs[0]["body"] == b"abcde"
    assert environs[0]["wsgi.input_terminated"] is True


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"400"),
        (b"Content-Length: +3\r\n", b"400"),
        (b"Content-Length: -3\r\n", b"400"),
        (b"Content-Length: 3, 3\r\n", b"400"),
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", b"400"),
        (b"Content-Length: x\r\n", b"400"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"501"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"501"),
        (b"Host: b\r\n", b"400"),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(exchange, headers, status):
    asked = []

    def app(environ, start_response):
        asked.append(environ)
        return hello(environ, start_response)

    with served(app) as server:
        answer = exchange(server.port, b"POST / HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\nabc")

    assert answer.split(b" ")[1] == status
    assert asked == []


def test_what_follows_a_request_is_not_taken_for_another(exchange):
    asked = []

    def app(environ, start_response):
        asked.append(environ["PATH_INFO"])
        return hello(environ, start_response)

    with served(app, threaded=True) as server:
        exchange(server.port, b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n")

    assert asked == ["/a"]


def test_a_client_that_waits_is_told_once_to_go_on(connect, read_until, read_all):
    def app(environ, start_response):
        environ["wsgi.input"].read(3)
        return hello(environ, start_response)

    with served(app, threaded=True) as server, connect(server.port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        told = read_until(connection, b"\r\n\r\n")
        connection.sendall(b"abc")
        rest = read_all(connection)

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_answer_reaches_a_client_that_is_still_sending(connect, read_all):
    with served(hello) as server, connect(server.port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        answer = read_all(connection)

    assert answer.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_that_can_have_no_body_has_none(exchange, status):
    def app(environ, start_response):
        start_response(status, [])
        return [b"ignored"]

    with served(app, threaded=True) as server:
        answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.startswith(f"HTTP/1.1 {status}\r\n".encode())
    assert answer.endswith(b"Connection: close\r\n\r\n")


def test_an_answer_to_head_has_no_body(exchange):
    with served(hello) as server:
        answer = exchange(server.port, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert b"Content-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_the_write_function(exchange):
    def app(environ, start_response):
        write = start_response("200 OK", [("Content-Length", "3")])
        write(b"a")
        write(b"b")
        return [b"c"]

    with served(app) as server:
        assert exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"\r\n\r\nabc")


def test_an_application_may_name_server_and_date_itself(exchange):
    def app(environ, start_response):
        start_response("200 OK", [("Server", "mine"), ("Date", "today"), ("Content-Length", "0")])
        return []

    with served(app) as server:
        answer = exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer == (
        b"HTTP/1.0 200 OK\r\nServer: mine\r\nDate: today\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


def test_the_body_is_closed(exchange):
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body([b"x"])

    with served(app) as server:
        exchange(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert closed == [True]


def test_a_request_is_logged(exchange, log):
    with served(hello) as server:
        exchange(server.port, b"GET /caf%C3%A9%0a?a=%1b\x1b HTTP/1.1\r\nHost: a\r\n\r\n")

    assert log() == ['127.0.0.1 - - [T] "GET /café%0a?a=%1b\\x1b HTTP/1.1" 200 -']


def test_a_line_that_is_no_request_is_logged(exchange, log):
    with served(hello) as server:
        answer = exchange(server.port, b"NONSENSE\r\n\r\n")

    assert b"Bad request syntax" in answer
    assert log() == [
        "127.0.0.1 - - [T] code 400, message Bad request syntax ('NONSENSE')",
        '127.0.0.1 - - [T] "NONSENSE" 400 -',
    ]


def test_a_subclass_may_log_and_make_environs_in_its_own_way(exchange, log):
    lines = []

    class Handler(WSGIRequestHandler):
        def make_environ(self):
            return {**super().make_environ(), "REMOTE_ADDR": "10.0.0.1", "mine": True}

        def log(self, type, message, *args):
            lines.append((type, self.address_string(), message % args))

    environ = environ_of(exchange, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", request_handler=Handler)

    assert environ["mine"] is True
    assert lines == [("info", "10.0.0.1", '"GET / HTTP/1.1" 200 -')]
    assert log() == []


def test_a_handler_says_more(log):
    handler = object.__new__(WSGIRequestHandler)
    handler.client_address = ("127.0.0.1", 5)

    handler.log_message("%s more", "one")
    handler.log_error("%s error", "an")

    assert log() == ["127.0.0.1 - - [T] one more", "127.0.0.1 - - [T] an error"]
    assert handler.port_integer() == 5


def test_a_handler_has_the_attributes_that_it_has():
    with pytest.raises(AttributeError):
        object.__new__(WSGIRequestHandler).nothing


def test_the_client_of_a_unix_socket_has_no_address(tmp_path):
    addresses = []

    def app(environ, start_response):
        addresses.append(environ["REMOTE_ADDR"])
        return hello(environ, start_response)

    class Handler(WSGIRequestHandler):
        def port_integer(self):
            return 0

    server = make_server(f"unix://{tmp_path}/a.sock", 0, app, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "a.sock"))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while connection.recv(1000):
            pass
    server.shutdown()
    thread.join(10)

    assert addresses == ["<local>"]
