"""The WSGI development server: what an application sees, what goes out, and what is refused."""

import errno
import http.client
import logging
import os
import re
import socket
import ssl
import sys
import threading
from contextlib import contextmanager
from wsgiref.validate import validator

import pytest

from costrel.server import certificates, wsgi_serving
from costrel.server.wsgi_handler import WSGIRequestHandler
from costrel.server.wsgi_serving import (
    BaseWSGIServer,
    ForkingWSGIServer,
    ThreadedWSGIServer,
    make_server,
    run_simple,
)


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


@contextmanager
def served(app, **options):
    """A WSGI application on a free port, until the block ends."""
    server = make_server("127.0.0.1", 0, app, **options)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def chunks(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([b"one", b"", b"two"])


def seen_by(app_environs):
    def app(environ, start_response):
        app_environs.append({**environ, "body": environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or -1))})
        return hello(environ, start_response)

    return app


def environ_of(exchange, request, **options):
    """The environ that an application sees for these bytes."""
    environs = []

    def app(environ, start_response):
        environs.append(environ)
        return hello(environ, start_response)

    with served(app, **options) as server:
        exchange(server.port, request)
    return environs[0]


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


@pytest.mark.parametrize("argument", ["adhoc", "files", "context"])
def test_https(tmp_path, argument):
    paths = certificates.make_ssl_devcert(str(tmp_path / "dev"))
    ssl_context = {"adhoc": "adhoc", "files": paths, "context": certificates.load_ssl_context(*paths)}[argument]
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    schemes = []

    def app(environ, start_response):
        schemes.append((environ["wsgi.url_scheme"], environ.get("SSL_CLIENT_CERT")))
        return hello(environ, start_response)

    with served(app, ssl_context=ssl_context) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=unchecked, timeout=10)
        connection.request("GET", "/")
        body = connection.getresponse().read()
        connection.close()

    assert body == b"hello"
    assert schemes == [("https", None)]


class FakeTLS(ssl.SSLSocket):
    """A connection over TLS whose client shows `certificate`, or that has not shaken hands yet."""

    def __init__(self, certificate):
        self.certificate = certificate

    def getpeercert(self, binary_form=False):
        if self.certificate == b"too early":
            raise ValueError("handshake not done yet")
        return self.certificate


@pytest.mark.parametrize(
    ("certificate", "pem"),
    [
        (b"DER", "-----BEGIN CERTIFICATE-----\nREVS\n-----END CERTIFICATE-----\n"),
        (None, None),
        (b"too early", None),
    ],
)
def test_the_certificate_of_a_client(certificate, pem):
    class Handler(WSGIRequestHandler):
        def make_environ(self):
            return {**super().make_environ(), "wsgi.input": None}

    handler = object.__new__(Handler)
    with make_server("127.0.0.1", 0, hello) as server:
        handler.server = server
        handler.connection = FakeTLS(certificate)
        handler.client_address = ("127.0.0.1", 5)
        handler.command, handler.path, handler.request_version = "GET", "/", "HTTP/1.1"
        handler.headers = {}
        handler.rfile = None

        assert handler.make_environ().get("SSL_CLIENT_CERT") == pem


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


def test_which_server_is_made():
    for options, cls in [
        ({}, BaseWSGIServer),
        ({"threaded": True}, ThreadedWSGIServer),
        ({"processes": 3}, ForkingWSGIServer),
    ]:
        with make_server("127.0.0.1", 0, hello, **options) as server:
            assert type(server) is cls
            assert server.socket.getsockname() == ("127.0.0.1", server.port)
    assert server.max_children == 3


def test_threads_and_processes_exclude_each_other():
    with pytest.raises(ValueError) as caught:
        make_server("127.0.0.1", 0, hello, threaded=True, processes=2)

    assert str(caught.value) == "Either threads or several processes: a server cannot have both."


def test_where_processes_cannot_fork(monkeypatch):
    monkeypatch.setattr(wsgi_serving, "can_fork", False)

    with pytest.raises(ValueError, match="Processes cannot fork on this system: use threads"):
        make_server("127.0.0.1", 0, hello, processes=2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_server_with_processes(exchange):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [str(os.getpid()).encode()]

    with served(app, processes=2) as server:
        answer = exchange(server.port, b"GET / HTTP/1.0\r\n\r\n")

    assert int(answer.rpartition(b"\r\n\r\n")[2]) != os.getpid()


def test_a_port_in_use_ends_the_process(capsys):
    with make_server("127.0.0.1", 0, hello) as first:
        with pytest.raises(SystemExit) as caught:
            make_server("127.0.0.1", first.port, hello)

    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith(f"Port {first.port} on 127.0.0.1 is in use by another program. ")


def test_any_other_error_of_binding_is_raised(monkeypatch):
    monkeypatch.setattr(BaseWSGIServer, "server_activate", lambda self: (_ for _ in ()).throw(RuntimeError("no")))

    with pytest.raises(RuntimeError, match="no"):
        make_server("127.0.0.1", 0, hello)


def test_a_socket_may_be_given(exchange):
    with make_server("127.0.0.1", 0, hello) as first:
        with make_server("127.0.0.1", 0, hello, fd=first.fileno()) as second:
            assert second.port == first.port


def test_a_keyboard_interrupt_ends_a_server(monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(BaseWSGIServer, "service_actions", interrupt)
    server = make_server("127.0.0.1", 0, hello)

    server.serve_forever(poll_interval=0.01)

    assert server.fileno() == -1


def test_run_simple_serves_until_it_is_interrupted(monkeypatch, log):
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    served_by = []
    monkeypatch.setattr(BaseWSGIServer, "serve_forever", lambda self: (served_by.append(self), self.server_close()))

    run_simple("127.0.0.1", 0, hello)

    (server,) = served_by
    assert server.app is hello
    assert log() == [
        wsgi_serving.NOT_FOR_PRODUCTION,
        f" * Running on http://127.0.0.1:{server.port}",
        "Press CTRL+C to quit",
    ]


def test_run_simple_wants_a_number_for_a_port():
    with pytest.raises(TypeError, match="port must be an integer"):
        run_simple("127.0.0.1", "5000", hello)


def test_run_simple_serves_folders(monkeypatch, tmp_path):
    monkeypatch.delenv("WERKZEUG_SERVER_FD", raising=False)
    (tmp_path / "a.txt").write_text("a file")
    apps = []
    monkeypatch.setattr(BaseWSGIServer, "serve_forever", lambda self: (apps.append(self.app), self.server_close()))

    run_simple("127.0.0.1", 0, hello, static_files={"/files": str(tmp_path)})

    started = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/files/a.txt"}
    body = apps[0](environ, lambda status, headers, exc_info=None: started.append(status))
    assert b"".join(body) == b"a file"
    body.close()
    assert started == ["200 OK"]


def test_the_process_that_the_reloader_starts_takes_the_socket_over(monkeypatch, log):
    with make_server("127.0.0.1", 0, hello) as first:
        monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
        monkeypatch.setenv("WERKZEUG_SERVER_FD", str(first.fileno()))
        ports = []
        monkeypatch.setattr(
            BaseWSGIServer, "serve_forever", lambda self: (ports.append(self.port), self.server_close())
        )

        run_simple("127.0.0.1", 0, hello)

    assert ports == [first.port]
    assert log() == []


def test_with_the_reloader_another_process_serves(monkeypatch):
    monkeypatch.delenv("WERKZEUG_RUN_MAIN", raising=False)
    watchers = []

    def supervise_with(sock, watcher):
        watchers.append(watcher)
        sock.close()
        return 3

    monkeypatch.setattr(wsgi_serving, "supervise_with", supervise_with)
    with pytest.raises(SystemExit) as caught:
        run_simple("127.0.0.1", 0, hello, use_reloader=True, extra_files=["/a"], reloader_type="stat")

    assert caught.value.code == 3
    assert (watchers[0].extra, watchers[0].name) == ({"/a"}, "stat")


def test_the_other_process_serves_until_a_file_changes(monkeypatch, exchange):
    answers = []

    def run_reloadable(main, stop, watcher):
        client = threading.Thread(
            target=lambda: (answers.append(exchange(first.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")), stop())
        )
        client.start()
        main()
        client.join(10)

    monkeypatch.setattr(wsgi_serving, "run_reloadable", run_reloadable)
    with make_server("127.0.0.1", 0, hello) as first:
        monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
        monkeypatch.setenv("WERKZEUG_SERVER_FD", str(first.fileno()))

        run_simple("127.0.0.1", 0, hello, use_reloader=True)

    assert answers[0].endswith(b"hello")


def test_under_flasks_name_the_server_is_called_werkzeug(monkeypatch):
    monkeypatch.setattr(wsgi_serving, "served_as_flask", lambda: True)
    with make_server("127.0.0.1", 0, hello) as server:
        assert re.fullmatch(r"Werkzeug/3\.\d+\.\d+", server._server_version)


def test_an_address_that_is_not_free_has_its_reason():
    assert wsgi_serving.explain("127.0.0.1", 1, OSError(errno.EACCES, "")).startswith("You may not use port 1 ")
